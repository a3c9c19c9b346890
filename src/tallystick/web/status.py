"""What the server says of itself: ``/healthz`` and ``/ledger``."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.ledger import Balance, Ledger
from tallystick.web.access import STRANGER


class Health(msgspec.Struct, frozen=True):
    """Answer of ``/healthz``.

    Parameters
    ----------
    status
        ``ok``, or ``degraded`` while there are problems.
    unsafe_samples, unsafe_s
        Samples that a power cut would lose now, and the age of the oldest of them in seconds.
    problems
        A sentence each.
    """

    status: str
    version: str
    series: int
    unsafe_samples: int
    unsafe_s: float
    uptime_s: float
    problems: list[str]


def status_routes(health: Callable[[], Health], ledger: Ledger) -> list[BaseRoute]:
    """Routes for whoever wants to know how the server is and what became of his data."""

    async def healthz(request: Request) -> Response:
        answer = health()
        # Load balancers need the status; what is wrong, and where, is for those who may ask.
        return _json({"status": answer.status} if request.scope.get(STRANGER) else answer)

    async def ledger_page(request: Request) -> Response:
        return _json(
            {
                "sources": [_balance(balance) for balance in ledger.balances()],
                "offenders": [
                    {"source": o.source, "reason": o.reason.name.lower(), "text": o.text, "at": o.at_s}
                    for o in ledger.offenders()
                ],
            }
        )

    return [Route("/healthz", healthz), Route("/ledger", ledger_page)]


def _balance(balance: Balance) -> dict[str, Any]:
    return {
        "source": balance.source,
        "received_bytes": balance.received_bytes,
        "received": balance.received,
        "stored": balance.stored,
        "rejected": balance.rejected,
        "in_flight": balance.in_flight,
        "kernel_drops": balance.kernel_drops,
    }


def _json(body: object) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(body), 200, headers, media_type="application/json")
