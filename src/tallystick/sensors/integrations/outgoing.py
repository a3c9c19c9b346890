"""Requests that a program makes to others, timed by host, method and status: ``http.client``, ``http.client.errors``.

Each exchange counts by itself, also those of redirects; its time ends when the head of the answer is there.
"""

from collections.abc import Callable
from time import perf_counter
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from tallystick.sensors.integrations.wrapping import wrap
from tallystick.sensors.sensors import Sensors


class Exchange:
    """One request on its way: what stands in its ``with`` is timed.

    Parameters
    ----------
    sensors
        Where to count.
    host, method
        Whom it asks, and how.
    """

    __slots__ = ("_began", "_host", "_method", "_sensors", "status")

    def __init__(self, sensors: Sensors, host: str | None, method: str) -> None:
        self._sensors, self._host, self._method = sensors, host or "none", method
        self.status: object = "none"
        """Of the answer, once there is one."""
        self._began = perf_counter()

    def __enter__(self) -> "Exchange":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        took_s = perf_counter() - self._began
        timing = self._sensors.timing("http.client", host=self._host, method=self._method, status=self.status)
        timing.observe(took_s)
        if isinstance(error, Exception):
            self._sensors.counter("http.client.errors", host=self._host, error=type(error).__name__).increment()


def install(library: ModuleType, sensors: Sensors) -> None:
    """Time what a library asks of others from now on."""
    if library.__name__ == "requests":
        wrap(library.adapters.HTTPAdapter, "send", lambda original: _requests(original, sensors))
    elif library.__name__ == "urllib.request":
        wrap(library.AbstractHTTPHandler, "do_open", lambda original: _urllib(original, sensors))
    else:
        wrap(library.HTTPTransport, "handle_request", lambda original: _httpx(original, sensors))
        wrap(library.AsyncHTTPTransport, "handle_async_request", lambda original: _httpx_async(original, sensors))


def _requests(original: Callable[..., Any], sensors: Sensors) -> Callable[..., Any]:
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        with Exchange(sensors, urlsplit(request.url).hostname, request.method) as exchange:
            answer = original(self, request, *args, **kwargs)
            exchange.status = answer.status_code
            return answer

    return send


def _urllib(original: Callable[..., Any], sensors: Sensors) -> Callable[..., Any]:
    def do_open(self: Any, http_class: Any, request: Any, **kwargs: Any) -> Any:
        with Exchange(sensors, urlsplit(f"//{request.host}").hostname, request.get_method()) as exchange:
            answer = original(self, http_class, request, **kwargs)
            exchange.status = answer.status
            return answer

    return do_open


def _httpx(original: Callable[..., Any], sensors: Sensors) -> Callable[..., Any]:
    def handle_request(self: Any, request: Any) -> Any:
        with Exchange(sensors, request.url.host, request.method) as exchange:
            answer = original(self, request)
            exchange.status = answer.status_code
            return answer

    return handle_request


def _httpx_async(original: Callable[..., Any], sensors: Sensors) -> Callable[..., Any]:
    async def handle_async_request(self: Any, request: Any) -> Any:
        with Exchange(sensors, request.url.host, request.method) as exchange:
            answer = await original(self, request)
            exchange.status = answer.status_code
            return answer

    return handle_async_request
