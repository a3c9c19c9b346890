"""Payloads of the log and of the series file."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Buffer
from tallystick.kernels.extent import extent
from tallystick.kernels.packed import Names, padded
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import offsets

SAMPLES, GAUGES = 1, 2
"""Types of log records: samples; the values of gauges that changes (``+3|g``) build on; `tallies.TALLIES`."""

_WEIGHTS, _SAME_TIME, _WIDE_TIME = 1, 2, 4
HEAD = struct.Struct("<BBHIq")
"""Type, flags, 0, rows and base timestamp: what each payload of the log begins with."""
_SERIES_HEAD = struct.Struct("<B3xI")

DEFINE, FORGET, RENAME = 1, 2, 3
"""Types of records of the series file."""


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """A record of the series file.

    Parameters
    ----------
    type
        `DEFINE`, `FORGET` or `RENAME`.
    ids : int32[n]
    names
        One for each id; none if they are forgotten.
    kinds : uint8[n]
        Of those that are defined; empty otherwise.
    """

    type: int
    ids: NDArray[np.int32]
    names: Names
    kinds: NDArray[np.uint8]


class Columns:
    """The columns of a payload of the log behind its head, read one after the other.

    Parameters
    ----------
    rows
        Values of a column.
    passed_bytes
        Of columns that were read already.
    """

    def __init__(self, payload: memoryview, rows: int, passed_bytes: int) -> None:
        _, self.flags, _, _, self._base = HEAD.unpack_from(payload)
        self._payload = payload
        self._rows = rows
        self._at = HEAD.size + passed_bytes

    def take(self, dtype: str, n: int | None = None) -> NDArray[np.generic]:
        """The next column, of `n` values if they are not as many as rows; a view of the payload."""
        values = np.frombuffer(self._payload, dtype, self._rows if n is None else n, self._at)
        self._at += values.nbytes
        return values

    def floats(self, n: int | None = None) -> NDArray[np.float64]:
        """The next column, of doubles."""
        return self.take("<f8", n).astype(np.float64)

    def times(self) -> NDArray[np.int64]:
        """Timestamps as `encode_times` writes them."""
        if self.flags & _SAME_TIME:
            return np.full(self._rows, self._base, np.int64)
        relative = self.take("<i8" if self.flags & _WIDE_TIME else "<i4").astype(np.int64)
        return relative + np.int64(self._base)


def encode_times(timestamp: NDArray[np.int64]) -> tuple[int, int, list[Buffer]]:
    """A column of timestamps as base, flags and what follows: differences to the base, if there are any."""
    if not len(timestamp):
        return 0, _SAME_TIME, []
    base, (first, last) = int(timestamp[0]), extent(timestamp)
    if first == last:
        return base, _SAME_TIME, []
    narrow = last - base < 2**31 and base - first < 2**31
    return base, 0 if narrow else _WIDE_TIME, [(timestamp - base).astype("<i4" if narrow else "<i8")]


def encode_samples(batch: SampleBatch) -> list[Buffer]:
    """A batch as the parts of a record: head, ids, times (relative, if they differ), values, weights (if not all 1)."""
    base, flags, times = encode_times(batch.timestamp)
    weights: list[Buffer] = []
    if (batch.weight != 1.0).any():
        flags |= _WEIGHTS
        weights = [np.ascontiguousarray(batch.weight)]
    head = HEAD.pack(SAMPLES, flags, 0, len(batch), base)
    return [head, np.ascontiguousarray(batch.ids), *times, np.ascontiguousarray(batch.value), *weights]


def decode_samples(payload: memoryview, kinds: NDArray[np.uint8]) -> SampleBatch:
    """The batch of a record; `kinds` are the kinds of all series by id, which includes all of `ids_of`."""
    ids = ids_of(payload)
    columns = Columns(payload, len(ids), ids.nbytes)
    timestamp, value = columns.times(), columns.floats()
    weight = columns.floats() if columns.flags & _WEIGHTS else np.ones(len(ids))
    return SampleBatch(ids, timestamp, value, weight, kinds[ids])


def ids_of(payload: memoryview) -> NDArray[np.int32]:
    """The series of a record of the log, of any type."""
    _, _, _, n, _ = HEAD.unpack_from(payload)
    return np.frombuffer(payload, "<i4", n, HEAD.size).astype(np.int32)


def encode_gauges(ids: NDArray[np.int32], value: NDArray[np.float64]) -> list[Buffer]:
    """The current values of gauges, as the parts of a record."""
    return [HEAD.pack(GAUGES, 0, 0, len(ids), 0), np.ascontiguousarray(ids), np.ascontiguousarray(value)]


def decode_gauges(payload: memoryview) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Ids and values of a record of gauges."""
    _, _, _, n, _ = HEAD.unpack_from(payload)
    return ids_of(payload), np.frombuffer(payload, "<f8", n, HEAD.size + 4 * n).astype(np.float64)


def record_type(payload: memoryview) -> int:
    """`SAMPLES`, `GAUGES`, `tallystick.store.log.tallies.TALLIES`, or what a newer program wrote."""
    return int(payload[0])


def encode_define(ids: NDArray[np.int32], names: Names, kinds: NDArray[np.uint8]) -> list[Buffer]:
    """Definitions of series, as the parts of a record of the series file."""
    return [_SERIES_HEAD.pack(DEFINE, len(ids)), np.ascontiguousarray(ids), kinds.tobytes(), *_encode_names(names)]


def encode_forget(ids: NDArray[np.int32]) -> list[Buffer]:
    """That some series are no more, as the parts of a record of the series file."""
    return [_SERIES_HEAD.pack(FORGET, len(ids)), np.ascontiguousarray(ids)]


def encode_rename(ids: NDArray[np.int32], names: Names) -> list[Buffer]:
    """New names of series, as the parts of a record of the series file."""
    return [_SERIES_HEAD.pack(RENAME, len(ids)), np.ascontiguousarray(ids), *_encode_names(names)]


def decode_series(payload: memoryview) -> SeriesRecord:
    """What a record of the series file says."""
    kind, n = _SERIES_HEAD.unpack_from(payload)
    at = _SERIES_HEAD.size
    ids = np.frombuffer(payload, "<i4", n, at).astype(np.int32)
    at += 4 * n
    kinds = np.empty(0, np.uint8)
    if kind == DEFINE:
        kinds = np.frombuffer(payload, np.uint8, n, at).copy()
        at += n
    if kind == FORGET:
        return SeriesRecord(kind, ids, Names.of([]), kinds)
    lengths = np.frombuffer(payload, "<u2", n, at)
    text = payload[at + 2 * n :]
    # No writer makes names longer than their bytes; a kernel that was told so would read what is not theirs.
    ends = np.minimum(offsets(lengths), len(text))
    return SeriesRecord(kind, ids, Names(padded(text), ends), kinds)


def _encode_names(names: Names) -> list[Buffer]:
    return [names.lengths.astype("<u2"), names.data]
