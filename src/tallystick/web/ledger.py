"""``/ledger``: what became of everything, how complete a series is, and what arrives right now."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from tallystick.ledger import Balance, Ledger
from tallystick.ledger.collector import window_balances
from tallystick.ledger.completeness import window_start_s
from tallystick.ledger.terms import WINDOW_S
from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.model.reason import Reason
from tallystick.query.grammar import parse
from tallystick.receive.taps import Tap, Taps
from tallystick.store.contract import Store
from tallystick.web.completeness import Completeness
from tallystick.web.errors import OverloadedError
from tallystick.web.reading import Parameters, as_json, parameters, reading
from tallystick.web.workers import Workers

_OFFENDERS_MAX = 1000
_WINDOWS_MAX = 360
_PULSE_S = 5.0
"""A line of a tail is sent at least this often, so that whoever went away is noticed."""


def ledger_routes(ledger: Ledger, taps: Taps, store: Store, clock: Clock, workers: Workers) -> list[BaseRoute]:
    """Routes for whoever wants to know what became of his data."""
    completeness = Completeness(ledger, store)

    async def accounts(request: Request) -> Response:
        given = await parameters(request)
        return as_json(await workers.run(_accounts, ledger, given, clock.now()), given)

    async def complete(request: Request) -> Response:
        given = await parameters(request)
        targets = [target for target in given.all("target") if target.strip()]
        if not targets:
            raise QueryError("cannot answer: missing required parameter 'target'; expected a path such as web.*.cpu")
        asked = reading(given, int(clock.now()), "-1h", "points")
        trees = [parse(target) for target in targets]
        return as_json(await workers.run(completeness.of, trees, asked), given)

    async def tail(request: Request) -> Response:
        given = await parameters(request)
        pattern = given.one("pattern")
        if not pattern.strip():
            raise QueryError("cannot show anything: missing required parameter 'pattern'; expected a glob: web.*.cpu")
        if request.method == "HEAD":  # a tail has no end to wait for
            return StreamingResponse(iter(()), headers=_TAIL_HEADERS, media_type=_LINES)
        return _Tail(Tap(pattern, given.one("source")), taps)

    return [
        Route("/ledger", accounts, methods=["GET", "POST"]),
        Route("/ledger/completeness", complete, methods=["GET", "POST"]),
        Route("/ledger/tail", tail),
    ]


_LINES = "application/x-ndjson"
_TAIL_HEADERS = {"cache-control": "no-store"}


def _accounts(ledger: Ledger, given: Parameters, now_s: float) -> dict[str, Any]:
    source, reason, name = given.one("source"), given.one("reason").lower(), given.one("name")
    words = [one.name.lower() for one in Reason]
    if reason and reason not in words:
        raise QueryError(
            f"cannot show what was rejected for {reason!r}: there is no such reason; expected one of "
            f"{', '.join(words[1:])}"
        )
    wanted = [balance for balance in ledger.balances() if source in ("", balance.source)]
    peers = ledger.by_peer()
    shown = min(given.whole("windows") or 0, _WINDOWS_MAX)
    offenders = ledger.rejected_inputs.found(source, reason, name)[: given.whole("limit") or _OFFENDERS_MAX]
    return {
        "at": now_s,
        "window_s": WINDOW_S,
        "sources": [
            shown_balance(balance)
            | {"peers": [shown_balance(peer) for peer in peers.get(balance.source, ()) if _says_something(peer)]}
            for balance in wanted
        ],
        "prefixes": [shown_balance(balance) for balance in ledger.by_prefix(source)],
        "windows": _windows(ledger, shown, source) if shown else [],
        "offenders": [
            {"source": o.source, "peer": o.peer, "reason": o.reason.name.lower(), "text": o.text, "at": o.at_s}
            for o in offenders
        ],
    }


def _windows(ledger: Ledger, count: int, source: str) -> list[dict[str, Any]]:
    """The last windows, oldest first, those in which nothing happened left out."""
    return [
        {
            "start": window_start_s(number),
            "sources": [
                shown_balance(balance)
                for balance in window_balances(ledger, number)
                if source in ("", balance.source) and _says_something(balance)
            ],
        }
        for number in ledger.windows()[-count:]
    ]


def _says_something(balance: Balance) -> bool:
    return bool(balance.received or balance.received_bytes or balance.kernel_drops or balance.generated)


def shown_balance(balance: Balance) -> dict[str, Any]:
    """A balance as JSON has it; what says nothing is left out."""
    shown: dict[str, Any] = {
        **({"source": balance.source} if balance.source else {}),
        "received_bytes": balance.received_bytes,
        "received": balance.received,
        "parsed": balance.parsed,
        "made": balance.made,
        "stored": balance.stored,
        "late": balance.late,
        "rejected": balance.rejected,
        "in_flight": balance.in_flight,
        "kernel_drops": balance.kernel_drops,
        "queue_drops": balance.queue_drops,
    }
    if balance.generated:
        shown |= {"generated": balance.generated, "lost_on_the_way": balance.lost_on_the_way}
    if balance.peer:
        shown["peer"] = balance.peer
    if balance.prefix:
        shown["prefix"] = balance.prefix
    return shown


class _Tail(StreamingResponse):
    """What a tap sees; it is open from before the status is told, which is 503 if it cannot be, to the end."""

    def __init__(self, tap: Tap, taps: Taps) -> None:
        super().__init__(_lines(tap), headers=_TAIL_HEADERS, media_type=_LINES)
        self._tap, self._taps = tap, taps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._taps.open(self._tap):
            raise OverloadedError("cannot show what arrives: too many are looking already; expected fewer")
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._taps.close(self._tap)


async def _lines(tap: Tap) -> AsyncIterator[bytes]:
    """What a tap sees as lines of JSON, until whoever looks goes away."""
    arrived, loop = asyncio.Event(), asyncio.get_running_loop()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the server stops: its loop is closed
            loop.call_soon_threadsafe(arrived.set)

    tap.wake = wake
    yield b"\n"
    while True:
        seen, skipped = tap.fetch()
        yield b"".join(msgspec.json.encode(one) + b"\n" for one in seen) or b"\n"
        if skipped:
            yield msgspec.json.encode({"skipped": skipped}) + b"\n"
        try:
            await asyncio.wait_for(arrived.wait(), _PULSE_S)
        except TimeoutError:
            continue
        arrived.clear()
