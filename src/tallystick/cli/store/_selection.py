"""Which series and times of a store a command is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallystick.model.errors import QueryError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tallystick.store.outgoing import Span
    from tallystick.store.readable import Readable

_END_OF_TIME_S = 1 << 40
F = TypeVar("F", bound=Callable[..., Any])


def selection_options(command: F) -> F:
    """The options ``--from`` and ``--until``."""
    start = click.option("--from", "start", help="Graphite's times: -7d, 1700000000. By default all there is.")
    until = click.option("--until", help="As --from.")
    return start(until(command))


@dataclass(frozen=True, slots=True)
class Selection:
    """Series by id, a stretch of time, and the step of the slots wanted, if any."""

    ids: NDArray[np.int32]
    span: Span
    step_s: int | None


def select(
    store: Readable, patterns: Sequence[str], start: str | None, until: str | None, step: str | None, now_s: int
) -> Selection:
    """What was asked for.

    Raises
    ------
    QueryError
        If a pattern, a time or the step cannot be used.
    """
    import numpy as np

    from tallystick.model.retention import parse_seconds
    from tallystick.query.times import parse_time
    from tallystick.store.outgoing import Span

    if patterns:
        ids = np.unique(np.concatenate([store.catalog.find(pattern) for pattern in patterns])).astype(np.int32)
    else:
        ids = np.arange(len(store.catalog), dtype=np.int32)
    if not len(ids):
        raise QueryError(f"cannot find a series: none matches {', '.join(patterns) or 'at all'}; expected at least one")
    try:
        step_s = None if step is None else parse_seconds(step)
    except ValueError as error:
        raise QueryError(str(error)) from None
    if step_s is not None:
        unfit = next((s for s in ids.tolist() if step_s < 1 or step_s % store.retention(s).step_s), None)
        if unfit is not None:
            raise QueryError(
                f"cannot use step {step}: {store.catalog.names(ids[ids == unfit])[0]} is kept by "
                f"{store.retention(unfit).step_s} s; expected a multiple of that"
            )
    start_s = 0 if start is None else parse_time(start, now_s)
    until_s = _END_OF_TIME_S if until is None else parse_time(until, now_s) + 1
    return Selection(ids, Span(start_s, until_s), step_s)
