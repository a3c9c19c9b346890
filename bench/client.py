"""A reader over one kept-alive HTTP connection, and how long its requests take."""

import http.client
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

_IDLE_S_MAX = 3.0  # servers hang up after five


class Client:
    """GET requests to a port of this machine. The standard library's client: it adds about 0.2 ms to a request."""

    def __init__(self, port: int, timeout_s: float = 60.0) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self._used_s = time.monotonic()

    def get(self, path: str, **parameters: Any) -> bytes:
        """The body of an answer that is one of success."""
        if time.monotonic() - self._used_s > _IDLE_S_MAX:
            self._connection.close()  # the next request opens it again
        self._connection.request("GET", f"{path}?{urlencode(parameters, doseq=True)}" if parameters else path)
        answer = self._connection.getresponse()
        body = answer.read()
        self._used_s = time.monotonic()
        if answer.status >= 300:
            raise SystemExit(f"cannot trust the figures: {path} was answered by {answer.status} {body[:300]!r}")
        return body

    def json(self, path: str, **parameters: Any) -> Any:
        """What a JSON answer holds."""
        return msgspec.json.decode(self.get(path, **parameters))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of half, and of all but a hundredth, of some requests."""

    p50_ms: float
    p99_ms: float


def latency(client: Client, path: str, requests: int, **parameters: Any) -> Latency:
    """Ask for the same thing `requests` times, after three times that are not counted."""
    taken = []
    for _ in range(requests + 3):
        began = time.perf_counter()
        client.get(path, **parameters)
        taken.append(1000 * (time.perf_counter() - began))
    taken = sorted(taken[3:])
    return Latency(taken[len(taken) // 2], taken[len(taken) * 99 // 100])
