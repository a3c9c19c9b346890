"""The places where servers are given their application, and where frameworks load their middleware."""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from tallystick.sensors.integrations.wrapping import wrap
from tallystick.sensors.runtime.loop import watch_loop
from tallystick.sensors.sensors import Sensors

DJANGO = "tallystick.sensors.web.django.Middleware"


def counted(application: Any) -> Any:
    """An application of WSGI or ASGI with middleware around it, unless that or Django counts what it does."""
    from tallystick.sensors.web import AsgiMiddleware, WsgiMiddleware

    if _is_django(application) or isinstance(application, AsgiMiddleware | WsgiMiddleware):
        return application
    called = application if inspect.isroutine(application) else type(application).__call__
    return (AsgiMiddleware if inspect.iscoroutinefunction(called) else WsgiMiddleware)(application)


def _django(library: Any, sensors: Sensors) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def load_middleware(self: Any, *args: Any, **kwargs: Any) -> Any:
            settings = import_module("django.conf").settings
            if not any(name.startswith("tallystick.") for name in settings.MIDDLEWARE):
                settings.MIDDLEWARE = [DJANGO, *settings.MIDDLEWARE]
            return original(self, *args, **kwargs)

        return load_middleware

    wrap(library.BaseHandler, "load_middleware", make)


def _gunicorn(library: Any, sensors: Sensors) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def wsgi(self: Any) -> Any:
            application = original(self)
            if "uvicorn" in str(self.cfg.worker_class_str):
                return application  # uvicorn is given it, see below
            self.callable = counted(application)
            return self.callable

        return wsgi

    wrap(library.BaseApplication, "wsgi", make)


def _uvicorn(library: Any, sensors: Sensors) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def load(self: Any) -> None:
            original(self)
            self.loaded_app = counted(self.loaded_app)

        return load

    wrap(library.Config, "load", make)


def _uvicorn_server(library: Any, sensors: Sensors) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def startup(self: Any, *args: Any, **kwargs: Any) -> Any:
            watch_loop(sensors)
            return await original(self, *args, **kwargs)

        return startup

    def make_last(original: Callable[..., Any]) -> Callable[..., Any]:
        async def shutdown(self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return await original(self, *args, **kwargs)
            finally:
                sensors.flush()  # it ends by the signal that has ended it, without what Python does at an exit

        return shutdown

    wrap(library.Server, "startup", make)
    wrap(library.Server, "shutdown", make_last)


def _werkzeug(library: Any, sensors: Sensors) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def run_simple(hostname: str, port: int, application: Any, *args: Any, **kwargs: Any) -> Any:
            return original(hostname, port, counted(application), *args, **kwargs)

        return run_simple

    wrap(library, "run_simple", make)


def _wsgiref(library: Any, sensors: Sensors) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def set_app(self: Any, application: Any) -> Any:
            return original(self, counted(application))

        return set_app

    wrap(library.WSGIServer, "set_app", make)


def _loops(library: Any, sensors: Sensors) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def run_forever(self: asyncio.AbstractEventLoop) -> Any:
            watch_loop(sensors, self)
            return original(self)

        return run_forever

    wrap(library.BaseEventLoop, "run_forever", make)


def _is_django(application: Any) -> bool:
    """Whether it is Django's, or something that wraps that and leaves it recognizable."""
    while application is not None:
        if type(application).__module__.startswith("django."):
            return True
        application = getattr(application, "app", None) or getattr(application, "__wrapped__", None)
    return False


SERVERS: Mapping[str, Callable[[Any, Sensors], None]] = {
    "django.core.handlers.base": _django,
    "gunicorn.app.base": _gunicorn,
    "uvicorn.config": _uvicorn,
    "uvicorn.server": _uvicorn_server,
    "werkzeug.serving": _werkzeug,
    "wsgiref.simple_server": _wsgiref,
    "asyncio.base_events": _loops,
}
"""What is done to a module, by its name."""
