"""`Traffic`: the instruments of a web application."""

import re
from time import perf_counter

from tallystick import sensors
from tallystick.native.names import component
from tallystick.sensors import Sensors

VIEWS_MAX = 500
"""Pairs of a method and a view; further views count as `OTHER`. A program has fewer, unless it makes them up."""
OTHER = "other"
UNROUTED = "unrouted"
"""The view of requests that no route took."""
WEBSOCKET = "WEBSOCKET"

COUNTED = "tallystick.counted"
"""Key of a scope or environment: somebody around us counts this request already, as `tallystick run` does."""

_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", WEBSOCKET)
)
_CONVERTER = re.compile(r"[<{](?:([^:<>{}]+):)?([^:<>{}]+)(?::([^<>{}]+))?[>}]")


class Traffic:
    """Counts and times requests; what several middlewares of one process count is the same.

    Parameters
    ----------
    owner
        Shown where the metrics are.
    own
        The sensors to count by; by default those of the process.
    """

    def __init__(self, owner: str = "", own: Sensors | None = None) -> None:
        own = own or sensors.own
        self._own = own
        self._owner = owner
        self._requests = own.counter("requests", unit="requests", owner=owner, description="Requests that ended.")
        self._errors = own.counter(
            "errors", unit="errors", owner=owner, description="Answers of 500 and more, and exceptions."
        )
        self._cut = own.counter(
            "disconnects",
            unit="requests",
            owner=owner,
            description="Requests whose client went before the answer's end.",
        )
        self._sent = own.counter("sent_bytes", unit="bytes", owner=owner, description="Bodies of answers.")
        self._received = own.counter("received_bytes", unit="bytes", owner=owner, description="Bodies of requests.")
        self._in_flight = own.gauge("in_flight", unit="requests", owner=owner, description="Requests in work.")
        self._websockets = own.gauge("websockets", unit="connections", owner=owner, description="WebSockets open.")
        self._time = own.timing(
            "response_time", unit="s", owner=owner, description="Time until the last byte of the answer, of all views."
        )
        self._statuses = {200: self._status(200), 404: self._status(404), 500: self._status(500)}
        self._views: dict[tuple[str, str], sensors.Timing] = {}

    def begin(self) -> float:
        """A request came; returns when, for `end`."""
        self._in_flight.change(1)
        return perf_counter()

    def end(
        self,
        began: float,
        method: str,
        view: str,
        status: int,
        *,
        sent: int = 0,
        received: int = 0,
        failed: bool = False,
        cut: bool = False,
    ) -> None:
        """A request ended.

        Parameters
        ----------
        began
            What `begin` returned.
        view
            A route or the name of a function; empty if none took the request.
        status
            Of the answer; 0 if none was begun.
        sent, received
            Bytes of bodies.
        failed
            Whether an exception ended it.
        cut
            Whether the client went before the answer's end.
        """
        took_s = perf_counter() - began
        self._in_flight.change(-1)
        self._requests.increment()
        if failed and not status:
            status = 500
        if status:
            self.answered(status)
            self._time.observe(took_s)
            self.view(method, view).observe(took_s)
        if failed or status >= 500:
            self._errors.increment()
        if cut:
            self._cut.increment()
        if sent:
            self._sent.increment(sent)
        if received:
            self._received.increment(received)

    def opened(self) -> float:
        """A WebSocket was accepted, which `begin` saw coming; returns when."""
        self._in_flight.change(-1)
        self._websockets.change(1)
        self._requests.increment()
        self.answered(101)
        return perf_counter()

    def closed(self, opened: float, view: str, sent: int, received: int, *, failed: bool) -> None:
        """A WebSocket was closed, by whoever; it was open from `opened` on."""
        self._websockets.change(-1)
        self.view(WEBSOCKET, view).observe(perf_counter() - opened)
        if failed:
            self._errors.increment()
        self._sent.increment(sent)
        self._received.increment(received)

    def failed(self) -> None:
        """Something failed behind an answer that was complete."""
        self._errors.increment()

    def flush(self) -> None:
        """Send what is counted: the process is about to end."""
        self._own.flush()

    def answered(self, status: int) -> None:
        """An answer was begun."""
        counter = self._statuses.get(status)
        if counter is None:
            counter = self._status(status if 100 <= status <= 599 else 0)
            if 100 <= status <= 599:
                self._statuses[status] = counter
        counter.increment()

    def view(self, method: str, view: str) -> sensors.Timing:
        """The timing of a view."""
        found = self._views.get((method, view))
        if found is not None:
            return found
        known = method if method in _METHODS else "OTHER"
        is_full = len(self._views) >= VIEWS_MAX
        name = OTHER if is_full else view_component(view)
        timing = self._own.timing(
            f"view.{known}.{name}", unit="s", owner=self._owner, description="Time until the last byte of the answer."
        )
        if not is_full:
            self._views[method if method in _METHODS else known, view] = timing
        return timing

    def _status(self, status: int) -> sensors.Counter:
        return self._own.counter(
            f"response.{status or OTHER}", unit="requests", owner=self._owner, description="Answers of this status."
        )


def view_component(view: str) -> str:
    """A view as one component of a name: ``/orders/<int:id>`` is ``orders-id``, ``shop:cart`` is ``shop-cart``."""
    return component(_CONVERTER.sub(_parameter, view)) if view else UNROUTED


def _parameter(found: re.Match[str]) -> str:
    """The name of a parameter: ``<int:number>`` in Flask and Django, ``{number:int}`` in Starlette."""
    first, second, _ = found.groups()
    return second if first is None or found[0][0] == "<" else first
