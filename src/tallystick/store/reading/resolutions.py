"""Reading across resolutions: at which step which stretch of time can be read.

Usually age alone says it. Looked at besides are blocks that are primary (their content is in no finer one), stale (the
rules changed, and they are still kept by the old ones) or odd (they fit into no slots of the rules), and what is in
memory of a series that got a name with another retention; most stores have none.
"""

from collections.abc import Iterator, Sequence
from math import lcm

import numpy as np
from numpy.typing import NDArray

from tallystick.model.retention import Retention
from tallystick.model.series import Part
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.disk.manifest import BlockEntry
from tallystick.store.rules.kept import is_own_step, resolutions
from tallystick.store.rules.retentions import Retentions

_WIDENED_MAX = 4


class Resolutions:
    """What can be read of some series at which step, at one moment.

    Parameters
    ----------
    retentions
        How series are kept.
    irregular
        What `irregular` gives.
    now_s
        Epoch seconds.
    """

    def __init__(self, retentions: Retentions, irregular: Sequence[OpenBlock], now_s: float) -> None:
        self._retentions = retentions
        self._irregular = irregular
        self._now_s = now_s

    def steps(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> NDArray[np.int64]:
        """For each series, the finest step that all of a range can be read at."""
        steps = self._retentions.steps(ids, self._now_s - start_s)
        numbers = self._retentions.of(ids)
        for block in self._between(start_s, until_s):
            mine = np.flatnonzero(block.block.holds(ids))
            for k in set(numbers[mine].tolist()):
                rows = mine[numbers[mine] == k]
                age_s = self._now_s - max(start_s, block.entry.start_s)
                steps[rows] = np.lcm(steps[rows], _step_of(block, self._retentions.all[k], age_s))
        for row, step_s in self._unsealed(ids):
            steps[row] = lcm(int(steps[row]), step_s)
        return steps

    def parts(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> list[Part]:
        """See `Store.parts`."""
        found = self._stretches(ids, start_s, until_s)
        # Slots at both ends reach beyond the range: what lies there must fit into them as well.
        for _ in range(_WIDENED_MAX):
            wider = self._stretches(ids, found[0].start_s, found[-1].until_s)
            if wider == found:
                break
            found = wider
        return [part for part in found if part.until_s > start_s and part.start_s < until_s]

    def _stretches(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> list[Part]:
        kept = [self._retentions.all[k] for k in np.unique(self._retentions.of(ids)).tolist()]
        held = [(b, list(self._of_block(b, ids))) for b in self._between(start_s, until_s)]
        held = [(block, retentions) for block, retentions in held if retentions]
        unsealed = [step_s for _, step_s in self._unsealed(ids)]
        pieces = []
        for begin_s in self._cuts(kept, [b for b, _ in held], start_s, until_s):
            age_s = self._now_s - begin_s
            steps = [*unsealed, *(retention.covering(age_s).step_s for retention in kept)]
            for block, retentions in held:
                if block.entry.start_s <= begin_s < block.entry.end_s:
                    steps += [_step_of(block, retention, age_s) for retention in retentions]
            pieces.append((begin_s, lcm(*steps)))
        return list(_parts(_aligned(pieces, until_s), until_s, kept))

    def _unsealed(self, ids: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
        """Positions in `ids` of series whose samples in memory are in slots of another retention, and their step."""
        for series, step_s in list(self._retentions.unsealed.items()):
            yield from ((row, step_s) for row in np.flatnonzero(ids == series).tolist())

    def _between(self, start_s: int, until_s: int) -> Iterator[OpenBlock]:
        return (b for b in self._irregular if b.entry.start_s < until_s and b.entry.end_s > start_s)

    def _of_block(self, block: OpenBlock, ids: NDArray[np.int32]) -> Iterator[Retention]:
        """The retentions of those of `ids` that a block holds."""
        numbers = np.unique(self._retentions.of(ids[block.block.holds(ids)]))
        return (self._retentions.all[k] for k in numbers.tolist())

    def _cuts(self, kept: Sequence[Retention], blocks: Sequence[OpenBlock], start_s: int, until_s: int) -> list[int]:
        """Where another step may begin, `start_s` among them."""
        stale = [Retention.parse(b.entry.retention) for b in blocks if b.entry.stale]
        cuts = {-int(-(self._now_s - r.keep_s) // 1) for retention in (*kept, *stale) for r in retention.resolutions}
        cuts |= {edge for b in blocks for edge in (b.entry.start_s, b.entry.end_s)}
        return sorted({start_s} | {cut for cut in cuts if start_s < cut < until_s})


def irregular(blocks: Sequence[OpenBlock]) -> tuple[OpenBlock, ...]:
    """The blocks that `Resolutions` has to look at."""
    return tuple(b for b in blocks if b.entry.primary or b.entry.stale or _is_odd(b.entry))


def _is_odd(entry: BlockEntry) -> bool:
    return not is_own_step(entry) and resolutions(entry)[1] is None


def _step_of(block: OpenBlock, retention: Retention, age_s: float) -> int:
    """The finest step of what a block holds of a series kept by `retention`: the step read is a multiple of it."""
    entry = block.entry
    if entry.stale and entry.retention != str(retention):
        retention = Retention.parse(entry.retention)
    asked_s = retention.covering(age_s).step_s
    # Slots that fit nowhere are what there is when the finer ones with the same content are gone.
    alone = entry.primary or (_is_odd(entry) and asked_s > retention.step_s)
    return lcm(asked_s, entry.step_s) if alone else asked_s


def _aligned(pieces: Sequence[tuple[int, int]], until_s: int) -> list[tuple[int, int]]:
    """Begin and step of stretches that cut no slot in two: the coarser of two neighbours takes what it needs."""
    found: list[tuple[int, int]] = []
    for given_s, given_step_s in pieces:
        begin_s, step_s = given_s, given_step_s
        while found:
            before_s, before_step_s = found[-1]
            joined_s = lcm(before_step_s, step_s)
            if joined_s > max(before_step_s, step_s) or before_step_s == step_s:
                begin_s, step_s = before_s, joined_s  # no slot of one is whole slots of the other: read as one
            elif before_step_s > step_s:
                begin_s = -(-begin_s // before_step_s) * before_step_s
                break
            else:
                begin_s = begin_s // step_s * step_s
                if begin_s > before_s:
                    break
            found.pop()
        if begin_s < until_s:
            found.append((begin_s, step_s))
    return found


def _parts(pieces: Sequence[tuple[int, int]], until_s: int, kept: Sequence[Retention]) -> Iterator[Part]:
    ends = [begin_s for begin_s, _ in pieces[1:]] + [until_s]
    for (begin_s, step_s), end_s in zip(pieces, ends, strict=True):
        start_s = begin_s // step_s * step_s
        yield Part(start_s, -(-end_s // step_s) * step_s, step_s, min(_keep_s(r, step_s) for r in kept))


def _keep_s(retention: Retention, step_s: int) -> int:
    """How long what is read in slots of `step_s` is kept: as long as the coarsest that they are made from."""
    keeps = [r.keep_s for r in retention.resolutions if step_s % r.step_s == 0]
    return max(keeps, default=retention.keep_s)
