"""OTLP's histograms, explicit and exponential, as they are reported: to columns of `Reports`."""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.attributes import next_field, pass_over
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.distributions import EXPLICIT, SCALE_MAX, SCALE_MIN
from tallystick.kernels.histogram import SHIFT
from tallystick.kernels.names import NO_ROOM, NameArrays
from tallystick.kernels.otlp_rows import (
    BOUNDS,
    BUCKETS,
    FAULT,
    NAME_AT,
    NAME_STOP,
    OUT_FULL,
    PREFIX,
    REPORTS,
    SINCE_START,
    TEMPORALITY,
    Out,
    float_of,
    milliseconds,
    refuse,
    resolved,
    signed32,
    take_attribute,
)
from tallystick.kernels.protobuf import BAD, BYTES, FIXED64, VARINT, read_bounds, read_fixed64, read_varint
from tallystick.kernels.rows import DONE, NAMES_FULL, SEEN, Rows

_LOWEST, _HIGHEST = -34_400, 32_767  # indexes at our scale that a double can have


@inlined
def _add_bucket(out: Out, first: int, at: int, bucket: int, weight: float) -> int:
    """Add to the last bucket of a report, or begin the next one; the position behind, `BAD` if there is no room."""
    if at > first and out.reports.bucket[at - 1] == bucket:
        out.reports.weight[at - 1] += weight
        return at
    if at >= len(out.reports.bucket):
        return BAD
    out.reports.bucket[at] = bucket
    out.reports.weight[at] = weight
    return at + 1


@scanner
def _take_report(
    rows: Rows,
    out: Out,
    names: NameArrays,
    length: int,
    times: tuple[int, int],
    told: tuple[float, float, float],
    shape: tuple[int, int, int],
) -> int:
    """Take a histogram whose buckets and bounds are written; `shape` is its scale, and where they end."""
    for k in range(3):
        if np.isinf(told[k]):
            return refuse(rows, out, reasons.VALUE_NOT_FINITE)
    entry, fault = resolved(rows.name, length, names, rows)
    if entry == NO_ROOM:
        return NAMES_FULL
    if fault != reasons.NONE:
        return refuse(rows, out, fault)
    reports, state = out.reports, out.state
    n = state[REPORTS]
    reports.ids[n] = entry
    reports.timestamp[n], reports.start[n] = milliseconds(times[0]), milliseconds(times[1])
    reports.writer[n] = out.writer[3]
    reports.cumulative[n] = out.metric[TEMPORALITY] == SINCE_START
    reports.scale[n] = shape[0]
    reports.sum[n], reports.min[n], reports.max[n] = told
    reports.offset[n + 1], reports.bounds_offset[n + 1] = shape[1], shape[2]
    out.place[n, 0] = out.metric[NAME_AT]
    out.place[n, 1] = out.metric[NAME_STOP] - out.metric[NAME_AT]
    state[REPORTS], state[BUCKETS], state[BOUNDS] = n + 1, shape[1], shape[2]
    rows.progress[SEEN] += 1
    return DONE


@scanner
def histogram_point(buffer: np.ndarray, at: int, stop: int, names: NameArrays, rows: Rows, out: Out) -> int:
    """Take a HistogramDataPoint."""
    metric, state, reports = out.metric, out.state, out.reports
    if state[REPORTS] >= len(reports.ids):
        return OUT_FULL
    length, fault = metric[PREFIX], metric[FAULT]
    time, start, count, flags = np.uint64(0), np.uint64(0), 0.0, np.uint64(0)
    total, least, greatest = np.nan, np.nan, np.nan
    first, bucket, buckets = state[BUCKETS], state[BUCKETS], 0
    bound = state[BOUNDS]
    ascending, nan_told = True, False
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return BAD
        if number == 9 and wire == BYTES:
            length, fault, at = take_attribute(buffer, at, stop, rows.name, length, fault)
        elif number in (6, 7) and wire in (BYTES, FIXED64):
            begin, end = (at, at + 8 if at + 8 <= stop else BAD)
            if wire == BYTES:
                begin, end = read_bounds(buffer, at, stop)
            at = end
            if end >= 0 and (end - begin) % 8 != 0:
                at = BAD
            for k in range((end - begin) // 8 if at >= 0 else 0):
                bits, _ = read_fixed64(buffer, begin + 8 * k, end)
                if number == 7:
                    if bound >= len(reports.bounds):
                        return OUT_FULL
                    value = float_of(bits)
                    if not np.isfinite(value) or (bound > state[BOUNDS] and not reports.bounds[bound - 1] < value):
                        ascending = False
                    reports.bounds[bound] = value
                    bound += 1
                else:
                    if bits != np.uint64(0):
                        bucket = _add_bucket(out, first, bucket, buckets, np.float64(bits))
                        if bucket < 0:
                            return OUT_FULL
                    buckets += 1
        elif number in (2, 3, 4, 5, 11, 12) and wire == FIXED64:
            bits, at = read_fixed64(buffer, at, stop)
            if number == 2:
                start = bits
            elif number == 3:
                time = bits
            elif number == 4:
                count = np.float64(bits)
            else:
                value = float_of(bits)
                nan_told |= np.isnan(value)
                if number == 5:
                    total = value
                elif number == 11:
                    least = value
                else:
                    greatest = value
        elif number == 10 and wire == VARINT:
            flags, at = read_varint(buffer, at, stop)
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return BAD
    bounds = bound - state[BOUNDS]
    if flags & np.uint64(1):
        fault = reasons.STALE
    elif fault == reasons.NONE and not (ascending and (buckets == bounds + 1 or buckets + bounds == 0)):
        fault = reasons.FIELDS
    elif fault == reasons.NONE and nan_told:
        fault = reasons.VALUE_NOT_FINITE
    elif fault == reasons.NONE and time == np.uint64(0):
        fault = reasons.TIMESTAMP
    if fault != reasons.NONE:
        return refuse(rows, out, fault)
    if buckets == 0 and count > 0.0:  # only how many and how much: one bucket without bounds
        bucket = _add_bucket(out, first, bucket, 0, count)
        if bucket < 0:
            return OUT_FULL
    return _take_report(rows, out, names, length, (time, start), (total, least, greatest), (EXPLICIT, bucket, bound))


@scanner
def _add_exponential(
    buffer: np.ndarray, at: int, stop: int, scale: int, sign: int, out: Out, first: int, bucket: int
) -> tuple[int, int]:
    """Write the buckets of one sign in ascending order; the position behind (`BAD` if there is no room), and a fault.

    The message was found to be one before.
    """
    offset = np.int64(0)
    begin = at
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if number == 1 and wire == VARINT:
            value, at = read_varint(buffer, at, stop)
            offset = signed32(value)
        else:
            at = pass_over(buffer, wire, at, stop)
    down = min(max(scale - SCALE_MAX, 0), 62)
    width = np.int64(1) << np.int64(SCALE_MAX - min(max(scale, SCALE_MIN), SCALE_MAX))
    at = begin
    own = bucket
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if number != 2 or wire not in (BYTES, VARINT):
            at = pass_over(buffer, wire, at, stop)
            continue
        end = at
        if wire == BYTES:
            at, end = read_bounds(buffer, at, stop)
        while True:
            if wire == BYTES and at >= end:
                break
            count, at = read_varint(buffer, at, stop)
            if count != np.uint64(0):
                index = offset >> down
                if scale < SCALE_MIN and index not in (-1, 0):
                    return bucket, reasons.VALUE
                if index * width > _HIGHEST or (index + 1) * width <= _LOWEST:
                    return bucket, reasons.VALUE
                bucket = _add_bucket(out, max(first, own), bucket, sign * (index + SHIFT), np.float64(count))
                if bucket < 0:
                    return BAD, reasons.NONE
            offset += 1
            if wire == VARINT:
                break
    if sign < 0:
        low, high = own, bucket - 1
        numbers, weights = out.reports.bucket, out.reports.weight
        while low < high:
            numbers[low], numbers[high] = numbers[high], numbers[low]
            weights[low], weights[high] = weights[high], weights[low]
            low += 1
            high -= 1
    return bucket, reasons.NONE


@inlined
def _is_buckets(buffer: np.ndarray, at: int, stop: int) -> bool:
    """Whether bytes are a Buckets message."""
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return False
        if number == 2 and wire == BYTES:
            begin, end = read_bounds(buffer, at, stop)
            at = end
            while 0 <= begin < end:
                _, begin = read_varint(buffer, begin, end)
                at = end if begin >= 0 else BAD
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return False
    return True


@scanner
def exponential_point(buffer: np.ndarray, at: int, stop: int, names: NameArrays, rows: Rows, out: Out) -> int:
    """Take an ExponentialHistogramDataPoint."""
    metric, state = out.metric, out.state
    if state[REPORTS] >= len(out.reports.ids):
        return OUT_FULL
    length, fault = metric[PREFIX], metric[FAULT]
    time, start, count, zeros, flags = np.uint64(0), np.uint64(0), 0.0, 0.0, np.uint64(0)
    total, least, greatest = np.nan, np.nan, np.nan
    scale = 0
    above, above_stop, below, below_stop = 0, 0, 0, 0
    nan_told = False
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return BAD
        if number == 1 and wire == BYTES:
            length, fault, at = take_attribute(buffer, at, stop, rows.name, length, fault)
        elif number in (8, 9) and wire == BYTES:
            begin, at = read_bounds(buffer, at, stop)
            if at >= 0:
                if not _is_buckets(buffer, begin, at):
                    return BAD
                if number == 8:
                    above, above_stop = begin, at
                else:
                    below, below_stop = begin, at
        elif number in (2, 3, 4, 5, 7, 12, 13) and wire == FIXED64:
            bits, at = read_fixed64(buffer, at, stop)
            if number == 2:
                start = bits
            elif number == 3:
                time = bits
            elif number == 4:
                count = np.float64(bits)
            elif number == 7:
                zeros = np.float64(bits)
            else:
                value = float_of(bits)
                nan_told |= np.isnan(value)
                if number == 5:
                    total = value
                elif number == 12:
                    least = value
                else:
                    greatest = value
        elif number in (6, 10) and wire == VARINT:
            value_bits, at = read_varint(buffer, at, stop)
            if number == 6:
                scale = signed32(value_bits)
            else:
                flags = value_bits
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return BAD
    if flags & np.uint64(1):
        fault = reasons.STALE
    elif fault == reasons.NONE and nan_told:
        fault = reasons.VALUE_NOT_FINITE
    elif fault == reasons.NONE and time == np.uint64(0):
        fault = reasons.TIMESTAMP
    if fault != reasons.NONE:
        return refuse(rows, out, fault)
    first = state[BUCKETS]
    bucket, fault = _add_exponential(buffer, below, below_stop, scale, -1, out, first, first)
    if bucket >= 0 and fault == reasons.NONE and zeros > 0.0:
        bucket = _add_bucket(out, first, bucket, 0, zeros)
    if bucket >= 0 and fault == reasons.NONE:
        bucket, fault = _add_exponential(buffer, above, above_stop, scale, 1, out, first, bucket)
    shape = min(max(scale, SCALE_MIN), SCALE_MAX)
    if bucket == first and fault == reasons.NONE and count > 0.0:
        shape = EXPLICIT
        bucket = _add_bucket(out, first, bucket, 0, count)
    if bucket < 0:
        return OUT_FULL
    if fault != reasons.NONE:
        return refuse(rows, out, fault)
    told = (total, least, greatest)
    return _take_report(rows, out, names, length, (time, start), told, (shape, bucket, state[BOUNDS]))
