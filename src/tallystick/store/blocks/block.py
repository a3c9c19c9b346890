"""Reading a block: an immutable file with the slots of many series in one range of time.

The file is mapped into memory. Checksums cover extents of 16 KiB of the pages; an extent is verified before the first
read that touches it. What is read for the first time is read as a file, not through the map: there a sector that the
disk cannot read would end the process, here it is an error. Layout: ``docs/internals/format.md``.
"""

import mmap
import os
import struct
import threading
import weakref
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Files, read_twice
from tallystick.kernels.page import (
    CODED,
    HEADER_BYTES,
    HISTOGRAM,
    SKETCH,
    SLOT_LIST,
    SPREAD,
    count_rows,
    last_into,
    read_singles,
    read_slots,
    read_spreads,
)
from tallystick.model.errors import DamageError
from tallystick.model.kind import Kind
from tallystick.model.tally import Histograms, Sketches, Spread, Tally, offsets
from tallystick.store.blocks.anatomy import EXTENT_BYTES, MAGIC, PAGE_UNIT_BYTES, check_extent, examine, unreadable
from tallystick.store.blocks.decoded import DecodedCache, DecodedPages
from tallystick.store.blocks.page import PageColumns, copy_last, decode_last, decode_page

_PAGE_HEAD = struct.Struct("<BBH")


class Block:
    """A block open for reading.

    Raises
    ------
    DamageError
        When opened, if the footer or the index does not match its checksum; when read, if a page does not.
    UnreadableError
        The same, if the disk cannot read them.
    """

    def __init__(self, path: Path, cache: DecodedCache | None = None, files: Files | None = None) -> None:
        self.path = path
        self._cache = cache or DecodedCache()
        self._files = files or Files()
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)
        size = os.fstat(self._descriptor).st_size
        self._anatomy = examine(path, size, self._read)
        self.footer = self._anatomy.footer
        self._map = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ)
        whole = memoryview(self._map)
        n, extents, at = self.footer.series, len(self._anatomy.sums), self._anatomy.index_at
        self._pages = whole[len(MAGIC) : at]
        self._data = np.frombuffer(self._pages, np.uint8)
        begin_at = at + 8 * extents
        self._units = np.frombuffer(whole, "<u4", n + 1, begin_at)
        self.series: NDArray[np.int32] = np.frombuffer(whole, "<i4", n, begin_at + 4 * (n + 1))
        self._verified = np.zeros(extents, np.bool_)
        self._lock = threading.Lock()

    @property
    def step_s(self) -> int:
        """Seconds that a slot lasts."""
        return self.footer.step_s

    def last_into(self, ids: NDArray[np.int32], first: int, values: NDArray[np.float64]) -> None:
        """Write the last values of slots into ``values[series, slot - first]``; cells without a slot stay.

        The fast way of reading gauges at the finest step: no rows are made, pages go straight into the matrix.
        """
        shift = self.footer.start_slot - first
        if len(ids) <= _FEW:
            for k, row in zip(self._places(ids), values, strict=True):
                if k >= 0:
                    copy_last(self._page(k), shift, row)
            return
        page, where = self._find(ids)
        if len(page):
            at, decoded = self._decoded(page, keep=True)
            last_into(self._data, self._begin(page), at, decoded, where, shift, values)

    def tallies(self, ids: NDArray[np.int32], *, keep: bool = True) -> list[Tally]:
        """All slots of some series; ``series`` of the result are positions in `ids`.

        Parameters
        ----------
        ids : int32[n]
            Ascending.
        keep
            Keep decoded columns for the next read; not for whoever reads each page once.
        """
        if len(ids) <= _FEW:
            return self._coded_tallies(
                [(row, decode_page(self._page(k))) for row, k in enumerate(self._places(ids)) if k >= 0]
            )
        page, where = self._find(ids)
        flags = self._data[self._begin(page)]
        plain = flags & (SPREAD | HISTOGRAM | SKETCH) == 0
        raw = (flags & (SPREAD | CODED)) == SPREAD
        rest = np.flatnonzero(~plain & ~raw).tolist()
        found = []
        if plain.any():
            found.append(self._singles(page[plain], where[plain], keep=keep))
        if raw.any():
            found.append(self._raw_spreads(page[raw], where[raw]))
        return found + self._coded_tallies([(int(where[k]), decode_page(self._page(int(page[k])))) for k in rest])

    def slots(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Which slots of some series (ids ascending) are filled: position in `ids` and number of each; no decoding."""
        page, where = self._find(ids)
        offset = self._begin(page)
        n = count_rows(self._data, offset)
        row, slot = np.empty(n, np.int32), np.empty(n, np.int64)
        read_slots(self._data, offset, where, row, slot)
        return row, slot + self.footer.start_slot

    def damaged_extents(self) -> list[int]:
        """Numbers of the extents that do not match their checksums."""
        found = []
        for extent in range(len(self._verified)):
            try:
                self._verify_extent(extent)
            except DamageError:
                found.append(extent)
        return found

    def page_heads(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Of each page: its series, position, size in bytes, flags and number of rows; nothing is verified."""
        for k, (begin, end) in enumerate(pairwise(self._begin(np.arange(len(self._units))).tolist())):
            flags, _, rows = _PAGE_HEAD.unpack_from(self._pages, begin)
            yield int(self.series[k]), begin, end - begin, flags, rows

    def last_slots(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The start in epoch seconds of the last slot of those `ids` (ascending) that are here; their positions first.

        Raises
        ------
        DamageError
            If a page does not match its checksum.
        """
        page, where = self._find(ids)
        begin = self._begin(page)
        rows, first, stride = (self._u16(begin + at) for at in (2, 4, 6))
        last = first + (rows - 1) * stride
        listed = self._data[begin] & SLOT_LIST != 0
        last[listed] = self._u16(begin[listed] + HEADER_BYTES + 2 * (rows[listed] - 1))
        return where, (last + self.footer.start_slot) * self.step_s

    def kinds_of(self, ids: NDArray[np.int32]) -> list[Kind]:
        """What pages tell of the kinds of some of its series (ascending); they look like gauges if nothing.

        Raises
        ------
        DamageError
            If a page does not match its checksum.
        """
        page, _ = self._find(ids)
        told = {HISTOGRAM: Kind.TIMING, SKETCH: Kind.SET}
        return [told.get(flags & (HISTOGRAM | SKETCH), Kind.GAUGE) for flags in self._data[self._begin(page)].tolist()]

    def rows_of(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """How many slots of each of some series (ids ascending) there are.

        Raises
        ------
        DamageError
            If a page does not match its checksum.
        """
        page, where = self._find(ids)
        rows = np.zeros(len(ids), np.int64)
        rows[where] = self._u16(self._begin(page) + 2)
        return rows

    def count_rows(self) -> int:
        """How many slots of how many series there are, all together; every page is read."""
        self.verify()
        return count_rows(self._data, self._begin(np.arange(len(self.series))))

    def holds(self, ids: NDArray[np.int32]) -> NDArray[np.bool_]:
        """For each id, ascending or not, whether the block has slots of that series."""
        if not len(self.series):
            return np.zeros(len(ids), np.bool_)
        page = np.searchsorted(self.series, ids)
        page[page == len(self.series)] = 0
        found: NDArray[np.bool_] = self.series[page] == ids
        return found

    def verify(self) -> None:
        """Read and check all pages.

        Raises
        ------
        DamageError
            If an extent does not match its checksum; the text says which.
        """
        for extent in range(len(self._verified)):
            self._verify_extent(extent)

    def _u16(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of two bytes at some places of the pages."""
        return self._data[at].astype(np.int64) | self._data[at + 1].astype(np.int64) << 8

    def _places(self, ids: NDArray[np.int32]) -> list[int]:
        """The page of each of a few series, -1 where there is none: decoded anew, they cost less than to look up."""
        found = zip(ids.tolist(), self.series.searchsorted(ids).tolist(), strict=True)
        return [k if k < len(self.series) and self.series[k] == series else -1 for series, k in found]

    def _begin(self, page: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where pages begin."""
        return self._units[page].astype(np.int64) * PAGE_UNIT_BYTES

    def _find(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Verified pages of those `ids` that the block has, and the positions of these in `ids`."""
        page = np.searchsorted(self.series, ids)
        page[page == len(self.series)] = 0
        where = np.flatnonzero(self.series[page] == ids) if len(self.series) else np.empty(0, np.int64)
        page = page[where]
        self._verify_pages(page)
        return page, where.astype(np.int32)

    def _decoded(self, page: NDArray[np.int64], *, keep: bool) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The last values of coded pages, decoded, and where in them those of each page begin; -1 for others."""
        at = np.full(len(page), -1, np.int64)
        coded = np.flatnonzero(self._data[self._begin(page)] & CODED)
        if not len(coded):
            return at, _NO_WEIGHTS
        pages = self._cache.of_block(self.path.name, len(self.series)) if keep else DecodedPages(len(self.series))
        at[coded], values = pages.of(page[coded], lambda k: decode_last(self._page(k)))
        return at, values

    def _page(self, k: int) -> memoryview:
        begin, end = int(self._units[k]) * PAGE_UNIT_BYTES, int(self._units[k + 1]) * PAGE_UNIT_BYTES
        for extent in range(begin // EXTENT_BYTES, -(-end // EXTENT_BYTES)):
            if not self._verified[extent]:
                self._verify_extent(extent)
        return self._pages[begin:end]

    def _verify_pages(self, page: NDArray[np.int64]) -> None:
        """Verify the extents that pages lie in, unless they are."""
        low = self._begin(page) // EXTENT_BYTES
        high = (self._begin(page + 1) - 1) // EXTENT_BYTES
        unverified = np.flatnonzero(~(self._verified[low] & self._verified[high]) | (high - low > 1))
        for k in unverified.tolist():
            self._page(int(page[k]))

    def _verify_extent(self, extent: int) -> None:
        at, size = self._anatomy.extent(extent)
        try:
            data = self._read(at, size)
        except OSError as error:
            raise unreadable(self.path, error) from error
        check_extent(self.path, self._anatomy, extent, data)
        with self._lock:
            self._verified[extent] = True

    def _read(self, at: int, size: int) -> bytes:
        return read_twice(self._files.read, self._descriptor, at, size)

    def _singles(self, page: NDArray[np.int64], where: NDArray[np.int32], *, keep: bool) -> Tally:
        at, decoded = self._decoded(page, keep=keep)
        offset = self._begin(page)
        n = count_rows(self._data, offset)
        row, slot, last = np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n)
        read_singles(self._data, offset, at, decoded, where, row, slot, last)
        return Tally(self.step_s, row, slot + self.footer.start_slot, last)

    def _raw_spreads(self, page: NDArray[np.int64], where: NDArray[np.int32]) -> Tally:
        offset = self._begin(page)
        n = count_rows(self._data, offset)
        row, slot, columns = np.empty(n, np.int32), np.empty(n, np.int64), np.empty((6, n))
        read_spreads(self._data, offset, where, row, slot, columns)
        return Tally(self.step_s, row, slot + self.footer.start_slot, columns[0], Spread(*columns[1:]))

    def _coded_tallies(self, pages: list[tuple[int, PageColumns]]) -> list[Tally]:
        singles = [(row, p) for row, p in pages if p.spread is None]
        fulls = [(row, p) for row, p in pages if p.spread is not None]
        return [self._joined(part) for part in (singles, fulls) if part]

    def _joined(self, pages: list[tuple[int, PageColumns]]) -> Tally:
        lengths = [len(p.offset) for _, p in pages]
        series = np.repeat(np.array([row for row, _ in pages], np.int32), lengths)
        slot = np.concatenate([p.offset for _, p in pages]).astype(np.int64) + self.footer.start_slot
        last = np.concatenate([p.last for _, p in pages])
        spreads = [p.spread for _, p in pages if p.spread is not None]
        spread = Spread(*np.concatenate(spreads, axis=1)) if spreads else None
        histograms = sketches = None
        if any(p.histogram for _, p in pages):
            h = [
                p.histogram or (np.zeros(n, np.uint32), _NO_BUCKETS, _NO_WEIGHTS) for n, (_, p) in _zip(lengths, pages)
            ]
            histograms = Histograms(
                offsets(np.concatenate([x[0] for x in h]).astype(np.int64)),
                np.concatenate([x[1] for x in h]),
                np.concatenate([x[2] for x in h]),
            )
        if any(p.sketch for _, p in pages):
            s = [p.sketch or (np.zeros(n, np.uint32), _NO_BYTES) for n, (_, p) in _zip(lengths, pages)]
            sketches = Sketches(
                offsets(np.concatenate([x[0] for x in s]).astype(np.int64)), np.concatenate([x[1] for x in s])
            )
        return Tally(self.step_s, series, slot, last, spread, histograms, sketches)


_FEW = 4
"""So many series are read one by one; more are worth the bookkeeping of doing it at once."""
_NO_BUCKETS = np.empty(0, np.int32)
_NO_WEIGHTS = np.empty(0)
_NO_BYTES = np.empty(0, np.uint8)


def _zip(lengths: list[int], pages: list[tuple[int, PageColumns]]) -> "zip[tuple[int, tuple[int, PageColumns]]]":
    return zip(lengths, pages, strict=True)
