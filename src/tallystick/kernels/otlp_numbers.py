"""OTLP's data points that are numbers, and summaries, which are several."""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.attributes import append_number, append_text, next_field, pass_over
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.fields import name_valid
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, find_or_add
from tallystick.kernels.otlp_rows import (
    EMPTY,
    FAULT,
    KIND,
    NAME_AT,
    NAME_STOP,
    PREFIX,
    Out,
    float_of,
    milliseconds,
    refuse,
    resolve_name,
    resolved,
    take_attribute,
)
from tallystick.kernels.protobuf import BAD, BYTES, FIXED64, VARINT, read_bounds, read_fixed64, read_varint
from tallystick.kernels.rows import DONE, NAMES_FULL, ROWS, SEEN, Rows
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX

_GAUGE, _CUMULATIVE = int(Kind.GAUGE), int(Kind.CUMULATIVE)
_COUNT_SUFFIX, _SUM_SUFFIX = np.frombuffer(b"_count", np.uint8), np.frombuffer(b"_sum", np.uint8)
_QUANTILE = np.frombuffer(b";quantile=", np.uint8)


@inlined
def number_point(buffer: np.ndarray, at: int, stop: int, names: NameArrays, rows: Rows, out: Out) -> int:
    """Take a NumberDataPoint."""
    metric = out.metric
    length, fault = metric[PREFIX], metric[FAULT]
    time, value, valued, flags = np.uint64(0), 0.0, False, np.uint64(0)
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return BAD
        if number == 7 and wire == BYTES:
            begin, end = read_bounds(buffer, at, stop)
            longer = append_text(buffer, begin, end, rows.name, length) if end >= 0 else BAD
            if longer >= 0:
                length, at = longer, end
            else:
                length, fault, at = take_attribute(buffer, at, stop, rows.name, length, fault)
        elif number == 3 and wire == FIXED64:
            time, at = read_fixed64(buffer, at, stop)
        elif number in (4, 6) and wire == FIXED64:
            bits, at = read_fixed64(buffer, at, stop)
            value, valued = float_of(bits) if number == 4 else np.float64(np.int64(bits)), True
        elif number == 8 and wire == VARINT:
            flags, at = read_varint(buffer, at, stop)
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return BAD
    if flags & np.uint64(1):
        fault = reasons.STALE
    elif fault == reasons.NONE and not valued:
        fault = reasons.VALUE
    elif fault == reasons.NONE and not np.isfinite(value):
        fault = reasons.VALUE_NOT_FINITE
    elif fault == reasons.NONE and time == np.uint64(0):
        fault = reasons.TIMESTAMP
    if fault != reasons.NONE:
        return refuse(rows, out, fault)
    entry, fault = resolve_name(rows.name, length, names, rows)
    if entry == NO_ROOM:
        return NAMES_FULL
    if fault != reasons.NONE:
        return refuse(rows, out, fault)
    row = rows.progress[ROWS]
    rows.ids[row] = entry
    rows.timestamp[row] = milliseconds(time)
    rows.value.view(np.float64)[row] = value
    rows.weight[row] = 1.0
    rows.kind[row] = metric[KIND]
    rows.progress[ROWS] = row + 1
    rows.progress[SEEN] += 1
    return DONE


@inlined
def _suffixed(rows: Rows, out: Out, length: int, suffix: np.ndarray) -> int:
    """Write the name with a suffix before its tags into ``out.name``; its length, too long ones as they are."""
    base = min(length, out.metric[NAME_STOP] - out.metric[NAME_AT])
    for k in range(base):
        out.name[k] = rows.name[k]
    for k in range(len(suffix)):
        out.name[base + k] = suffix[k]
    for k in range(base, length):
        out.name[len(suffix) + k] = rows.name[k]
    return length + len(suffix)


@scanner
def _summary_row(
    rows: Rows, out: Out, names: NameArrays, row: int, length: int, ms: int, value: float, kind: int
) -> tuple[int, int]:
    """Write one row of a summary, whose name is in ``out.name``; the next row, or `NO_ROOM`, and any fault."""
    if not np.isfinite(value):
        return row, reasons.VALUE_NOT_FINITE
    if length > NAME_BYTES_MAX:
        return row, reasons.NAME_LONG
    entry, fault = resolved(out.name, length, names, rows)
    if entry == NO_ROOM:
        return NO_ROOM, reasons.NONE
    if fault != reasons.NONE:
        return row, fault
    rows.ids[row] = entry
    rows.timestamp[row] = ms
    rows.value.view(np.float64)[row] = value
    rows.weight[row] = 1.0
    rows.kind[row] = kind
    return row + 1, reasons.NONE


@inlined
def _quantile(buffer: np.ndarray, at: int, stop: int) -> tuple[float, float, int]:
    """Quantile and value of a ValueAtQuantile, and `BAD` if it is none."""
    quantile, value = 0.0, 0.0
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return 0.0, 0.0, BAD
        if number in (1, 2) and wire == FIXED64:
            bits, at = read_fixed64(buffer, at, stop)
            if number == 1:
                quantile = float_of(bits)
            else:
                value = float_of(bits)
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return 0.0, 0.0, BAD
    return quantile, value, at


@scanner
def summary_point(buffer: np.ndarray, start: int, stop: int, names: NameArrays, rows: Rows, out: Out) -> int:
    """Take a SummaryDataPoint: a sample for each quantile, one for the count and one for the sum."""
    metric = out.metric
    length, fault = metric[PREFIX], metric[FAULT]
    time, count, total, flags, before = np.uint64(0), 0.0, 0.0, np.uint64(0), -1.0
    ascending = True
    at = start
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return BAD
        if number == 7 and wire == BYTES:
            length, fault, at = take_attribute(buffer, at, stop, rows.name, length, fault)
        elif number == 6 and wire == BYTES:
            begin, at = read_bounds(buffer, at, stop)
            if at >= 0:
                quantile, _, end = _quantile(buffer, begin, at)
                at = at if end >= 0 else BAD
                ascending &= before < quantile <= 1.0  # so each has a name of its own
                before = quantile
        elif number in (3, 4, 5) and wire == FIXED64:
            bits, at = read_fixed64(buffer, at, stop)
            if number == 3:
                time = bits
            elif number == 4:
                count = np.float64(bits)
            else:
                total = float_of(bits)
        elif number == 8 and wire == VARINT:
            flags, at = read_varint(buffer, at, stop)
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return BAD
    if flags & np.uint64(1):
        fault = reasons.STALE
    elif fault == reasons.NONE and not ascending:
        fault = reasons.FIELDS
    elif fault == reasons.NONE and time == np.uint64(0):
        fault = reasons.TIMESTAMP
    if fault != reasons.NONE:
        return refuse(rows, out, fault)
    return _take_summary(buffer, (start, stop), names, rows, out, (length, milliseconds(time)), (count, total))


@scanner
def _take_summary(
    buffer: np.ndarray,
    span: tuple[int, int],
    names: NameArrays,
    rows: Rows,
    out: Out,
    name: tuple[int, int],
    told: tuple[float, float],
) -> int:
    """Take a summary that was found to be good; samples are counted when all names have found room."""
    length, ms = name
    first = rows.progress[ROWS]
    size = _suffixed(rows, out, length, _COUNT_SUFFIX)
    row, count_fault = _summary_row(rows, out, names, first, size, ms, told[0], _CUMULATIVE)
    if row == NO_ROOM:
        return NAMES_FULL
    size = _suffixed(rows, out, length, _SUM_SUFFIX)
    row, sum_fault = _summary_row(rows, out, names, row, size, ms, told[1], _CUMULATIVE)
    if row == NO_ROOM:
        return NAMES_FULL
    for counting in (False, True):
        if counting:
            rows.progress[SEEN] += row - first
            rows.progress[ROWS] = row
            if count_fault != reasons.NONE:
                refuse(rows, out, count_fault)
            if sum_fault != reasons.NONE:
                refuse(rows, out, sum_fault)
        at, stop = span
        while at < stop:
            number, wire, at = next_field(buffer, at, stop)
            if number != 6 or wire != BYTES:
                at = pass_over(buffer, wire, at, stop)
                continue
            begin, at = read_bounds(buffer, at, stop)
            quantile, value, _ = _quantile(buffer, begin, at)
            size = _suffixed(rows, out, length, EMPTY)
            for k in range(len(_QUANTILE)):
                out.name[size + k] = _QUANTILE[k]
            size = append_number(out.name, size + len(_QUANTILE), quantile)
            if counting:
                fault = _summary_fault(out, size, value, names)
                if fault != reasons.NONE:
                    refuse(rows, out, fault)
                continue
            row, _ = _summary_row(rows, out, names, row, size, ms, value, _GAUGE)
            if row == NO_ROOM:
                return NAMES_FULL
    return DONE


@inlined
def _summary_fault(out: Out, length: int, value: float, names: NameArrays) -> int:
    """Why a quantile made no row; the table of names is as it was when that was tried."""
    if not np.isfinite(value):
        return reasons.VALUE_NOT_FINITE
    if length > NAME_BYTES_MAX:
        return reasons.NAME_LONG
    if not name_valid(out.name, 0, length):
        return reasons.NAME_BYTES
    entry = find_or_add(names, out.name, 0, length)
    return reasons.SERIES_LIMIT if entry == LIMIT else reasons.NONE
