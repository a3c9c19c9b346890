"""Loading: history goes straight into compressed blocks, past the log and the heads.

The slots of a piece are sorted by where they are kept (retention, resolution, window), those that the store has are
left out, and the rest is merged into pages. Pages of several pieces gather in memory, compressed, until they are worth
a block for each window; then the blocks are written and one change of the manifest names them all. So a tree of a
hundred thousand small files becomes a few blocks for each window, and a crash leaves all of a piece or nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Files, bytes_of
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.model.name import is_canonical
from tallystick.model.retention import Retention
from tallystick.model.tally import Tally
from tallystick.store.blocks.anatomy import BlockFooter
from tallystick.store.blocks.arranging import ascending_runs, by_window, in_order, numbered
from tallystick.store.blocks.block_set import BlockSet
from tallystick.store.blocks.block_writer import Pages, write_block
from tallystick.store.blocks.merging import SLOTS_PER_BLOCK, Source, Target, merged_pages, rows_between
from tallystick.store.blocks.row_pages import are_apart, pages_of_rows
from tallystick.store.disk.manifest import BlockEntry
from tallystick.store.history import History, Loaded, Overlap
from tallystick.store.loading.placing import TOO_OLD, places
from tallystick.store.loading.presence import Filled, filled_by_blocks, filled_by_tallies, present
from tallystick.store.loading.usable import usable_rows
from tallystick.store.names.catalog import SeriesCatalog
from tallystick.store.reading.reader import Sources
from tallystick.store.rules.retentions import Retentions

GATHERED_BYTES_MAX = 128 << 20
"""Pages of so many bytes wait in memory before they are written as blocks."""


class Loadable(Protocol):
    """What loading needs of a store."""

    @property
    def block_set(self) -> BlockSet: ...

    @property
    def catalog(self) -> SeriesCatalog: ...

    @property
    def files(self) -> Files: ...

    @property
    def retentions(self) -> Retentions: ...

    def create(self, names: Sequence[str], kinds: Sequence[Kind] | NDArray[np.uint8]) -> NDArray[np.int32]:
        """Ids of series, made where they are new."""
        ...

    def sources(self) -> Sources:
        """All that the store has, at one moment."""
        ...

    def sync_definitions(self) -> None:
        """Wait until the definitions of all series are on disk."""
        ...


@dataclass(frozen=True, slots=True)
class _Window:
    """Where pages go: one window of one resolution."""

    retention: Retention
    place: int
    number: int

    @property
    def step_s(self) -> int:
        return self.retention.resolutions[self.place].step_s

    @property
    def start_s(self) -> int:
        return self.number * SLOTS_PER_BLOCK * self.step_s

    @property
    def end_s(self) -> int:
        return (self.number + 1) * SLOTS_PER_BLOCK * self.step_s

    @property
    def target(self) -> Target:
        first = self.number * SLOTS_PER_BLOCK
        return Target(self.retention, self.step_s, first, first + SLOTS_PER_BLOCK, compress=True)


class Loading:
    """One import into an embedded store; what is there is looked at as it was when a piece came.

    Parameters
    ----------
    store
        Nothing else changes its blocks meanwhile.
    now_s
        Epoch seconds, by which slots are old or lie ahead.
    future_limit_s
        Slots that begin further ahead are not taken.
    """

    def __init__(self, store: Loadable, overlap: Overlap, now_s: float, future_limit_s: int) -> None:
        self._store = store
        self._overlap = overlap
        self._now_s = int(now_s)
        self._future_limit_s = future_limit_s
        self._gathered: dict[_Window, list[Pages]] = {}
        self._gathered_bytes = 0
        self._spans: dict[_Window, tuple[int, int]] = {}  # from the first to the end of the last slot, epoch seconds
        self._own: set[int] = set()  # blocks of this import: its own pieces do not shut each other out

    def add(self, history: History) -> Loaded:
        """Take a piece; what it says was taken is on disk after `finish`.

        Raises
        ------
        StoreError
            If the disk takes nothing at present.
        """
        in_time, out_of_time = self._in_time(history)
        rows, refused = self._usable(history, in_time)
        loaded = Loaded(out_of_time=out_of_time, refused=refused)
        if len(rows):
            for retention, mine in self._store.retentions.by_retention(rows.series):
                loaded += self._add(retention, rows if mine.all() else rows.take(np.flatnonzero(mine)))
        if self._gathered_bytes > GATHERED_BYTES_MAX:
            self.finish()
        return loaded

    def finish(self) -> None:
        """Write what was gathered; it is on disk when this returns.

        Raises
        ------
        StoreError
            If the disk takes nothing at present; nothing that was gathered since the last time was taken.
        """
        gathered, self._gathered, self._gathered_bytes = self._gathered, {}, 0
        spans, self._spans = self._spans, {}
        if not gathered:
            return
        entries: list[BlockEntry] = []
        try:
            for window, batches in gathered.items():
                entries += [self._write(window, spans[window], run) for run in ascending_runs(batches)]
            self._store.sync_definitions()  # a block must not name a series that a crash can still lose
            self._store.block_set.change(add=entries)
        except OSError as error:
            self._store.block_set.discard(entries)
            raise StoreError(f"cannot take history: {error.strerror or error}; nothing of it was taken") from error
        except StoreError:
            self._store.block_set.discard(entries)
            raise
        self._own.update(entry.number for entry in entries)

    def _in_time(self, history: History) -> tuple[NDArray[np.bool_], int]:
        """Which rows are neither older than anything is kept nor too far ahead, and how many are not."""
        tally = history.tally
        keep_s = max(retention.keep_s for retention in self._store.retentions.all)
        oldest = -(-(self._now_s - keep_s) // tally.step_s) - 1
        newest = (self._now_s + self._future_limit_s) // tally.step_s
        kept = (tally.slot >= max(oldest, 0)) & (tally.slot <= newest)
        return kept, len(tally) - int(kept.sum())

    def _usable(self, history: History, in_time: NDArray[np.bool_]) -> tuple[Tally, int]:
        """Rows under the ids of their series, by series and slot, and how many of those in time are of no use."""
        tally = history.tally
        sound = in_time & usable_rows(history)
        ids = self._ids(history, _used(tally.series[sound], len(history.names)))
        series = ids[tally.series] if len(ids) else np.empty(0, np.int32)
        usable = sound & (series >= 0)
        refused = int(in_time.sum()) - int(usable.sum())
        if usable.all():
            rows = Tally(tally.step_s, series, tally.slot, tally.last, tally.spread, tally.histograms, tally.sketches)
        else:
            kept = np.flatnonzero(usable)
            rows = tally.take(kept, series[kept])
        return in_order(rows), refused

    def _ids(self, history: History, wanted: NDArray[np.intp]) -> NDArray[np.int32]:
        """The id of each name; -1 where it is not wanted, is no canonical name or has another kind."""
        ids = np.full(len(history.names), -1, np.int32)
        good = [k for k in wanted.tolist() if is_canonical(history.names[k])]
        if good:
            ids[good] = self._store.create([history.names[k] for k in good], [history.kinds[k] for k in good])
        return ids

    def _add(self, retention: Retention, rows: Tally) -> Loaded:
        """Take rows of series of one retention."""
        age_s = self._now_s - (np.asarray(rows.slot) + 1) * rows.step_s
        place = places(retention, rows.step_s, age_s)
        loaded = Loaded(out_of_time=int((place == TOO_OLD).sum()))
        kinds = self._store.catalog.kinds_by_id()
        sources = self._store.sources()
        for k in range(len(retention.resolutions)):
            mine = place == k
            if not mine.any():
                continue
            part = rows if mine.all() else rows.take(np.flatnonzero(mine))
            for number, piece in by_window(part, retention.resolutions[k].step_s):
                loaded += self._gather(_Window(retention, k, number), piece, kinds, sources)
        return loaded

    def _gather(self, window: _Window, rows: Tally, kinds: NDArray[np.uint8], sources: Sources) -> Loaded:
        """Make pages of the rows of one window."""
        n = len(rows)
        if self._overlap is Overlap.SKIP:
            rows = self._without_present(window, rows, sources)
        if len(rows):
            self._spans[window] = _span(window, rows, self._spans.get(window))
            for pages in _pages(window.target, rows, kinds):
                self._gathered.setdefault(window, []).append(pages)
                self._gathered_bytes += bytes_of(pages.data).nbytes
        return Loaded(taken=len(rows), present=n - len(rows))

    def _without_present(self, window: _Window, rows: Tally, sources: Sources) -> Tally:
        ids, row = numbered(rows.series)
        filled = self._filled(window, ids, sources)
        if not filled:
            return rows
        slot = np.asarray(rows.slot) * rows.step_s // window.step_s
        there = present(filled, row, slot, window.step_s)
        return rows.take(np.flatnonzero(~there)) if there.any() else rows

    def _filled(self, window: _Window, ids: NDArray[np.int32], sources: Sources) -> list[Filled]:
        blocks = [b for b in sources.blocks if b.entry.number not in self._own]
        found = filled_by_blocks(
            blocks, ids, window.start_s, window.end_s, window.step_s, self._store.block_set.set_aside
        )
        tallies = [t.of_series(ids) for t in sources.frozen if window.step_s % t.step_s == 0]
        for head in sources.heads:
            if window.step_s % head.step_s == 0:
                first, end = window.start_s // head.step_s, window.end_s // head.step_s
                tallies += head.of_series(ids, first, end, histograms=False)
        return found + filled_by_tallies(tallies)

    def _write(self, window: _Window, span_s: tuple[int, int], batches: list[Pages]) -> BlockEntry:
        number, path = self._store.block_set.next_path()
        target = window.target
        footer = BlockFooter(1, str(target.retention), target.step_s, target.first, SLOTS_PER_BLOCK)
        n_series, file_bytes = write_block(path, footer, batches, self._store.files)
        return BlockEntry(
            number,
            str(target.retention),
            target.step_s,
            *span_s,  # no more than there is: where a coarse block is, readers look for nothing finer
            n_series,
            file_bytes,
            compressed=True,
            primary=window.place > 0,
        )


def _span(window: _Window, rows: Tally, before: tuple[int, int] | None) -> tuple[int, int]:
    """The seconds from the first to the end of the last slot of a window that rows fall in, and those before them."""
    first = int(rows.slot.min()) * rows.step_s // window.step_s * window.step_s
    end = int(rows.slot.max()) * rows.step_s // window.step_s * window.step_s + window.step_s
    return (first, end) if before is None else (min(first, before[0]), max(end, before[1]))


def _used(positions: NDArray[np.int32], below: int) -> NDArray[np.intp]:
    """Which positions occur."""
    used = np.zeros(below, np.bool_)
    used[positions] = True
    return np.flatnonzero(used)


def _pages(target: Target, rows: Tally, kinds: NDArray[np.uint8]) -> Iterable[Pages]:
    if are_apart(rows, target.step_s):
        return [pages_of_rows(rows, target.first, compress=True)]
    ids, row = numbered(rows.series)
    source = Source(lambda some: [rows_between(rows, some)], lambda _: np.bincount(row))
    return merged_pages(target, ids, [source], kinds)
