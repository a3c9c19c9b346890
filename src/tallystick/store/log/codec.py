"""Payloads of the log and of the series file."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.packed import Names, padded
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import offsets
from tallystick.store.disk.files import Buffer

SAMPLES, GAUGES = 1, 2
"""Types of log records: samples; the values of gauges that changes (``+3|g``) build on."""

_WEIGHTS, _SAME_TIME, _WIDE_TIME = 1, 2, 4
_HEAD = struct.Struct("<BBHIq")
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


def encode_samples(batch: SampleBatch) -> list[Buffer]:
    """A batch as the parts of a record: head, ids, times (relative, if they differ), values, weights (if not all 1)."""
    base = int(batch.timestamp[0])
    relative = batch.timestamp - base
    flags = 0
    times: list[Buffer] = []
    if not relative.any():
        flags |= _SAME_TIME
    elif np.abs(relative).max() < 2**31:
        times = [relative.astype("<i4")]
    else:
        flags |= _WIDE_TIME
        times = [relative]
    weights: list[Buffer] = []
    if (batch.weight != 1.0).any():
        flags |= _WEIGHTS
        weights = [np.ascontiguousarray(batch.weight)]
    head = _HEAD.pack(SAMPLES, flags, 0, len(batch), base)
    return [head, np.ascontiguousarray(batch.ids), *times, np.ascontiguousarray(batch.value), *weights]


def decode_samples(payload: memoryview, kinds: NDArray[np.uint8]) -> SampleBatch:
    """The batch of a record; `kinds` are the kinds of all series by id, which includes all of `ids_of`."""
    _, flags, _, n, base = _HEAD.unpack_from(payload)
    at = _HEAD.size

    def column(dtype: str) -> NDArray[np.generic]:
        nonlocal at
        values = np.frombuffer(payload, dtype, n, at)
        at += values.nbytes
        return values

    ids = ids_of(payload)
    at += ids.nbytes
    if flags & _SAME_TIME:
        timestamp = np.full(n, base, np.int64)
    else:
        timestamp = base + column("<i8" if flags & _WIDE_TIME else "<i4").astype(np.int64)
    value = column("<f8").astype(np.float64)
    weight = column("<f8").astype(np.float64) if flags & _WEIGHTS else np.ones(n)
    return SampleBatch(ids, timestamp, value, weight, kinds[ids])


def ids_of(payload: memoryview) -> NDArray[np.int32]:
    """The series of a record of the log, of either type."""
    _, _, _, n, _ = _HEAD.unpack_from(payload)
    return np.frombuffer(payload, "<i4", n, _HEAD.size).astype(np.int32)


def encode_gauges(ids: NDArray[np.int32], value: NDArray[np.float64]) -> list[Buffer]:
    """The current values of gauges, as the parts of a record."""
    return [_HEAD.pack(GAUGES, 0, 0, len(ids), 0), np.ascontiguousarray(ids), np.ascontiguousarray(value)]


def decode_gauges(payload: memoryview) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Ids and values of a record of gauges."""
    _, _, _, n, _ = _HEAD.unpack_from(payload)
    return ids_of(payload), np.frombuffer(payload, "<f8", n, _HEAD.size + 4 * n).astype(np.float64)


def record_type(payload: memoryview) -> int:
    """`SAMPLES` or `GAUGES`."""
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
