"""Requests that a program makes to others, timed by host, method and status: ``http.client``, ``http.client.errors``.

Each exchange counts by itself, also those of redirects; its time ends when the head of the answer is there.
"""

from collections.abc import Callable
from time import perf_counter
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tallystick.sensors.integrations.wrapping import wrap
from tallystick.sensors.sensors import Sensors


class Exchange(NamedTuple):
    """One request on its way."""

    sensors: Sensors
    host: str
    method: str
    began: float

    def answered(self, status: object) -> None:
        """There is an answer."""
        self._time(status)

    def failed(self, error: BaseException) -> None:
        """There will be none."""
        self._time("none")
        self.sensors.counter("http.client.errors", host=self.host, error=type(error).__name__).increment()

    def _time(self, status: object) -> None:
        timing = self.sensors.timing("http.client", host=self.host, method=self.method, status=status)
        timing.observe(perf_counter() - self.began)


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
        host = urlsplit(request.url).hostname or "none"
        exchange = Exchange(sensors, host, request.method, perf_counter())
        try:
            answer = original(self, request, *args, **kwargs)
        except Exception as error:
            exchange.failed(error)
            raise
        exchange.answered(answer.status_code)
        return answer

    return send


def _urllib(original: Callable[..., Any], sensors: Sensors) -> Callable[..., Any]:
    def do_open(self: Any, http_class: Any, request: Any, **kwargs: Any) -> Any:
        host = urlsplit(f"//{request.host}").hostname or "none"
        exchange = Exchange(sensors, host, request.get_method(), perf_counter())
        try:
            answer = original(self, http_class, request, **kwargs)
        except Exception as error:
            exchange.failed(error)
            raise
        exchange.answered(answer.status)
        return answer

    return do_open


def _httpx(original: Callable[..., Any], sensors: Sensors) -> Callable[..., Any]:
    def handle_request(self: Any, request: Any) -> Any:
        exchange = Exchange(sensors, request.url.host, request.method, perf_counter())
        try:
            answer = original(self, request)
        except Exception as error:
            exchange.failed(error)
            raise
        exchange.answered(answer.status_code)
        return answer

    return handle_request


def _httpx_async(original: Callable[..., Any], sensors: Sensors) -> Callable[..., Any]:
    async def handle_async_request(self: Any, request: Any) -> Any:
        exchange = Exchange(sensors, request.url.host, request.method, perf_counter())
        try:
            answer = await original(self, request)
        except Exception as error:
            exchange.failed(error)
            raise
        exchange.answered(answer.status_code)
        return answer

    return handle_async_request
