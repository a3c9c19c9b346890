"""Prometheus' native histograms, as remote write has them, to the reports that `tallystick.parse.cumulative` takes.

::

    Histogram   1, 2: count   3: sum   4: schema   6, 7: count of zeros   8: Span*  9: deltas  10: counts  (negative)
                11: Span*  12: deltas  13: counts  (positive)   14: hint   15: milliseconds   16: bounds   17: start
    Span        1: offset   2: length

Spans say which buckets there are, and deltas (whole numbers, each to the one before) or counts what is in them. With a
schema from -4 to 8 bucket ``i`` reaches from ``2**((i-1) / 2**schema)`` to ``2**(i / 2**schema)``: as OpenTelemetry and
we number them it is ``i - 1``. Those that are finer than ours are joined. With schema -53 bucket ``i`` ends at the
``i``-th bound.

Notes
-----
Lengths of spans are declared and believed nowhere: what counts is what is there. A histogram has `CELLS_MAX` buckets a
sign at most.

Source: https://prometheus.io/docs/specs/native_histograms/
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.distributions import EXPLICIT, SCALE_MAX, Reports
from tallystick.kernels.histogram import SHIFT
from tallystick.kernels.protobuf import (
    BAD,
    BYTES,
    FIXED64,
    VARINT,
    read_bounds,
    read_fixed64,
    read_key,
    read_varint,
    skip_field,
    unzigzag,
)

CELLS_MAX = 4096
SPANS_MAX = 1024

_STALE_BITS = np.uint64(0x7FF0000000000002)
_CUSTOM = -53
_SCHEMA_MIN, _SCHEMA_MAX = -4, 8
_GAUGE_HINT = 3
_LOWEST, _HIGHEST = -34_400, 32_767  # buckets of doubles at scale 5

# Fields of the message, and of the negative ones in the order of the positive ones.
_SPANS, _DELTAS, _COUNTS = (8, 11), (9, 12), (10, 13)

# Positions in `HistogramScratch.state`: cells and spans of negative and of positive values, then the single numbers.
_CELLS, _SPAN_COUNT, _BOUNDS, _SCHEMA, _HINT, _TIME, _START, _SUM, _ZEROS = 0, 2, 4, 5, 6, 7, 8, 9, 10
STATE_SIZE = 11


class HistogramScratch(NamedTuple):
    """The parts of one histogram.

    Parameters
    ----------
    cells : float64[2, CELLS_MAX]
        What is in the buckets of negative and of positive values.
    places : int64[2, CELLS_MAX]
        Which buckets these are.
    spans : int64[2, SPANS_MAX, 2]
        Offset and length of each span.
    bounds : float64[CELLS_MAX]
    state : int64[STATE_SIZE]
        Sum and count of zeros as the bits of doubles.
    """

    cells: NDArray[np.float64]
    places: NDArray[np.int64]
    spans: NDArray[np.int64]
    bounds: NDArray[np.float64]
    state: NDArray[np.int64]


@scanner
def _read_span(buffer: np.ndarray, at: int, stop: int, sign: int, s: HistogramScratch) -> int:
    """Note a span; returns `Reason.NONE` or a fault."""
    offset, length = np.uint64(0), np.uint64(0)
    while at < stop:
        field, wire, begin = read_key(buffer, at, stop)
        if begin == BAD:
            return reasons.FRAME
        if field == 1 and wire == VARINT:
            offset, at = read_varint(buffer, begin, stop)
        elif field == 2 and wire == VARINT:
            length, at = read_varint(buffer, begin, stop)
        else:
            at = skip_field(buffer, wire, begin, stop)
        if at == BAD:
            return reasons.FRAME
    count = s.state[_SPAN_COUNT + sign]
    if count >= SPANS_MAX:
        return reasons.UNSUPPORTED
    if length > np.uint64(0xFFFFFFFF) or offset > np.uint64(0xFFFFFFFF):
        return reasons.FRAME
    s.spans[sign, count, 0] = unzigzag(offset)
    s.spans[sign, count, 1] = np.int64(length)
    s.state[_SPAN_COUNT + sign] = count + 1
    return reasons.NONE


@inlined
def _put_cell(sign: int, value: float, s: HistogramScratch) -> int:
    count = s.state[_CELLS + sign]
    if count >= CELLS_MAX:
        return reasons.UNSUPPORTED
    if not np.isfinite(value):
        return reasons.VALUE_NOT_FINITE
    if value < 0.0:
        return reasons.FRAME
    s.cells[sign, count] = value
    s.state[_CELLS + sign] = count + 1
    return reasons.NONE


@scanner
def _read_cells(buffer: np.ndarray, at: int, stop: int, sign: int, deltas: bool, s: HistogramScratch) -> int:
    """Note what is in buckets; returns `Reason.NONE` or a fault."""
    while at < stop:
        if deltas:
            bits, at = read_varint(buffer, at, stop)
            before = s.cells[sign, s.state[_CELLS + sign] - 1] if s.state[_CELLS + sign] > 0 else 0.0
            value = before + np.float64(unzigzag(bits))
        else:
            bits, at = read_fixed64(buffer, at, stop)
            value = np.uint64(bits).view(np.float64)
        if at == BAD:
            return reasons.FRAME
        fault = _put_cell(sign, value, s)
        if fault != reasons.NONE:
            return fault
    return reasons.NONE


@scanner
def _read_bounds_of_buckets(buffer: np.ndarray, at: int, stop: int, s: HistogramScratch) -> int:
    """Note explicit bounds, which must ascend; returns `Reason.NONE` or a fault."""
    while at < stop:
        bits, at = read_fixed64(buffer, at, stop)
        value = np.uint64(bits).view(np.float64)
        count = s.state[_BOUNDS]
        if at == BAD or not np.isfinite(value) or (count > 0 and not value > s.bounds[count - 1]):
            return reasons.FRAME
        if count >= CELLS_MAX:
            return reasons.UNSUPPORTED
        s.bounds[count] = value
        s.state[_BOUNDS] = count + 1
    return reasons.NONE


@scanner
def _read_number(buffer: np.ndarray, field: int, wire: int, at: int, stop: int, s: HistogramScratch) -> int:
    """Note a field that is a single number; returns the position behind it."""
    if wire == FIXED64:
        bits, end = read_fixed64(buffer, at, stop)
        if field == 3:
            s.state[_SUM] = np.int64(bits)
        elif field == 7:
            s.state[_ZEROS] = np.int64(bits)
        return end
    if wire != VARINT:
        return skip_field(buffer, wire, at, stop)
    bits, end = read_varint(buffer, at, stop)
    if field == 4:
        s.state[_SCHEMA] = unzigzag(bits)
    elif field == 6:
        s.state[_ZEROS] = np.float64(bits).view(np.int64)
    elif field == 14:
        s.state[_HINT] = np.int64(bits)
    elif field == 15:
        s.state[_TIME] = np.int64(bits)
    elif field == 17 and bits != np.uint64(0):
        s.state[_START] = np.int64(bits)
    return end


@scanner
def _read_histogram(buffer: np.ndarray, at: int, stop: int, start: int, s: HistogramScratch) -> int:
    """Take a histogram apart; returns `Reason.NONE` or a fault."""
    s.state[:] = 0
    s.state[_START] = start
    while at < stop:
        field, wire, begin = read_key(buffer, at, stop)
        if begin == BAD:
            return reasons.FRAME
        end = skip_field(buffer, wire, begin, stop)
        if end == BAD:
            return reasons.FRAME
        at = end
        sign = 1 if field > 10 else 0
        inside = begin
        if wire == BYTES:
            inside, _ = read_bounds(buffer, begin, stop)
        fault = reasons.NONE
        if field in _SPANS and wire == BYTES:
            fault = _read_span(buffer, inside, end, sign, s)
        elif field in _DELTAS and wire in (BYTES, VARINT):
            fault = _read_cells(buffer, inside, end, sign, True, s)
        elif field in _COUNTS and wire in (BYTES, FIXED64):
            fault = _read_cells(buffer, inside, end, sign, False, s)
        elif field == 16 and wire in (BYTES, FIXED64):
            fault = _read_bounds_of_buckets(buffer, inside, end, s)
        else:
            _read_number(buffer, field, wire, begin, end, s)
        if fault != reasons.NONE:
            return fault
    return _fault_of(s)


@inlined
def _fault_of(s: HistogramScratch) -> int:
    """Why what was read is no histogram that can be counted."""
    schema = s.state[_SCHEMA]
    if np.uint64(s.state[_SUM]) == _STALE_BITS:
        return reasons.STALE
    if s.state[_TIME] <= 0:
        return reasons.TIMESTAMP
    if s.state[_HINT] == _GAUGE_HINT or not (_SCHEMA_MIN <= schema <= _SCHEMA_MAX or schema == _CUSTOM):
        return reasons.UNSUPPORTED
    zeros = np.int64(s.state[_ZEROS]).view(np.float64)
    if not np.isfinite(zeros):
        return reasons.VALUE_NOT_FINITE
    return reasons.FRAME if zeros < 0.0 else reasons.NONE


@inlined
def _put_bucket(out: Reports, row: int, at: int, bucket: int, weight: float) -> int:
    """Put a bucket behind the others of a row, or into the last one if it is the same; empty ones are none."""
    if weight <= 0.0:
        return at
    if at > out.offset[row] and out.bucket[at - 1] == bucket:
        out.weight[at - 1] += weight
        return at
    out.bucket[at] = bucket
    out.weight[at] = weight
    return at + 1


@scanner
def _place_cells(s: HistogramScratch, sign: int) -> bool:
    """Say of each cell which bucket it is, by the spans; False if these have others than there are."""
    cells = s.state[_CELLS + sign]
    place = done = 0
    for k in range(s.state[_SPAN_COUNT + sign]):
        place += s.spans[sign, k, 0]
        length = s.spans[sign, k, 1]
        if length > cells - done or (k > 0 and s.spans[sign, k, 0] < 0):
            return False
        for _ in range(length):
            s.places[sign, done] = place
            done += 1
            place += 1
    return done == cells


@scanner
def _put_explicit(s: HistogramScratch, out: Reports, row: int) -> int:
    """Put buckets between explicit bounds; returns the position behind them, or `BAD`."""
    first, count = out.bounds_offset[row], s.state[_BOUNDS]
    for k in range(count):
        out.bounds[first + k] = s.bounds[k]
    out.bounds_offset[row + 1] = first + count
    at = out.offset[row]
    for k in range(s.state[_CELLS + 1]):
        if not 0 <= s.places[1, k] <= count:
            return BAD
        at = _put_bucket(out, row, at, s.places[1, k], s.cells[1, k])
    return at


@scanner
def _put_exponential(s: HistogramScratch, out: Reports, row: int, scale: int) -> int:
    """Put exponential buckets in ascending order; returns the position behind them."""
    finer, coarser = s.state[_SCHEMA] - scale, SCALE_MAX - scale
    lowest, highest = _LOWEST >> coarser, _HIGHEST >> coarser
    at = out.offset[row]
    last = s.state[_CELLS] - 1
    for k in range(last + 1):
        index = min(max((s.places[0, last - k] - 1) >> finer, lowest), highest)
        at = _put_bucket(out, row, at, -(index + SHIFT), s.cells[0, last - k])
    at = _put_bucket(out, row, at, 0, np.int64(s.state[_ZEROS]).view(np.float64))
    for k in range(s.state[_CELLS + 1]):
        index = min(max((s.places[1, k] - 1) >> finer, lowest), highest)
        at = _put_bucket(out, row, at, index + SHIFT, s.cells[1, k])
    return at


@scanner
def _put_report(s: HistogramScratch, entry: int, out: Reports, row: int) -> int:
    """Write a row of the reports; returns `Reason.NONE` or why there is none."""
    needed = s.state[_CELLS] + s.state[_CELLS + 1] + 1
    if out.offset[row] + needed > len(out.bucket) or out.bounds_offset[row] + s.state[_BOUNDS] > len(out.bounds):
        return reasons.BODY_LONG
    if not (_place_cells(s, 0) and _place_cells(s, 1)):
        return reasons.FRAME
    out.bounds_offset[row + 1] = out.bounds_offset[row]
    if s.state[_SCHEMA] == _CUSTOM:
        scale = np.int64(EXPLICIT)
        at = _put_explicit(s, out, row)
    else:
        scale = min(s.state[_SCHEMA], np.int64(SCALE_MAX))
        at = _put_exponential(s, out, row, scale)
    if at == BAD:
        return reasons.FRAME
    total = np.int64(s.state[_SUM]).view(np.float64)
    out.offset[row + 1] = at
    out.ids[row] = entry
    out.timestamp[row] = s.state[_TIME]
    out.start[row] = max(s.state[_START], 0)
    out.writer[row] = np.uint64(0)
    out.cumulative[row] = 1
    out.scale[row] = scale
    out.sum[row] = total if np.isfinite(total) else np.nan
    out.min[row] = out.max[row] = np.nan
    return reasons.NONE


@scanner
def read_histograms(
    buffer: np.ndarray, noted: np.ndarray, scratch: HistogramScratch, out: Reports, faults: np.ndarray
) -> int:
    """Make reports of histograms.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind what is used.
    noted : int64[k, 4]
        Entry of the name and bounds of each, and milliseconds since the epoch of its start, 0 where that is not told.
    out
        Output, with room for `k` rows.
    faults : uint8[k]
        Output: why a histogram has no row, or `Reason.NONE`.

    Returns
    -------
    int
        How many rows there are.
    """
    row = 0
    out.offset[0] = out.bounds_offset[0] = 0
    for k in range(len(noted)):
        fault = _read_histogram(buffer, noted[k, 1], noted[k, 2], noted[k, 3], scratch)
        if fault == reasons.NONE:
            fault = _put_report(scratch, noted[k, 0], out, row)
        faults[k] = fault
        if fault == reasons.NONE:
            row += 1
    return row
