"""`WsgiMiddleware`: what a WSGI application answers is counted; needs no framework and changes nothing.

Source: https://peps.python.org/pep-3333/
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from tallystick.sensors.web.parts import Parts, end_by, whole_number
from tallystick.sensors.web.traffic import COUNTED, Traffic

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
Write = Callable[[bytes], object]
Application = Callable[[Environ, Callable[..., Write]], Iterable[bytes]]

ViewOf = Callable[[Environ], str]
"""Says the view that answers, once it has."""

_COMPLETE = (list, tuple)
"""Answers that are all there: an alternative of two types is slower to ask for than a pair."""


def route_of(environ: Environ) -> str:
    """The route that the framework chose, as Flask and Bottle leave it in the environment; empty if there is none."""
    request = environ.get("werkzeug.request")
    found = environ.get("bottle.route") if request is None else getattr(request, "url_rule", None)
    if found is None:
        return ""
    route = getattr(found, "rule", None)
    return route if isinstance(route, str) else ""


@lru_cache(maxsize=1000)
def _number(status: str) -> int:
    """The number of a status line; 0 if it has none."""
    return int(status[:3]) if status[:3].isdigit() else 0


class WsgiMiddleware:
    """WSGI middleware that counts requests.

    Parameters
    ----------
    owner
        Shown where the metrics are.
    view
        Says the view that answered, for frameworks that do not leave their routes in the environment. It must have
        few answers: a path that was asked for is none.
    """

    def __init__(
        self, app: Application, owner: str = "", view: ViewOf = route_of, traffic: Traffic | None = None
    ) -> None:
        self._app = app
        self._view = view
        self._traffic = traffic or Traffic(owner)

    def __call__(self, environ: Environ, start_response: Callable[..., Write]) -> Iterable[bytes]:
        if COUNTED in environ:
            return self._app(environ, start_response)
        environ[COUNTED] = True
        request = _Request(self._traffic, environ, start_response, self._view)
        try:
            answer = self._app(environ, request.start)
        except BaseException as error:
            end_by(request, error)
            raise
        if isinstance(answer, _COMPLETE):  # complete: the server may send it in its own way
            request.sent += sum(map(len, answer))
            request.end()
            return answer
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(answer, wrapper):  # and here have the kernel send it
            request.sent += request.length()
            request.end()
            return answer
        return Parts(iter(answer), request, getattr(answer, "close", None))


class _Request:
    """One request, from its environment to the end of its answer."""

    __slots__ = (
        "_began",
        "_environ",
        "_headers",
        "_route",
        "_start",
        "_traffic",
        "_view",
        "_write",
        "ended",
        "sent",
        "status",
    )

    def __init__(self, traffic: Traffic, environ: Environ, start: Callable[..., Write], view: ViewOf) -> None:
        self._traffic, self._environ, self._start, self._view = traffic, environ, start, view
        self._write: Write | None = None
        self._route = ""
        self._headers: Headers = []
        self.status = self.sent = 0
        self.ended = False
        self._began = traffic.begin()

    def start(self, status: str, headers: Headers, *error: Any) -> Write:
        """See `start_response` of the specification."""
        self._route = self._view(self._environ)  # Flask takes it away again before it returns
        self._headers = headers
        self.status = _number(status)
        self._write = self._start(status, headers, *error)
        return self._counted

    def length(self) -> int:
        """Bytes of the answer's body, as its head tells them."""
        return next((whole_number(value) for name, value in self._headers if name.lower() == "content-length"), 0)

    def end(self, *, failed: bool = False, cut: bool = False) -> None:
        """Count it, once."""
        if self.ended:
            return
        self.ended = True
        environ = self._environ
        method, length = environ.get("REQUEST_METHOD", ""), environ.get("CONTENT_LENGTH")
        self._traffic.end(
            self._began,
            method,
            self._route or self._view(environ),
            self.status,
            sent=self.sent,
            received=whole_number(length) if length else 0,
            failed=failed,
            cut=cut and method != "HEAD",  # whose body nobody wants
        )

    def _counted(self, data: bytes) -> object:
        self.sent += len(data)
        assert self._write is not None  # whoever writes has started
        return self._write(data)
