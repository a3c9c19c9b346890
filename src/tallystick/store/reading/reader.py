"""Reading: what the blocks and the head hold of some series, merged into matrices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import DamageError
from tallystick.model.kind import Kind
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.model.tally import Tally
from tallystick.store.accumulator import Accumulator
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.disk.manifest import BlockEntry
from tallystick.store.head.head import Head, select_series, write_last
from tallystick.store.rules.kept import rolled_into

_LAST = STATISTICS.index(Statistic.LAST)
Matrices = dict[Statistic, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Range:
    """The slots to read: ``[first, end)`` of `step_s` seconds."""

    first: int
    end: int
    step_s: int

    @property
    def width(self) -> int:
        """Number of slots."""
        return self.end - self.first


@dataclass(frozen=True, slots=True)
class Sources:
    """All that a read merges, in the order of arrival: blocks, heads being sealed, heads.

    Taken at one moment, so that every sample is in exactly one of them.
    """

    blocks: tuple[OpenBlock, ...]
    frozen: tuple[Tally, ...]
    heads: tuple[Head, ...]


class Aside(Protocol):
    """Who is told of damaged blocks."""

    def set_aside(self, entry: BlockEntry, cause: DamageError) -> None:
        """Serve a block no longer."""
        ...


class Reader:
    """Merges `Sources` for one range of slots.

    Parameters
    ----------
    ids : int32[n]
        Ascending, each once.
    kinds : uint8[n]
        Their kinds.
    defaults : uint8[n]
        Which of `STATISTICS` is the value of each at `wanted.step_s`.
    """

    def __init__(
        self,
        sources: Sources,
        aside: Aside,
        ids: NDArray[np.int32],
        kinds: NDArray[np.uint8],
        defaults: NDArray[np.uint8],
        wanted: Range,
    ) -> None:
        self._sources = sources
        self._aside = aside
        self._ids = ids
        self._kinds = kinds
        self._defaults = defaults
        self._wanted = wanted

    def read(self, statistics: Sequence[Statistic]) -> Matrices:
        """A matrix float64[n, width] for each statistic."""
        if self._only_last(statistics):
            values = self._read_last()
            return dict.fromkeys(statistics, values)
        cells = self._accumulate(histograms=False)
        return {s: self._default(cells) if s is Statistic.DEFAULT else cells.statistic(s) for s in statistics}

    def percentiles(self, ranks: Sequence[float]) -> dict[float, NDArray[np.float64]]:
        """A matrix float64[n, width] for each rank of 0 to 100."""
        return self._accumulate(histograms=True).percentiles(list(ranks))

    def tally(self) -> Tally:
        """All statistics of all slots; ``series`` are positions in the ids."""
        return self._accumulate(histograms=bool((self._kinds == Kind.TIMING).any())).tally()

    def _only_last(self, statistics: Sequence[Statistic]) -> bool:
        wanted = set(statistics)
        if wanted <= {Statistic.LAST}:
            return True
        if not wanted <= {Statistic.LAST, Statistic.DEFAULT}:
            return False
        return bool((self._defaults == _LAST).all())

    def _read_last(self) -> NDArray[np.float64]:
        """The last values, written straight into the matrix where slots are as fine as the step wanted."""
        if (self._kinds == Kind.SET).any():
            return self._accumulate(histograms=False).statistic(Statistic.LAST)
        wanted = self._wanted
        blocks = self._blocks()
        if any(b.entry.step_s != wanted.step_s for b in blocks) or any(
            h.step_s != wanted.step_s for h in self._sources.heads
        ):
            cells = Accumulator(len(self._ids), wanted.first, wanted.width, wanted.step_s, spreads=False)
            for tally in self._tallies(blocks, histograms=False):
                cells.add(tally, tally.series)
            return cells.last
        values = np.full((len(self._ids), wanted.width), np.nan)
        for block in blocks:
            try:
                block.block.last_into(self._ids, wanted.first, values)
            except DamageError as error:
                self._aside.set_aside(block.entry, error)
        # Of slots that came in several pieces the last assignment stays: the piece that arrived last.
        write_last([t for t in self._sources.frozen if t.step_s == wanted.step_s], self._ids, wanted.first, values)
        for head in self._sources.heads:
            head.last_into(self._ids, wanted.first, values)
        return values

    def _accumulate(self, *, histograms: bool) -> Accumulator:
        wanted = self._wanted
        cells = Accumulator(len(self._ids), wanted.first, wanted.width, wanted.step_s, histograms=histograms)
        timing = self._kinds == Kind.TIMING
        for tally in self._tallies(self._blocks(), histograms=histograms):
            cells.add(tally, tally.series, timing)
        return cells

    def _tallies(self, blocks: Sequence[OpenBlock], *, histograms: bool) -> list[Tally]:
        found: list[Tally] = []
        for block in blocks:
            try:
                found += block.block.tallies(self._ids)
            except DamageError as error:
                self._aside.set_aside(block.entry, error)
        found += select_series([t for t in self._sources.frozen if self._usable(t.step_s)], self._ids)
        for head in self._sources.heads:
            if self._usable(head.step_s):
                first = self._wanted.first * self._wanted.step_s // head.step_s
                end = self._wanted.end * self._wanted.step_s // head.step_s
                found += head.of_series(self._ids, first, end, histograms=histograms)
        return found

    def _blocks(self) -> list[OpenBlock]:
        """The blocks that hold part of the answer, each sample in exactly one."""
        start_s, end_s = self._wanted.first * self._wanted.step_s, self._wanted.end * self._wanted.step_s
        return [
            b
            for b in self._sources.blocks
            if b.entry.start_s < end_s
            and b.entry.end_s > start_s
            and self._usable(b.entry.step_s)
            and not rolled_into(b.entry, self._wanted.step_s)
        ]

    def _usable(self, step_s: int) -> bool:
        return self._wanted.step_s % step_s == 0

    def _default(self, cells: Accumulator) -> NDArray[np.float64]:
        values = np.empty((len(self._ids), self._wanted.width))
        for k in np.unique(self._defaults).tolist():
            rows = self._defaults == k
            values[rows] = cells.statistic(STATISTICS[k])[rows]
        return values
