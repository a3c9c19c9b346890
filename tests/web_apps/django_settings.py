"""Settings of a shop by Django: what the guide says, and what Django wants."""

from guide_settings import MIDDLEWARE, TALLYSTICK_OWNER

__all__ = ["MIDDLEWARE", "TALLYSTICK_OWNER"]

SECRET_KEY = "of no worth"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_urls"
LOGGING_CONFIG = None
