"""Which series and times of a store a command is about."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallystick.model.errors import QueryError
from tallystick.model.retention import parse_seconds

if TYPE_CHECKING:
    from tallystick.exchange.selection import Selection
    from tallystick.store.readable import Readable

_END_OF_TIME_S = 1 << 40
F = TypeVar("F", bound=Callable[..., Any])


def selection_options(command: F) -> F:
    """The options ``--from`` and ``--until``."""
    start = click.option("--from", "start", help="Graphite's times: -7d, 1700000000. By default all there is.")
    until = click.option("--until", help="As --from.")
    return start(until(command))


def selected(
    store: Readable, patterns: Sequence[str], start: str | None, until: str | None, step: str | None = None
) -> Selection:
    """What was asked for.

    Raises
    ------
    QueryError
        If a pattern, a time or the step cannot be used.
    """
    from tallystick.exchange.selection import select
    from tallystick.query.times import parse_time
    from tallystick.store.outgoing import Span

    now_s = int(time.time())
    try:
        step_s = None if step is None else parse_seconds(step)
    except ValueError as error:
        raise QueryError(str(error)) from None
    start_s = 0 if start is None else parse_time(start, now_s)
    until_s = _END_OF_TIME_S if until is None else parse_time(until, now_s) + 1
    return select(store, patterns, Span(start_s, until_s), step_s)
