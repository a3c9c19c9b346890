"""Middleware that counts what a web application does: requests, their statuses, times by view, errors, bytes.

>>> MIDDLEWARE = ["tallystick.sensors.web.django.Middleware", ...]     # Django, in its settings
>>> app = AsgiMiddleware(app)                                           # any ASGI application
>>> app.add_middleware(AsgiMiddleware)                                  # Starlette, FastAPI
>>> app.wsgi_app = WsgiMiddleware(app.wsgi_app)                         # Flask; any WSGI application alike

What is counted, below the names of the program's other sensors:

========================== ======== ==================================================
``requests``                counter  requests that ended, one way or another
``response.<status>``       counter  answers
``errors``                  counter  answers of 500 and more, and exceptions
``disconnects``             counter  requests whose client went before the answer's end
``response_time``           timing   seconds until the last byte of the answer
``view.<METHOD>.<view>``    timing   the same by view
``received_bytes``          counter  of bodies of requests
``sent_bytes``              counter  of bodies of answers
``in_flight``               gauge    requests that are worked on, on this host
``websockets``              gauge    connections that are open, on this host
========================== ======== ==================================================

A view is what the framework calls it, a route or the name of a function, never a path that somebody asked for: so
there are as many names as the program has views.
"""

from tallystick.sensors.web.asgi import AsgiMiddleware
from tallystick.sensors.web.stats_apps import asgi_stats, wsgi_stats
from tallystick.sensors.web.wsgi import WsgiMiddleware

__all__ = ["AsgiMiddleware", "WsgiMiddleware", "asgi_stats", "wsgi_stats"]
