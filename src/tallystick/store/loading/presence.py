"""Which slots a store has already, so that an import can be repeated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import DamageError
from tallystick.model.tally import Tally
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.disk.manifest import BlockEntry


@dataclass(frozen=True, slots=True)
class Filled:
    """Slots that something is in.

    Parameters
    ----------
    step_s
        Seconds that each lasts.
    row : int32[n]
        Position of the series among those that were asked for.
    slot : int64[n]
    """

    step_s: int
    row: NDArray[np.int32]
    slot: NDArray[np.int64]


def filled_by_blocks(
    blocks: Sequence[OpenBlock],
    ids: NDArray[np.int32],
    start_s: int,
    end_s: int,
    step_s: int,
    damaged: Callable[[BlockEntry, DamageError], None],
) -> list[Filled]:
    """What blocks have of some series (ids ascending) in a range, that a slot of `step_s` would be there twice with.

    Coarser slots count where they are all there is of their time; else they only repeat what finer ones hold. What is
    wrong with a block is told to `damaged`: nothing in it is there.
    """
    found = []
    for one in blocks:
        entry = one.entry
        comparable = step_s % entry.step_s == 0 or (entry.primary and entry.step_s % step_s == 0)
        if comparable and entry.start_s < end_s and entry.end_s > start_s:
            try:
                row, slot = one.block.slots(ids)
            except DamageError as error:
                damaged(entry, error)
            else:
                found.append(Filled(entry.step_s, row, slot))
    return [one for one in found if len(one.row)]


def filled_by_tallies(tallies: Sequence[Tally]) -> list[Filled]:
    """What tallies have, whose ``series`` are positions among the series asked for."""
    return [Filled(t.step_s, t.series, np.asarray(t.slot)) for t in tallies if len(t)]


def present(
    filled: Sequence[Filled], row: NDArray[np.int32], slot: NDArray[np.int64], step_s: int
) -> NDArray[np.bool_]:
    """Which slots are filled already.

    Parameters
    ----------
    row : int32[n]
        Position of the series of each slot.
    slot : int64[n]
        Number of each, of `step_s` seconds.
    """
    found = np.zeros(len(row), np.bool_)
    for one in filled:
        # Compared at the coarser of the two steps: what lies in the same slot of it is there.
        step = max(step_s, one.step_s)
        mine, theirs = slot * step_s // step, one.slot * one.step_s // step
        inside = (theirs >= mine.min()) & (theirs <= mine.max())
        if inside.any():
            keys, known = _keys(row, mine), np.sort(_keys(one.row[inside], theirs[inside]), kind="stable")
            at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            found |= known[at] == keys
    return found


def _keys(row: NDArray[np.int32], slot: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for a series and a slot; slots since the epoch stay below 2**36 at any step."""
    return (row.astype(np.int64) << 36) | slot
