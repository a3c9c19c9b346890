"""``/api/blocks``: what is not taken, by whom that was said and why; and to say so."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.blocks import Act, Block, BlockList
from tallystick.ledger import Ledger
from tallystick.model.clock import Clock
from tallystick.model.errors import BlockError
from tallystick.model.reason import Reason
from tallystick.model.retention import parse_seconds
from tallystick.web.errors import error_response
from tallystick.web.reading import NOT_JSON, as_json, body_of, parameters
from tallystick.web.workers import Workers

_BODY_BYTES_MAX = 1 << 16
_ACTS_MAX = 10_000


class _Asked(msgspec.Struct, forbid_unknown_fields=True, rename={"lasts": "for"}):
    """What a client posts: names of a pattern, for a while, until a time (epoch seconds), or for good."""

    why: str
    pattern: str = "*"
    source: str = ""
    lasts: str = ""
    until: float | None = None
    who: str = ""


class _Ended(msgspec.Struct, forbid_unknown_fields=True):
    """What a client deletes."""

    pattern: str = "*"
    source: str = ""
    why: str = ""
    who: str = ""


def block_routes(
    blocks: BlockList, rules: Callable[[], Sequence[str]], ledger: Ledger, clock: Clock, workers: Workers
) -> list[BaseRoute]:
    """The routes of the block list.

    Parameters
    ----------
    rules
        Gives the patterns that rules of the config block: they are shown beside the list, and changed in the config.
    """
    writing = CapacityLimiter(1)

    async def listed(request: Request) -> Response:
        given = await parameters(request)
        acts = min(given.whole("acts") or 200, _ACTS_MAX)
        return as_json(await workers.run(_shown, blocks, rules(), ledger, acts), given)

    async def block(request: Request) -> Response:
        asked = await _body(request, _Asked)
        until_s = _until(asked, clock.now())
        who = _who(asked.who, request)
        kept = await to_thread.run_sync(
            lambda: blocks.block(asked.pattern, asked.source, until_s, asked.why, who), limiter=writing
        )
        return Response(msgspec.json.encode(_block(kept, 0)), 201, media_type="application/json")

    async def unblock(request: Request) -> Response:
        asked = await _body(request, _Ended)
        who = _who(asked.who, request)
        ended = await to_thread.run_sync(
            lambda: blocks.unblock(asked.pattern, asked.source, asked.why, who), limiter=writing
        )
        return Response(msgspec.json.encode(_block(ended, 0)), media_type="application/json")

    async def route(request: Request) -> Response:
        try:
            return await {"POST": block, "DELETE": unblock}.get(request.method, listed)(request)
        except BlockError as error:
            return error_response(400, str(error))

    return [Route("/api/blocks", route, methods=["GET", "POST", "DELETE"])]


async def _body(request: Request, shape: type[Any]) -> Any:
    body = await body_of(request, _BODY_BYTES_MAX)
    try:
        return msgspec.json.decode(body, type=shape)
    except NOT_JSON as error:
        expected = '{"pattern": "web.*.tmp.*", "for": "2h", "why": "the disk is full of it"}'
        raise BlockError(f"cannot read the body: {error}; expected {expected}") from None


def _until(asked: _Asked, now_s: float) -> float | None:
    if not asked.lasts:
        return asked.until
    if asked.until is not None:
        raise BlockError("cannot block for a while and until a time; expected one of 'for' and 'until'")
    try:
        return now_s + parse_seconds(asked.lasts)
    except (ValueError, OverflowError):
        raise BlockError(
            f"cannot block for {asked.lasts[:100]!r}: that is no time; expected one as 30m, 2h or 7d"
        ) from None


def _who(name: str, request: Request) -> str:
    """Who asks, as far as is known: the name that he gives, and where he asks from."""
    place = request.client.host if request.client else ""
    return " from ".join(word for word in (name.strip(), place) if word)


def _shown(blocks: BlockList, rules: Sequence[str], ledger: Ledger, acts: int) -> dict[str, Any]:
    force, refused = blocks.in_force, blocks.refused()
    return {
        "version": force.version,
        "blocks": [_block(one, refused.get(one.id, 0)) for one in force.blocks],
        "rules": [{"pattern": pattern} for pattern in rules],
        "sources": _withholding(ledger),
        "acts": [_act(one) for one in blocks.acts(acts)],
    }


def _withholding(ledger: Ledger) -> list[dict[str, Any]]:
    """Of whom something was kept out, most first: by us, and by agents that did not send it."""
    words = {"blocked": Reason.BLOCKED.name.lower(), "withheld": Reason.WITHHELD.name.lower()}
    found = []
    for source, peers in ledger.by_peer().items():
        for one in peers:
            counts = {word: one.rejected.get(reason, 0) for word, reason in words.items()}
            if any(counts.values()):
                found.append({"source": source, "peer": one.peer, **counts})
    return sorted(found, key=lambda one: -(one["blocked"] + one["withheld"]))


def _block(one: Block, refused: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "pattern": one.pattern,
        "source": one.source,
        "since": one.since_s,
        "until": one.until_s,
        "why": one.why,
        "who": one.who,
        "refused": refused,
    }


def _act(one: Act) -> dict[str, Any]:
    return {
        "id": one.id,
        "at": one.at_s,
        "what": one.what,
        "pattern": one.pattern,
        "source": one.source,
        "until": one.until_s,
        "why": one.why,
        "who": one.who,
        "refused": one.refused,
    }
