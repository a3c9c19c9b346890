"""``/api/rules``: the rules in force, and what each does to a name."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.config.rules import KINDS, spelt
from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.route import Facts, Naming
from tallystick.route.explain import explain
from tallystick.route.keeper import RuleKeeper
from tallystick.web.reading import as_json, parameters
from tallystick.web.workers import Workers


def rules_routes(keeper: RuleKeeper, naming: Callable[[], Naming], workers: Workers) -> list[BaseRoute]:
    """Routes for whoever wants to know why a name is what it is."""

    async def rules(request: Request) -> Response:
        followed = keeper.followed
        found: dict[str, Any] = {
            "file": str(keeper.file or ""),
            "since": followed.since_s,
            "problems": keeper.problems(),
            "rules": [
                {"number": k + 1, "in": "config" if k < followed.inline else "file", "rule": spelt(rule)}
                for k, rule in enumerate(followed.rules)
            ],
        }
        return as_json(found, await parameters(request))

    async def explained(request: Request) -> Response:
        given = await parameters(request)
        name = given.one("name")
        if not name:
            raise QueryError("cannot explain anything: missing required parameter 'name'; expected a name as sent")
        facts = Facts(given.one("source"), given.one("from"), kind_of(given.one("kind")))
        found = await workers.run(explain, naming(), name, facts)
        return as_json(msgspec.to_builtins(found), given)

    return [Route("/api/rules", rules), Route("/api/rules/explain", explained, methods=["GET", "POST"])]


def kind_of(word: str) -> Kind:
    """The kind of a word; a gauge where nothing is said.

    Raises
    ------
    QueryError
        If there is none of that name.
    """
    if word and word not in KINDS:
        raise QueryError(f"there is no kind {word!r}; expected one of {', '.join(KINDS)}")
    return Kind(KINDS.index(word)) if word else Kind.GAUGE
