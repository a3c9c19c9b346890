"""OTLP's metrics in Protocol Buffers to columns; what becomes of them is in `tallystick.parse.otlp`.

A body is a tree: resources, scopes in them, metrics in these, and data points. What is written once for many points
(the resource's tags, the metric's name) is read once, whatever the order of the fields. A body that is not Protocol
Buffers anywhere is rejected as a whole, and what was taken of it before that was found is taken back.

The kernel ends early where a name or a histogram finds no room, and is called again when there is some: it passes over
the points that are done.

Schema: https://github.com/open-telemetry/opentelemetry-proto, ``metrics/v1/metrics.proto``.
"""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.attributes import append_attribute, append_clean, next_field, pass_over
from tallystick.kernels.compile import scanner
from tallystick.kernels.hashing import hash_bytes
from tallystick.kernels.names import NameArrays
from tallystick.kernels.otlp_histograms import exponential_point, histogram_point
from tallystick.kernels.otlp_numbers import number_point, summary_point
from tallystick.kernels.otlp_rows import (
    DELTA,
    FAULT,
    KIND,
    NAME_AT,
    NAME_STOP,
    POINT,
    PREFIX,
    SINCE_START,
    SORT,
    TEMPORALITY,
    Out,
    low32,
)
from tallystick.kernels.protobuf import BAD, BYTES, VARINT, read_bounds, read_varint
from tallystick.kernels.rows import DONE, POSITION, Rows
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.sample import GAUGE_DELTA

_GAUGE, _COUNTER, _CUMULATIVE = int(Kind.GAUGE), int(Kind.COUNTER), int(Kind.CUMULATIVE)
_GAUGE_CHANGE = _GAUGE | GAUGE_DELTA

_GAUGES, _SUMS, _HISTOGRAMS, _EXPONENTIALS, _SUMMARIES = 5, 7, 9, 10, 11  # fields of Metric
_UNDERSCORE, _TILDE = 0x5F, 0x7E

# Depths of the tree, which are positions in `Out.level` as well: where each message is being read, and where it ends.
_BODY, _RESOURCE, _SCOPE, _METRIC = 0, 1, 2, 3
_STOPS = 4
_TAGS, _TAGS_FAULT, _SCOPE_TAGS, _SCOPE_FAULT = 8, 9, 10, 11  # length of the tags, and what is wrong with them


@scanner
def _enter_data(buffer: np.ndarray, at: int, stop: int, out: Out) -> int:
    """Read what holds for all points of a Gauge, a Sum, a Histogram, an ExponentialHistogram or a Summary."""
    metric = out.metric
    sort = metric[SORT]
    temporality, monotonic = np.uint64(0), False
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return BAD
        if number in (2, 3) and wire == VARINT:
            value, at = read_varint(buffer, at, stop)
            if number == 2:
                temporality = low32(value)
            else:
                monotonic = value != np.uint64(0)
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return BAD
    metric[TEMPORALITY] = np.int64(temporality)
    metric[KIND] = _GAUGE
    if sort == _SUMS and metric[TEMPORALITY] == SINCE_START:
        metric[KIND] = _CUMULATIVE if monotonic else _GAUGE
    elif sort == _SUMS:
        metric[KIND] = _COUNTER if monotonic else _GAUGE_CHANGE
    timeless = sort in (_SUMS, _HISTOGRAMS, _EXPONENTIALS) and metric[TEMPORALITY] not in (DELTA, SINCE_START)
    if timeless and metric[FAULT] == reasons.NONE:
        metric[FAULT] = reasons.FIELDS
    return at


@scanner
def _enter_metric(buffer: np.ndarray, at: int, stop: int, rows: Rows, out: Out) -> tuple[int, int]:
    """Write the name of a Metric and its tags; the bounds of the message that has its points, or `BAD`."""
    metric, level = out.metric, out.level
    name, name_stop, data, data_stop, sort = at, at, at, at, 0
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return 0, BAD
        if wire == BYTES and number in (1, _GAUGES, _SUMS, _HISTOGRAMS, _EXPONENTIALS, _SUMMARIES):
            begin, at = read_bounds(buffer, at, stop)
            if number == 1:
                name, name_stop = begin, at
            else:
                sort, data, data_stop = number, begin, at
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return 0, BAD
    tags, fault = level[_SCOPE_TAGS], level[_SCOPE_FAULT]
    length = append_clean(buffer, name, name_stop, rows.name, 0, False)
    if length == 0:
        fault = reasons.NAME_EMPTY
    elif fault == reasons.NONE and length + tags > NAME_BYTES_MAX:
        fault = reasons.NAME_LONG
    if fault == reasons.NONE:
        for k in range(tags):
            rows.name[length + k] = out.tags[k]
        length += tags
    metric[NAME_AT], metric[NAME_STOP] = name, name_stop
    metric[PREFIX] = length if fault == reasons.NONE else 0
    metric[FAULT] = fault
    metric[SORT] = sort
    return data, data_stop if sort == 0 or _enter_data(buffer, data, data_stop, out) >= 0 else BAD


@scanner
def _scope_tag(buffer: np.ndarray, at: int, stop: int, out: Out, length: int, fault: int) -> tuple[int, int, int]:
    """Write the scope's name behind the tags of the resource; the length, any fault, and `BAD` if it is no scope."""
    name, name_stop = at, at
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return length, fault, BAD
        if number == 1 and wire == BYTES:
            name, at = read_bounds(buffer, at, stop)
            name_stop = at
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return length, fault, BAD
    if len(out.scope_key) == 0 or name == name_stop or fault != reasons.NONE:
        return length, fault, at
    if length + len(out.scope_key) > NAME_BYTES_MAX:
        return length, reasons.NAME_LONG, at
    for k in range(len(out.scope_key)):
        out.tags[length + k] = out.scope_key[k]
    begin = length + len(out.scope_key)
    end = append_clean(buffer, name, name_stop, out.tags, begin, False)
    if end > NAME_BYTES_MAX:
        return length, reasons.NAME_LONG, at
    if out.tags[begin] == _TILDE:
        out.tags[begin] = _UNDERSCORE
    return end, fault, at


@scanner
def _resource_tags(buffer: np.ndarray, at: int, stop: int, out: Out) -> tuple[int, int, int]:
    """Write the tags of a Resource; their length, any fault, and `BAD` if it is none."""
    length, fault = 0, reasons.NONE
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return 0, reasons.NONE, BAD
        if number == 1 and wire == BYTES:
            begin, at = read_bounds(buffer, at, stop)
            if at >= 0:
                length, why, end = append_attribute(buffer, begin, at, out.tags, length, out.wanted, out.wanted_bounds)
                at = at if end >= 0 else BAD
                fault = why if fault == reasons.NONE else fault
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return 0, reasons.NONE, BAD
    return length, fault, at


@scanner
def _find_first(buffer: np.ndarray, start: int, stop: int) -> tuple[int, int]:
    """The bounds of the message in field 1, of several the last; empty if there is none; or `BAD`."""
    first, first_stop = start, start
    at = start
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return 0, BAD
        if number == 1 and wire == BYTES:
            first, at = read_bounds(buffer, at, stop)
            first_stop = at
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return 0, BAD
    return first, first_stop


@scanner
def _enter_scope(buffer: np.ndarray, start: int, stop: int, out: Out) -> int:
    """Read the scope of a ScopeMetrics."""
    level = out.level
    scope, scope_stop = _find_first(buffer, start, stop)
    if scope_stop < 0:
        return BAD
    length, fault, end = _scope_tag(buffer, scope, scope_stop, out, level[_TAGS], level[_TAGS_FAULT])
    level[_SCOPE_TAGS], level[_SCOPE_FAULT] = length, fault
    out.writer[3] = hash_bytes(buffer, scope, scope_stop - scope, out.writer[0], out.writer[2])
    return end


@scanner
def _enter_resource(buffer: np.ndarray, start: int, stop: int, out: Out) -> int:
    """Read the resource of a ResourceMetrics."""
    resource, resource_stop = _find_first(buffer, start, stop)
    if resource_stop < 0:
        return BAD
    length, fault, end = _resource_tags(buffer, resource, resource_stop, out)
    out.level[_TAGS], out.level[_TAGS_FAULT] = length, fault
    out.writer[2] = hash_bytes(buffer, resource, resource_stop - resource, out.writer[0], out.writer[1])
    return end


@scanner
def _enter(buffer: np.ndarray, depth: int, begin: int, end: int, rows: Rows, out: Out) -> bool:
    """Go one step down the tree, into a message; False if it is none."""
    level = out.level
    if depth == _METRIC:
        begin, end = _enter_metric(buffer, begin, end, rows, out)
        good = end >= 0
    elif depth == _SCOPE:
        good = _enter_scope(buffer, begin, end, out) >= 0
    else:
        good = _enter_resource(buffer, begin, end, out) >= 0
    level[depth], level[_STOPS + depth] = begin, end
    return good


@scanner
def parse_body(buffer: np.ndarray, start: int, stop: int, names: NameArrays, rows: Rows, out: Out) -> int:
    """Take an ExportMetricsServiceRequest, or what is left of it: `Rows.progress` says how many points are done.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the body.
    start, stop
        Its bounds.
    names, rows, out
        Output; ``rows`` has room for a sample for each four bytes.

    Returns
    -------
    int
        `DONE`, `NAMES_FULL`, `OUT_FULL` where the columns of `out` have no room for a histogram, or `BAD` if the
        body is not Protocol Buffers.

    Notes
    -----
    The tree is walked in one loop: a function that calls another is compiled with all that this one calls.
    """
    level, state, progress, sort = out.level, out.state, rows.progress, 0
    depth = _BODY
    state[POINT] = 0
    level[_BODY], level[_STOPS + _BODY] = start, stop
    while True:
        at, end = level[depth], level[_STOPS + depth]
        if at >= end:
            if depth == _BODY:
                return DONE
            depth -= 1
            continue
        number, wire, at = next_field(buffer, at, end)
        if at < 0:
            return BAD
        wanted = 1 if depth in (_BODY, _METRIC) else 2
        if number != wanted or wire != BYTES:
            at = pass_over(buffer, wire, at, end)
            if at < 0:
                return BAD
            level[depth] = at
            continue
        begin, at = read_bounds(buffer, at, end)
        if at < 0:
            return BAD
        level[depth] = at
        if depth < _METRIC:
            depth += 1
            if not _enter(buffer, depth, begin, at, rows, out):
                return BAD
            continue
        if state[POINT] >= progress[POSITION]:
            sort = out.metric[SORT]
            if sort in (_GAUGES, _SUMS):
                ended = number_point(buffer, begin, at, names, rows, out)
            elif sort == _HISTOGRAMS:
                ended = histogram_point(buffer, begin, at, names, rows, out)
            elif sort == _EXPONENTIALS:
                ended = exponential_point(buffer, begin, at, names, rows, out)
            else:
                ended = summary_point(buffer, begin, at, names, rows, out)
            if ended != DONE:
                return ended
            progress[POSITION] = state[POINT] + 1
        state[POINT] += 1
