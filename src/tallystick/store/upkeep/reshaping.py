"""Re-shaping: what is stored follows the rules when these change, or when a series gets another name.

A change of the rules makes every block *stale*. Then, each step one change of the manifest:

- *Settle*: a stale block whose series are all kept alike gets that retention as its label; nothing is written.
- *Split*: one whose series are kept by several becomes a block for each of these.
- *Fold*: slots of a step that the new retention has not are merged into the next coarser one that they fit, and those
  that a coarser block holds as well just go. Slots that fit nowhere stay what they are, as long as anything is kept.

A block of which finer slots are asked for than there are left becomes *primary*: readers then take the coarser step.

Finer blocks say which coarser step holds their content too (`rolled_into_s`), so all blocks of one step in one window
are folded together, and that of the finer ones changes with them: at every moment each sample counts once at each step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.files import Files
from tallystick.model.retention import Retention
from tallystick.store.blocks.arranging import union
from tallystick.store.blocks.block_set import BlockSet, OpenBlock
from tallystick.store.blocks.merging import SLOTS_PER_BLOCK, Target, window_of, write_merged
from tallystick.store.disk.manifest import BlockEntry
from tallystick.store.rules.kept import is_own_step, resolutions
from tallystick.store.rules.retentions import Retentions
from tallystick.store.upkeep.compaction import Damaged, all_whole


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks of a step that their retention has not, to become blocks of `step_s`.

    Parameters
    ----------
    sources
        All there are of one step, retention and window.
    changed
        Blocks of which something else is true then: finer ones whose content the sources hold as well, and coarser
        ones that are the only ones to hold it.
    """

    sources: tuple[BlockEntry, ...]
    changed: tuple[BlockEntry, ...]
    step_s: int


def settle(blocks: BlockSet, retentions: Retentions, living: NDArray[np.bool_], now_s: float) -> list[OpenBlock]:
    """Say how the series of stale blocks are kept now, where that needs no writing; return the blocks that do.

    Parameters
    ----------
    living : bool[ids]
        Whether there is a series of each id.
    """
    settled: list[BlockEntry] = []
    rest: list[OpenBlock] = []
    for open_block in blocks.snapshot():
        entry = open_block.entry
        if not entry.stale:
            continue
        series = open_block.block.series
        kept = [retentions.all[k] for k in np.unique(retentions.of(series[living[series]])).tolist()]
        pieces = [piece for retention in kept for piece in _pieces(entry, retention, now_s)]
        if len(pieces) == 1:
            settled.append(pieces[0].label(entry))
        else:
            rest.append(open_block)
    if settled:
        blocks.change(add=settled)
    return rest


def split(
    source: OpenBlock,
    retentions: Retentions,
    now_s: float,
    kinds: NDArray[np.uint8],
    living: NDArray[np.bool_],
    blocks: BlockSet,
    files: Files,
) -> None:
    """Write a block for each retention that series of a stale one have now."""
    entry, series = source.entry, source.block.series
    if not all_whole([source], blocks):
        return
    series = series[living[series]]
    of = retentions.of(series)
    damaged = Damaged()
    written: list[BlockEntry] = []
    for k in np.unique(of).tolist():
        for piece in _pieces(entry, retentions.all[k], now_s):
            target = Target(piece.retention, entry.step_s, piece.first, piece.end, compress=entry.compressed)
            new = write_merged(target, series[of == k], [damaged.reader(source)], kinds, blocks, files)
            written.append(msgspec.structs.replace(new, rolled_into_s=entry.rolled_into_s, primary=piece.primary))
    if not damaged.set_aside(blocks, written):
        there = [new for new in written if new.series]
        blocks.discard([new for new in written if not new.series])
        blocks.change(add=there, remove=[entry])


def plan(readable: Sequence[BlockEntry], entries: Sequence[BlockEntry]) -> Fold | None:
    """The next blocks to fold, or None. Not while blocks are stale: what they hold is not known to be elsewhere.

    Parameters
    ----------
    readable
        The blocks that the disk can read at present.
    entries
        All blocks.
    """
    if any(entry.stale for entry in entries):
        return None
    there = {entry.number for entry in readable}
    return next((fold for fold in _folds(entries) if there.issuperset(e.number for e in fold.sources)), None)


def run(fold: Fold, kinds: NDArray[np.uint8], living: NDArray[np.bool_], blocks: BlockSet, files: Files) -> None:
    """Fold: write the coarser blocks, then replace the manifest."""
    numbers = {entry.number for entry in fold.sources}
    if not all_whole([b for b in blocks.snapshot() if b.entry.number in numbers], blocks):
        return
    damaged = Damaged()
    written: list[BlockEntry] = []
    merged = [e for e in fold.sources if not 0 < e.rolled_into_s <= fold.step_s]
    for rolled_into_s, primary in dict.fromkeys((e.rolled_into_s, e.primary) for e in merged):
        alike = {e.number for e in merged if (e.rolled_into_s, e.primary) == (rolled_into_s, primary)}
        sources = [b for b in blocks.snapshot() if b.entry.number in alike]
        first = min(b.entry.start_s for b in sources) // fold.step_s
        end = -(-max(b.entry.end_s for b in sources) // fold.step_s)
        target = Target(Retention.parse(fold.sources[0].retention), fold.step_s, first, end, compress=True)
        series = union([b.block.series for b in sources])
        series = series[living[series]]
        if not len(series):
            continue
        new = write_merged(target, series, [damaged.reader(b) for b in sources], kinds, blocks, files)
        written.append(msgspec.structs.replace(new, rolled_into_s=rolled_into_s, primary=primary))
    if not damaged.set_aside(blocks, written):
        blocks.change(add=[*written, *fold.changed], remove=fold.sources)


@dataclass(frozen=True, slots=True)
class _Piece:
    """The slots ``[first, end)`` of a block, kept by another retention."""

    retention: Retention
    first: int
    end: int
    primary: bool

    def label(self, entry: BlockEntry) -> BlockEntry:
        return msgspec.structs.replace(entry, retention=str(self.retention), primary=self.primary, stale=False)


def _pieces(entry: BlockEntry, retention: Retention, now_s: float) -> list[_Piece]:
    """A block under another retention: one piece, or two where only its older slots are in no finer block."""
    first, end = entry.start_s // entry.step_s, entry.end_s // entry.step_s
    if str(retention) == entry.retention:
        return [_Piece(retention, first, end, entry.primary)]
    middle = min(max(_finer_since(entry, now_s), first), end)
    # What is asked for of the newest slots of a piece is the finest that is asked for of it.
    older = _is_finer(retention, now_s - middle * entry.step_s, entry.step_s)
    if middle == first or not older:
        return [_Piece(retention, first, end, primary=False)]
    pieces = [_Piece(retention, first, middle, primary=True), _Piece(retention, middle, end, primary=False)]
    return [piece for piece in pieces if piece.first < piece.end]


def _finer_since(entry: BlockEntry, now_s: float) -> int:
    """The first slot whose content is in finer blocks too; beyond all slots if there are none."""
    if entry.primary:
        return _NEVER
    finer = [r.keep_s for r in Retention.parse(entry.retention).resolutions if r.step_s < entry.step_s]
    return -int(-(now_s - max(finer)) // entry.step_s) if finer else _NEVER


def _is_finer(retention: Retention, age_s: float, step_s: int) -> bool:
    """Whether readers of what is so old look for slots that those of `step_s` do not fit into."""
    return retention.covering(age_s).step_s % step_s != 0


def _folds(entries: Sequence[BlockEntry]) -> Iterator[Fold]:
    groups: dict[tuple[str, int, int], list[BlockEntry]] = {}
    for entry in entries:
        _, coarser = resolutions(entry)
        if coarser is not None and not is_own_step(entry):
            key = (entry.retention, entry.step_s, window_of(entry.start_s, coarser.step_s))
            groups.setdefault(key, []).append(entry)
    for group in groups.values():
        _, coarser = resolutions(group[0])
        assert coarser is not None
        yield from _fold(group, coarser.step_s, entries)


def _fold(group: list[BlockEntry], step_s: int, entries: Sequence[BlockEntry]) -> Iterator[Fold]:
    """Fold a group into slots of `step_s`, or of a finer step that has part of the group already.

    Then the finer blocks all find their content at that one step. Where steps do not fit, everything stays, and right.
    """
    elsewhere = {e.rolled_into_s for e in group if 0 < e.rolled_into_s < step_s}
    if elsewhere:
        window = window_of(group[0].start_s, group[0].step_s)
        group = [e for e in group if window_of(e.start_s, e.step_s) == window]
        elsewhere = {e.rolled_into_s for e in group if 0 < e.rolled_into_s < step_s}
    target_s = min(elsewhere, default=step_s)
    if any(e.rolled_into_s % target_s for e in group):
        return
    span_s = group[0].step_s * SLOTS_PER_BLOCK
    start_s = min(e.start_s for e in group) // span_s * span_s
    end_s = -(-max(e.end_s for e in group) // span_s) * span_s
    near = [e for e in entries if e.retention == group[0].retention and e.start_s < end_s and e.end_s > start_s]
    finer = [msgspec.structs.replace(e, rolled_into_s=target_s) for e in near if e.rolled_into_s == group[0].step_s]
    # What slots that go now had, coarser ones have alone then: readers must look for no finer ones.
    alone = any(e.rolled_into_s == target_s and (e.primary or target_s != step_s) for e in group)
    coarser = [msgspec.structs.replace(e, primary=True) for e in near if alone and e.step_s == target_s]
    yield Fold(tuple(group), (*finer, *coarser), target_s)


_NEVER = 1 << 62
