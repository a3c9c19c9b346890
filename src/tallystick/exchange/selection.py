"""Which series, times and slots of a store are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.store.outgoing import Span
from tallystick.store.readable import Readable


@dataclass(frozen=True, slots=True)
class Selection:
    """Series by id, a stretch of time, and the step of the slots wanted, if any.

    Parameters
    ----------
    ids : int32[n]
        Ascending.
    """

    ids: NDArray[np.int32]
    span: Span
    step_s: int | None


def select(store: Readable, patterns: Sequence[str], span: Span, step_s: int | None) -> Selection:
    """The series that globs match, all if there is none.

    Raises
    ------
    QueryError
        If a glob cannot be read, nothing matches, or a series has no slots that the step is made of.
    """
    if patterns:
        ids = np.unique(np.concatenate([store.catalog.find(pattern) for pattern in patterns])).astype(np.int32)
    else:
        ids = store.catalog.ids()
    if not len(ids):
        raise QueryError(f"cannot find a series: none matches {', '.join(patterns) or 'at all'}; expected at least one")
    if step_s is not None:
        _check_step(store, ids, step_s)
    return Selection(ids, span, step_s)


def _check_step(store: Readable, ids: NDArray[np.int32], step_s: int) -> None:
    unfit = next((s for s in ids.tolist() if step_s < 1 or step_s % store.retention(s).step_s), None)
    if unfit is not None:
        name = store.catalog.names(np.array([unfit], np.int32))[0]
        raise QueryError(
            f"cannot use a step of {step_s} s: {name} is kept by {store.retention(unfit).step_s} s; "
            "expected a multiple of that"
        )
