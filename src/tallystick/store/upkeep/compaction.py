"""Compaction, rolling up and retention: planning what to do with the blocks there are, and doing it.

- *Merge*: the blocks of one window that is over become one, compressed.
- *Roll up*: the blocks of one window of the next coarser resolution become a block of that resolution; they stay,
  marked as rolled, until their own time is over. A block that arrives late is rolled by itself: coarse blocks of one
  window add up.
- *Expire*: a block older than its resolution is kept, and rolled if there is a coarser one, is forgotten.

What a change of the rules asks for is in `tallystick.store.upkeep.reshaping`; blocks that it has not seen yet are left
alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.files import Files
from tallystick.model.errors import DamageError
from tallystick.model.retention import Retention
from tallystick.model.tally import Tally
from tallystick.store.blocks.anatomy import PAGES_BYTES_MAX
from tallystick.store.blocks.arranging import union
from tallystick.store.blocks.block_set import BlockSet, OpenBlock
from tallystick.store.blocks.merging import SLOTS_PER_BLOCK, Source, Target, window_of, write_merged
from tallystick.store.disk.manifest import BlockEntry
from tallystick.store.rules.kept import is_own_step, parsed, resolutions

GRACE_S = 300
"""How long after its end a window still waits for late samples before it is merged."""
_RAW_BLOCKS_MAX = 24  # a window that is not over yet is merged as well when it has got this many blocks


@dataclass(frozen=True, slots=True)
class Job:
    """Blocks to merge into one of step `step_s`; if that is coarser than theirs, they are marked as rolled."""

    sources: tuple[BlockEntry, ...]
    retention: Retention
    step_s: int

    @property
    def rolls(self) -> bool:
        """Whether the result is of a coarser step."""
        return self.step_s != self.sources[0].step_s


def expired(entries: Sequence[BlockEntry], now_s: float) -> list[BlockEntry]:
    """Blocks whose time is over and whose content lives on in a coarser resolution, if there is one."""
    found = []
    for entry in entries:
        if entry.stale:
            continue  # other rules may keep it longer
        resolution, _ = resolutions(entry)
        age_s = now_s - entry.end_s
        if age_s > resolution.keep_s and (_lives_on(entry) or age_s > parsed(entry.retention).keep_s):
            found.append(entry)
    return found


def _lives_on(entry: BlockEntry) -> bool:
    """Whether a block can go as far as its content is concerned: the next coarser resolution has it, or there is none.

    After a change of the rules its content may be in still coarser slots only; then it is rolled up once more.
    """
    _, coarser = resolutions(entry)
    if coarser is None:
        return True
    if not entry.rolled or _lacks(entry, coarser.step_s):
        return False
    retention = parsed(entry.retention)
    return entry.rolled_into_s <= coarser.step_s or retention.coarser(entry.rolled_into_s) is None


def plan(entries: Sequence[BlockEntry], now_s: float) -> list[Job]:
    """What can be done now, each by itself and in any order: merges, and where there are none, roll-ups."""
    return list(_merges(entries, now_s)) or list(_rolls(entries, now_s))


def run(job: Job, blocks: BlockSet, kinds: NDArray[np.uint8], living: NDArray[np.bool_], files: Files) -> None:
    """Do a job: write the new block, without what is of no `living` series, then replace the manifest."""
    wanted = {entry.number for entry in job.sources}
    sources = [b for b in blocks.snapshot() if b.entry.number in wanted]
    if len(sources) < len(wanted):
        return  # one was set aside since, or cannot be read at present: planned anew without it
    if not all_whole(sources, blocks):
        return
    first = min(b.entry.start_s for b in sources) // job.step_s
    end = -(-max(b.entry.end_s for b in sources) // job.step_s)
    series = union([b.block.series for b in sources])
    series = series[living[series]]
    if not len(series):
        blocks.change(remove=job.sources)
        return
    damaged = Damaged()
    target = Target(job.retention, job.step_s, first, end, compress=True)
    entry = write_merged(target, series, [damaged.reader(b) for b in sources], kinds, blocks, files)
    if damaged.set_aside(blocks, [entry]):
        return
    if job.rolls:
        entry = msgspec.structs.replace(entry, rolled_into_s=job.sources[0].rolled_into_s)
        blocks.change(add=[entry, *(msgspec.structs.replace(e, rolled_into_s=job.step_s) for e in job.sources)])
    else:
        same = {name: getattr(job.sources[0], name) for name in ("rolled_into_s", "primary", "stale")}
        blocks.change(add=[msgspec.structs.replace(entry, **same)], remove=job.sources)


def all_whole(sources: Sequence[OpenBlock], blocks: BlockSet) -> bool:
    """Whether sources still match their checksums: what changed since a reader verified it must not get a new one."""
    for source in sources:
        try:
            source.block.verify()
        except DamageError as error:
            blocks.set_aside(source.entry, error)
            return False
    return True


class Damaged:
    """Notices blocks that cannot be read while others are written from them."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[OpenBlock, DamageError]] = {}

    def reader(self, block: OpenBlock) -> Source:
        """Reads a block for `write_merged`."""

        def select(ids: NDArray[np.int32]) -> list[Tally]:
            try:
                return block.block.tallies(ids, keep=False)
            except DamageError as error:
                self._found[block.entry.number] = (block, error)
                return []

        def count(ids: NDArray[np.int32]) -> NDArray[np.int64]:
            try:
                return block.block.rows_of(ids)
            except DamageError as error:
                self._found[block.entry.number] = (block, error)
                return np.zeros(len(ids), np.int64)

        return Source(select, count)

    def set_aside(self, blocks: BlockSet, written: Sequence[BlockEntry]) -> bool:
        """Whether blocks were damaged: they are set aside, and what was written without them is deleted.

        Nothing was replaced then: the rest is planned anew.
        """
        if self._found:
            blocks.discard(written)
            for block, cause in self._found.values():
                blocks.set_aside(block.entry, cause)
        return bool(self._found)


def _merges(entries: Sequence[BlockEntry], now_s: float) -> Iterator[Job]:
    groups: dict[tuple[str, int, int, int, bool], list[BlockEntry]] = {}
    for entry in entries:
        if not entry.stale:
            window = window_of(entry.start_s, entry.step_s)
            key = (entry.retention, entry.step_s, window, entry.rolled_into_s, entry.primary)
            groups.setdefault(key, []).append(entry)
    for (text, step_s, window, *_), group in groups.items():
        over = (window + 1) * step_s * SLOTS_PER_BLOCK + GRACE_S <= now_s
        if sum(entry.file_bytes for entry in group) > PAGES_BYTES_MAX:
            continue  # one block could not hold it
        if len(group) >= _RAW_BLOCKS_MAX or (over and (len(group) > 1 or not group[0].compressed)):
            yield Job(tuple(group), Retention.parse(text), step_s)


def _rolls(entries: Sequence[BlockEntry], now_s: float) -> Iterator[Job]:
    groups: dict[tuple[str, int, int, int, int], list[BlockEntry]] = {}
    for entry in entries:
        _, coarser = resolutions(entry)
        if coarser is not None and is_own_step(entry) and _lacks(entry, coarser.step_s) and not entry.stale:
            window = window_of(entry.start_s, coarser.step_s)
            key = (entry.retention, entry.step_s, coarser.step_s, window, entry.rolled_into_s)
            groups.setdefault(key, []).append(entry)
    for (text, _, coarse_step_s, window, _), group in groups.items():
        resolution, _ = resolutions(group[0])
        over = (window + 1) * coarse_step_s * SLOTS_PER_BLOCK + GRACE_S <= now_s
        due = [e for e in group if over or now_s - e.end_s > resolution.keep_s / 2]
        if due:
            yield Job(tuple(due), Retention.parse(text), coarse_step_s)


def _lacks(entry: BlockEntry, step_s: int) -> bool:
    """Whether slots of `step_s` lack what is in a block; other rules may have rolled it into coarser ones only."""
    return not entry.rolled or (entry.rolled_into_s > step_s and entry.rolled_into_s % step_s == 0)
