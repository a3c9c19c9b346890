"""Payloads of the log that hold slots which senders tallied, and how far the numbered batches of senders were taken.

A batch and its number are one record: a crash loses both or none, so that a batch that is sent again counts once.
"""

import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Buffer
from tallystick.model.numbered import Numbered
from tallystick.model.tally import Histograms, Sketches, Spread, TallyBatch, offsets
from tallystick.store.log.codec import HEAD, Columns, encode_times, ids_of

TALLIES = 3
"""Type of these records."""
_HISTOGRAMS, _SKETCHES, _SENDERS = 8, 16, 32
_COUNT = struct.Struct("<I")


def encode_tallies(batch: TallyBatch, numbered: Sequence[Numbered] = ()) -> list[Buffer]:
    """A batch, which may be empty, and the senders' numbers, as the parts of a record."""
    base, flags, times = encode_times(batch.timestamp)
    s = batch.spread
    parts: list[Buffer] = [np.ascontiguousarray(batch.ids), *times]
    parts += [np.ascontiguousarray(column) for column in (batch.last, s.count, s.sum, s.m2, s.min, s.max)]
    if batch.histograms is not None:
        h = batch.histograms
        flags |= _HISTOGRAMS
        parts += [np.diff(h.offset).astype("<u4"), np.ascontiguousarray(h.bucket), np.ascontiguousarray(h.weight)]
    if batch.sketches is not None:
        flags |= _SKETCHES
        parts += [np.diff(batch.sketches.offset).astype("<u4"), np.ascontiguousarray(batch.sketches.data)]
    if numbered:
        flags |= _SENDERS
        parts += _encode_senders(numbered)
    return [HEAD.pack(TALLIES, flags, 0, len(batch), base), *parts]


def decode_tallies(payload: memoryview, kinds: NDArray[np.uint8]) -> tuple[TallyBatch, list[Numbered]]:
    """What `encode_tallies` was given; `kinds` are the kinds of all series by id, which includes all of `ids_of`."""
    ids = ids_of(payload)
    columns = Columns(payload, len(ids), 4 * len(ids))
    timestamp = columns.times()
    last, count, total, m2, low, high = (columns.floats() for _ in range(6))
    histograms = sketches = None
    if columns.flags & _HISTOGRAMS:
        offset = offsets(columns.take("<u4").astype(np.int64))
        m = int(offset[-1])
        histograms = Histograms(offset, columns.take("<i4", m).astype(np.int32), columns.floats(m))
    if columns.flags & _SKETCHES:
        offset = offsets(columns.take("<u4").astype(np.int64))
        sketches = Sketches(offset, columns.take("<u1", int(offset[-1])).astype(np.uint8))
    numbered = _decode_senders(columns) if columns.flags & _SENDERS else []
    spread = Spread(count, total, m2, low, high)
    return TallyBatch(ids, timestamp, kinds[ids], last, spread, histograms, sketches), numbered


def _encode_senders(numbered: Sequence[Numbered]) -> list[Buffer]:
    words = [one.sender.encode() for one in numbered]
    return [
        _COUNT.pack(len(numbered)),
        np.array([one.number for one in numbered], "<u8"),
        np.array([len(word) for word in words], "<u2"),
        b"".join(words),
    ]


def _decode_senders(columns: Columns) -> list[Numbered]:
    n = int(columns.take("<u4", 1)[0])
    numbers = columns.take("<u8", n).tolist()
    ends = offsets(columns.take("<u2", n).astype(np.int64)).tolist()
    text = columns.take("<u1", ends[-1]).tobytes()
    words = (text[begin:end].decode("utf-8", "replace") for begin, end in pairwise(ends))
    return [Numbered(word, number) for word, number in zip(words, numbers, strict=True)]
