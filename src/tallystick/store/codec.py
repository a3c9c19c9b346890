"""Payloads of the log and of the series file."""

import struct

import numpy as np
from numpy.typing import NDArray

from tallystick.model.sample import SampleBatch
from tallystick.store.files import Buffer

SAMPLES, GAUGES = 1, 2
"""Types of log records: samples; the values of gauges that changes (``+3|g``) build on."""

_WEIGHTS, _SAME_TIME, _WIDE_TIME = 1, 2, 4
_HEAD = struct.Struct("<BBHIq")
_SERIES_HEAD = struct.Struct("<II")


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


def encode_series(first_id: int, names: list[bytes], kinds: NDArray[np.uint8]) -> list[Buffer]:
    """Definitions of the series ``first_id ...``, as the parts of a record of the series file."""
    lengths = np.array([len(name) for name in names], "<u2")
    return [_SERIES_HEAD.pack(first_id, len(names)), kinds.tobytes(), lengths, b"".join(names)]


def decode_series(payload: memoryview) -> tuple[int, list[bytes], NDArray[np.uint8]]:
    """First id, names and kinds of a record of the series file."""
    first_id, n = _SERIES_HEAD.unpack_from(payload)
    at = _SERIES_HEAD.size
    kinds = np.frombuffer(payload, np.uint8, n, at).copy()
    lengths = np.frombuffer(payload, "<u2", n, at + n)
    text = bytes(payload[at + 3 * n :])
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    return first_id, [text[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)], kinds
