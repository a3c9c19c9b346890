"""Writing a block: the merged cells of some series over a range of slots, as one immutable file.

Layout: ``docs/internals/format.md``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.files import Buffer, Files, bytes_of
from tallystick.kernels.page import page_bytes_max, write_raw_pages
from tallystick.model.errors import StoreError
from tallystick.model.tally import Histograms
from tallystick.store.accumulator import Accumulator
from tallystick.store.blocks.anatomy import EXTENT_BYTES, MAGIC, PAGE_UNIT_BYTES, PAGES_BYTES_MAX, TRAILER, BlockFooter
from tallystick.store.blocks.page import COMPRESSED_MIN, PageColumns, encode_page
from tallystick.store.disk.checksum import checksum


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages of ascending series, back to back.

    Parameters
    ----------
    series : int32[n]
    size : int64[n]
        Bytes of each page.
    data
        The bytes.
    """

    series: NDArray[np.int32]
    size: NDArray[np.int64]
    data: Buffer


def pages_of(cells: Accumulator, series: NDArray[np.int32], start_slot: int, *, compress: bool) -> Pages:
    """The pages of an accumulator's rows.

    Parameters
    ----------
    cells
        Row ``i`` is ``series[i]``.
    start_slot
        First slot of the block.
    compress
        Code the columns: ten times smaller, and a hundred times slower to write.
    """
    histograms = cells.merged_histograms()
    sketches = cells.sketches()
    width = cells.last.shape[1]
    filled = np.count_nonzero(cells.cells[:, :, 0], axis=1)
    # A page of few slots gains nothing by compression: it is written raw, with all others of its kind at once.
    by_hand = filled >= COMPRESSED_MIN if compress else np.zeros(len(series), np.bool_)
    by_hand[np.flatnonzero(np.diff(histograms.offset)) // max(width, 1)] = True
    by_hand[[cell // width for cell in sketches]] = True
    first_offset = cells.first - start_slot
    raw = np.empty(page_bytes_max(cells.cells, by_hand), np.uint8)
    size = np.zeros(len(series), np.int64)
    used = write_raw_pages(cells.last, cells.cells, first_offset, by_hand, raw, size)
    if not by_hand.any():
        kept = size > 0
        return Pages(series[kept], size[kept], raw[:used])
    parts: list[Buffer] = []
    ends = np.cumsum(size)
    for i in range(len(series)):
        if not by_hand[i]:
            parts.append(raw[ends[i] - size[i] : ends[i]])
            continue
        page = _columns(cells, i, first_offset, histograms, sketches)
        if page is not None:
            parts.append(encode_page(page))
            size[i] = len(parts[-1])
    kept = size > 0
    return Pages(series[kept], size[kept], b"".join(map(bytes_of, parts)))


def _columns(
    cells: Accumulator, i: int, first_offset: int, histograms: Histograms, sketches: dict[int, bytes]
) -> PageColumns | None:
    """The columns of one row; None if all of its cells are empty."""
    spread = cells.cells[i]
    filled = np.flatnonzero(spread[:, 0])
    if not len(filled):
        return None
    width = cells.last.shape[1]
    offset = (filled + first_offset).astype(np.uint16)
    begin, end = histograms.offset[i * width], histograms.offset[(i + 1) * width]
    several = bool((spread[filled, 0] != 1.0).any())
    histogram = sketch = None
    if end > begin and several:
        lengths = np.diff(histograms.offset[i * width : (i + 1) * width + 1])[filled]
        histogram = lengths.astype(np.uint32), histograms.bucket[begin:end], histograms.weight[begin:end]
    mine = [sketches.get(i * width + int(j), b"") for j in filled] if sketches else []
    if any(mine):
        sketch = np.array([len(s) for s in mine], np.uint32), np.frombuffer(b"".join(mine), np.uint8)
    columns = np.ascontiguousarray(spread[filled].T) if several else None
    return PageColumns(offset, cells.last[i, filled], columns, histogram, sketch)


def write_block(path: Path, footer: BlockFooter, batches: Iterable[Pages], files: Files) -> tuple[int, int]:
    """Write a block whose pages come in batches of ascending series; return its number of series and its bytes.

    The file is there whole or not at all. Memory is that of one batch and of the index.
    """
    series: list[NDArray[np.int32]] = []
    sizes: list[NDArray[np.int64]] = []

    def content() -> Iterator[Buffer]:
        yield MAGIC
        sums = _ExtentSums()
        for batch in batches:
            series.append(batch.series)
            sizes.append(batch.size)
            sums.add(batch.data)
            yield batch.data
        yield from _index(footer, series, sizes, sums.finish())

    file_bytes = files.write_whole(path, content())
    return sum(len(s) for s in series), file_bytes


def _index(
    footer: BlockFooter, series: list[NDArray[np.int32]], sizes: list[NDArray[np.int64]], sums: NDArray[np.uint64]
) -> Iterator[Buffer]:
    ids = np.concatenate(series) if series else np.empty(0, np.int32)
    size = np.concatenate(sizes) if sizes else np.empty(0, np.int64)
    begin = np.concatenate([np.zeros(1, np.int64), np.cumsum(size, dtype=np.int64)])
    if begin[-1] > PAGES_BYTES_MAX:
        raise StoreError(f"cannot write block of {begin[-1]} bytes of pages: expected at most {PAGES_BYTES_MAX}")
    padding = b"\0" * (-4 * (len(begin) + len(ids)) % 8)
    parts: list[Buffer] = [sums, (begin // PAGE_UNIT_BYTES).astype(np.uint32), ids, padding]
    yield from parts
    text = msgspec.json.encode(
        msgspec.structs.replace(
            footer, series=len(ids), page_bytes=int(begin[-1]), index_checksum=f"{checksum(*parts):016x}"
        )
    )
    yield text
    yield TRAILER.pack(len(text), checksum(text), MAGIC)


class _ExtentSums:
    """Checksums of consecutive extents of a stream of bytes."""

    def __init__(self) -> None:
        self._rest = b""
        self._sums: list[int] = []

    def add(self, data: Buffer) -> None:
        view = bytes_of(data)
        if self._rest:
            missing = EXTENT_BYTES - len(self._rest)
            self._rest += bytes(view[:missing])
            view = view[missing:]
            if len(self._rest) < EXTENT_BYTES:
                return
            self._sums.append(checksum(self._rest))
        whole = len(view) - len(view) % EXTENT_BYTES
        self._sums += [checksum(view[at : at + EXTENT_BYTES]) for at in range(0, whole, EXTENT_BYTES)]
        self._rest = bytes(view[whole:])

    def finish(self) -> NDArray[np.uint64]:
        if self._rest:
            self._sums.append(checksum(self._rest))
        return np.array(self._sums, np.uint64)
