"""A shop by Django, for gunicorn and for uvicorn."""

import os

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "django_settings"
application = get_wsgi_application()
asgi_application = get_asgi_application()
