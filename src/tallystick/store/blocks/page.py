"""Pages: the slots of one series in a block, with compressed columns.

A page whose columns are all raw is written and read in bulk by `tallystick.kernels.page`; this file has the form with
coded columns, for blocks that are kept long, and for histograms and sketches. Layout: ``docs/internals/format.md``.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, standalone

from tallystick.kernels.differences import SAMPLE, UNCLEAR, clear_order, common_divisor
from tallystick.kernels.page import CODED, HEADER_BYTES, HISTOGRAM, SKETCH, SLOT_LIST, SPREAD
from tallystick.model.errors import DamageError

RAW, PCO, CONSTANT = 0, 1, 2
"""How a column is coded: as it is; by pcodec's standalone format; as one value for all rows."""

_HEAD = struct.Struct("<BBHHH")
_COLUMN = struct.Struct("<BI")
_LEVEL = 4  # 8 takes twice the time and saves nothing on gauges
_D = TypeVar("_D", bound=np.generic)
COMPRESSED_MIN = 16
"""Shorter columns stay raw: pcodec's own header outweighs what it saves."""


@dataclass(frozen=True, slots=True)
class PageColumns:
    """The columns of a page.

    Parameters
    ----------
    offset : uint16[n]
        Slots between the block's start and each row, ascending.
    last : float64[n]
    spread : float64[5, n], optional
        Count, sum, M2, min, max; None where each slot had one sample.
    histogram : tuple of uint32[n], int32[m], float64[m], optional
        Buckets in each row, their numbers and weights.
    sketch : tuple of uint32[n], uint8[m], optional
        Bytes in each row, and the bytes.
    """

    offset: NDArray[np.uint16]
    last: NDArray[np.float64]
    spread: NDArray[np.float64] | None = None
    histogram: tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.float64]] | None = None
    sketch: tuple[NDArray[np.uint32], NDArray[np.uint8]] | None = None


def encode_page(page: PageColumns) -> bytes:
    """The bytes of a page with coded columns, a multiple of 8."""
    n = len(page.offset)
    strides = np.diff(page.offset)
    regular = n < 3 or bool((strides == strides[0]).all())
    flags = CODED | (0 if regular else SLOT_LIST)
    flags |= (page.spread is not None) * SPREAD
    flags |= (page.histogram is not None) * HISTOGRAM | (page.sketch is not None) * SKETCH
    columns = [page.last, *(page.spread if page.spread is not None else ())]
    columns += [*(page.histogram or ()), *(page.sketch or ())]
    body = b"".join(_encode_column(column) for column in columns)
    slots = b"" if regular else _padded(page.offset.astype("<u2").tobytes())
    stride = int(strides[0]) if n > 1 else 1
    padding = -len(body) % 8
    head = _HEAD.pack(flags, 0, n, int(page.offset[0]), stride)
    return b"".join((head, slots, body, b"\0" * padding))


def decode_page(data: memoryview) -> PageColumns:
    """The columns of a page, coded or not.

    Raises
    ------
    DamageError
        If the page contradicts itself (its checksum was right, so a writer was wrong).
    """
    flags, _, n, *_ = _HEAD.unpack_from(data)
    offset = slot_offsets(data).astype(np.uint16)
    reader = _Columns(data, _columns_at(flags, n), bool(flags & CODED))
    last = reader.read(np.float64, n)
    spread = np.stack([reader.read(np.float64, n) for _ in range(5)]) if flags & SPREAD else None
    histogram = sketch = None
    if flags & HISTOGRAM:
        lengths = reader.read(np.uint32, n)
        m = int(lengths.sum())
        histogram = lengths, reader.read(np.int32, m), reader.read(np.float64, m)
    if flags & SKETCH:
        lengths = reader.read(np.uint32, n)
        sketch = lengths, reader.read(np.uint8, int(lengths.sum()))
    return PageColumns(offset, last, spread, histogram, sketch)


def decode_last(data: memoryview) -> NDArray[np.float64]:
    """The last values of a page, without its other columns."""
    flags, _, n, *_ = _HEAD.unpack_from(data)
    return _Columns(data, _columns_at(flags, n), bool(flags & CODED)).read(np.float64, n)


def copy_last(data: memoryview, shift: int, row: NDArray[np.float64]) -> None:
    """Write the last values of a page into ``row[slot offset + shift]``; what falls outside is passed over."""
    flags, _, n, first, stride = _HEAD.unpack_from(data)
    values = decode_last(data)
    if flags & SLOT_LIST:
        column = slot_offsets(data) + shift
        inside = (column >= 0) & (column < len(row))
        row[column[inside]] = values[inside]
        return
    first += shift
    begin, end = max(0, -(first // stride)), min(n, -((first - len(row)) // stride))
    if begin < end:
        row[first + begin * stride : first + (end - 1) * stride + 1 : stride] = values[begin:end]


def slot_offsets(data: memoryview) -> NDArray[np.int64]:
    """Slots between the block's start and each row of a page."""
    flags, _, n, first, stride = _HEAD.unpack_from(data)
    if flags & SLOT_LIST:
        return np.frombuffer(data, "<u2", n, HEADER_BYTES).astype(np.int64)
    return np.arange(first, first + n * stride, stride, dtype=np.int64)


def _columns_at(flags: int, n: int) -> int:
    return HEADER_BYTES + ((2 * n + 7) & ~7 if flags & SLOT_LIST else 0)


class _Columns:
    """Reads the columns of a page, one after the other."""

    def __init__(self, data: memoryview, at: int, coded: bool) -> None:
        self._data, self._at, self._coded = data, at, coded

    def read(self, dtype: type[_D], n: int) -> NDArray[_D]:
        if not self._coded:
            values = np.frombuffer(self._data, dtype, n, self._at)
            self._at += values.nbytes
            return values
        codec, size = _COLUMN.unpack_from(self._data, self._at)
        body = self._data[self._at + _COLUMN.size : self._at + _COLUMN.size + size]
        self._at += _COLUMN.size + size
        if codec == RAW:
            return np.frombuffer(body, dtype, n)
        if codec == CONSTANT:
            return np.repeat(np.frombuffer(body, dtype, 1), n)
        if codec != PCO:
            raise DamageError(f"cannot read column coded as {codec}: expected 0 (raw), 1 (pco) or 2 (constant)")
        decoded: NDArray[_D] | None = standalone.simple_decompress(bytes(body))
        if decoded is None or len(decoded) != n or decoded.dtype != dtype:
            raise DamageError(f"cannot read column: it does not hold {n} values of {np.dtype(dtype)}")
        return decoded


def _encode_column(values: NDArray[np.generic]) -> bytes:
    if len(values) and (values == values[0]).all():
        body, codec = values[:1].tobytes(), CONSTANT
    elif len(values) < COMPRESSED_MIN or values.dtype == np.uint8:
        body, codec = values.tobytes(), RAW
    else:
        body, codec = _compressed(np.ascontiguousarray(values)), PCO
        if len(body) >= values.nbytes:
            body, codec = values.tobytes(), RAW
    return _COLUMN.pack(codec, len(body)) + body


def _compressed(values: NDArray[np.generic]) -> bytes:
    """A column as pcodec's standalone file; what can be seen at a glance it need not find out by trying."""
    numbers = values.astype(np.float64, copy=False)
    unit = common_divisor(numbers) if values.dtype == np.float64 else 0
    compressed: bytes = standalone.simple_compress(values, _config(clear_order(numbers, np.empty(SAMPLE)), unit))
    return compressed


@lru_cache(maxsize=256)
def _config(order: int, unit: int) -> ChunkConfig:
    """How pcodec is to code numbers that are multiples of `unit`; 0 leaves that to it."""
    delta = {UNCLEAR: DeltaSpec.auto(), 0: DeltaSpec.no_op()}.get(order) or DeltaSpec.try_consecutive(order)
    mode = ModeSpec.try_float_mult(float(unit)) if unit else ModeSpec.auto()
    return ChunkConfig(compression_level=_LEVEL, delta_spec=delta, mode_spec=mode)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 8)
