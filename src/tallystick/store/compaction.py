"""Compaction, rolling up and retention: planning what to do with the blocks there are, and doing it.

- *Merge*: the blocks of one window that is over become one, compressed.
- *Roll up*: the blocks of one window of the next coarser resolution become a block of that resolution; they stay,
marked as
  rolled, until their own time is over. A block that arrives late is rolled by itself: coarse blocks of one window add
  up.
- *Expire*: a block older than its resolution is kept, and rolled if there is a coarser one, is forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import DamageError
from tallystick.model.retention import Resolution, Retention
from tallystick.model.tally import Tally
from tallystick.store.blocks import BlockSet, OpenBlock
from tallystick.store.files import Files
from tallystick.store.manifest import BlockEntry
from tallystick.store.merging import SLOTS_PER_BLOCK, Select, Target, window_of, write_merged

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
        resolution, coarser = _resolutions(entry)
        if entry.end_s + resolution.keep_s < now_s and (entry.rolled or coarser is None):
            found.append(entry)
    return found


def plan(entries: Sequence[BlockEntry], now_s: float) -> Job | None:
    """The next thing to do, or None: merges first, then roll-ups."""
    merge = next(_merges(entries, now_s), None)
    return merge or next(_rolls(entries, now_s), None)


def run(job: Job, blocks: BlockSet, kinds: NDArray[np.uint8], living: NDArray[np.bool_], files: Files) -> None:
    """Do a job: write the new block, without what is of no `living` series, then replace the manifest."""
    wanted = {entry.number for entry in job.sources}
    sources = [b for b in blocks.snapshot() if b.entry.number in wanted]
    if len(sources) < len(wanted):
        return  # one was set aside since, or cannot be read at present: planned anew without it
    if not _all_whole(sources, blocks):
        return
    first = min(b.entry.start_s for b in sources) // job.step_s
    end = -(-max(b.entry.end_s for b in sources) // job.step_s)
    series = np.unique(np.concatenate([b.block.series for b in sources]))
    series = series[living[series]]
    if not len(series):
        blocks.change(remove=job.sources)
        return
    damaged: list[tuple[OpenBlock, DamageError]] = []
    entry = write_merged(
        Target(job.retention, job.step_s, first, end, compress=True),
        series,
        [_reader(b, damaged) for b in sources],
        kinds,
        blocks,
        files,
    )
    if damaged:
        # Nothing was replaced: the damaged block is set aside, and the rest is planned anew without it.
        blocks.discard([entry])
        for block, cause in {b.entry.number: (b, c) for b, c in damaged}.values():
            blocks.set_aside(block.entry, cause)
    elif job.rolls:
        blocks.change(add=[entry, *(msgspec.structs.replace(e, rolled=True) for e in job.sources)])
    else:
        rolled = job.sources[0].rolled
        blocks.change(add=[msgspec.structs.replace(entry, rolled=rolled)], remove=job.sources)


def _all_whole(sources: Sequence[OpenBlock], blocks: BlockSet) -> bool:
    """Whether sources still match their checksums: what changed since a reader verified it must not get a new one."""
    for source in sources:
        try:
            source.block.verify()
        except DamageError as error:
            blocks.set_aside(source.entry, error)
            return False
    return True


def _reader(source: OpenBlock, damaged: list[tuple[OpenBlock, DamageError]]) -> Select:
    def select(ids: NDArray[np.int32]) -> list[Tally]:
        try:
            return source.block.tallies(ids, keep=False)
        except DamageError as error:
            damaged.append((source, error))
            return []

    return select


def _merges(entries: Sequence[BlockEntry], now_s: float) -> Iterator[Job]:
    groups: dict[tuple[str, int, int, bool], list[BlockEntry]] = {}
    for entry in entries:
        key = (entry.retention, entry.step_s, window_of(entry.start_s, entry.step_s), entry.rolled)
        groups.setdefault(key, []).append(entry)
    for (text, step_s, window, _), group in groups.items():
        over = (window + 1) * step_s * SLOTS_PER_BLOCK + GRACE_S <= now_s
        if len(group) >= _RAW_BLOCKS_MAX or (over and (len(group) > 1 or not group[0].compressed)):
            yield Job(tuple(sorted(group, key=lambda e: e.number)), Retention.parse(text), step_s)


def _rolls(entries: Sequence[BlockEntry], now_s: float) -> Iterator[Job]:
    groups: dict[tuple[str, int, int, int], list[BlockEntry]] = {}
    for entry in entries:
        _, coarser = _resolutions(entry)
        if coarser is not None and not entry.rolled:
            key = (entry.retention, entry.step_s, coarser.step_s, window_of(entry.start_s, coarser.step_s))
            groups.setdefault(key, []).append(entry)
    for (text, _, coarse_step_s, window), group in groups.items():
        resolution, _ = _resolutions(group[0])
        over = (window + 1) * coarse_step_s * SLOTS_PER_BLOCK + GRACE_S <= now_s
        due = [e for e in group if over or now_s - e.end_s > resolution.keep_s / 2]
        if due:
            yield Job(tuple(sorted(due, key=lambda e: e.number)), Retention.parse(text), coarse_step_s)


def _resolutions(entry: BlockEntry) -> tuple[Resolution, Resolution | None]:
    """The resolution of a block and the next coarser one of its retention."""
    return _resolutions_of(entry.retention, entry.step_s)


@lru_cache(maxsize=256)
def _resolutions_of(retention: str, step_s: int) -> tuple[Resolution, Resolution | None]:
    resolutions = Retention.parse(retention).resolutions
    k = next(k for k, r in enumerate(resolutions) if r.step_s == step_s)
    return resolutions[k], resolutions[k + 1] if k + 1 < len(resolutions) else None


def rolled_into(entry: BlockEntry, step_s: int) -> bool:
    """Whether a reader of slots of `step_s` finds the content of a block in a coarser one and passes it over."""
    _, coarser = _resolutions(entry)
    return entry.rolled and coarser is not None and step_s % coarser.step_s == 0
