"""Ganglia's datagrams to columns; what they hold is said in `tallystick.parse.ganglia`.

XDR (RFC 4506): big-endian words of four bytes, strings behind their length and filled up to whole words. A length is
only ever compared with what is left of the datagram. What senders announced of a metric is kept by the name of its
series, in a table of its own.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.fields import is_blank, name_valid
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, find_or_add, hash_name, learn, probe, resolve
from tallystick.kernels.numbers import EXACT, HARD, NOT_A_NUMBER, is_not_finite, read_number
from tallystick.kernels.rows import (
    DONE,
    NAMES_FULL,
    PREVIOUS,
    ROWS,
    SEEN,
    SPAN,
    TRUST,
    Rows,
    begin_span,
    note_hard,
    reject,
)
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX

METRICS_FULL = 2
"""The table of announced metrics has no room for another: reserve and call again."""

UNKNOWN, LEVEL, GROWING, WORDS = 0, 1, 2, 3
"""What a metric is: not announced, a gauge, a counter that only grows, text."""

PATIENCE_MS = 60_000
"""So long a new name waits to be announced: its kind is for ever."""

_GAUGE, _CUMULATIVE = int(Kind.GAUGE), int(Kind.CUMULATIVE)

_METADATA, _USHORT, _SHORT, _INT, _UINT, _STRING, _FLOAT, _DOUBLE, _REQUEST = (
    128,
    129,
    130,
    131,
    132,
    133,
    134,
    135,
    136,
)
_POSITIVE, _DERIVATIVE = 1, 5  # slopes of counters

_DOT, _COLON, _SEMICOLON, _UNDERSCORE, _SPACE = 0x2E, 0x3A, 0x3B, 0x5F, 0x20
_HEARTBEAT = np.frombuffer(b"heartbeat", np.uint8)
_LOCATION = np.frombuffer(b"location", np.uint8)
_STRING_TYPE = np.frombuffer(b"string", np.uint8)
_TENS = np.array([10.0**i for i in range(10)])


class Announced(NamedTuple):
    """What is known of metrics.

    Parameters
    ----------
    names
        The table of their series' names; its entries are the rows of the other arrays.
    what : uint8[n]
        `UNKNOWN`, `LEVEL`, `GROWING` or `WORDS`.
    first_ms : int64[n]
        When a value was first seen without its announcement.
    heard_ms : int64[n]
        When anything was last heard of it.
    dmax_s : int64[n]
        After so long a silence its sender wants it forgotten; 0 for never.
    """

    names: NameArrays
    what: NDArray[np.uint8]
    first_ms: NDArray[np.int64]
    heard_ms: NDArray[np.int64]
    dmax_s: NDArray[np.int64]


@inlined
def _word(buffer: np.ndarray, i: int, stop: int) -> tuple[int, int]:
    """An unsigned word and the position behind it, which is -1 if there is none or `i` is."""
    if i < 0 or i + 4 > stop:
        return 0, -1
    value = np.int64(buffer[i]) << 24 | np.int64(buffer[i + 1]) << 16 | np.int64(buffer[i + 2]) << 8
    return value | np.int64(buffer[i + 3]), i + 4


@inlined
def _text(buffer: np.ndarray, i: int, stop: int) -> tuple[int, int, int]:
    """Bounds of a string and the position behind its padding, which is -1 if it does not fit."""
    length, start = _word(buffer, i, stop)
    filled = (length + 3) & ~3
    if start < 0 or filled > stop - start:
        return 0, 0, -1
    return start, start + length, start + filled


@inlined
def _same(buffer: np.ndarray, start: int, stop: int, word: np.ndarray) -> bool:
    """Whether the bytes are the lower-case `word`, in any case."""
    same = stop - start == len(word)
    if same:
        for k in range(len(word)):
            same &= buffer[start + k] | 0x20 == word[k]
    return same


@inlined
def _copy(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, at: int, host: bool) -> int:
    """Append a host or a metric; what a name cannot hold becomes an underscore. Returns the length of all."""
    for i in range(start, stop):
        if at > NAME_BYTES_MAX:
            return at
        byte = buffer[i]
        if byte <= _SPACE or byte in (0x7F, _SEMICOLON, _COLON) or (host and byte == _DOT):
            byte = np.uint8(_UNDERSCORE)
        elif host and 0x41 <= byte <= 0x5A:
            byte |= np.uint8(0x20)
        out[at] = byte
        at += 1
    return at


@scanner
def _write_name(
    buffer: np.ndarray, host: tuple[int, int], metric: tuple[int, int], spoof: int, prefix: np.ndarray, out: np.ndarray
) -> tuple[int, int]:
    """Write the name of a metric's series; its length, and `Reason.NONE` or why there is none."""
    host_at, host_end = host
    metric_at, metric_end = metric
    if spoof != 0:  # address:host, and perhaps name:anything
        colon = host_end - 1
        while colon > host_at and buffer[colon] != _COLON:
            colon -= 1
        if colon <= host_at or colon == host_end - 1:
            return 0, reasons.FIELDS
        host_at = colon + 1
        for i in range(metric_at + 1, metric_end):
            if buffer[i] == _COLON:
                metric_end = i
                break
    if host_at == host_end or metric_at == metric_end:
        return 0, reasons.NAME_EMPTY
    for k in range(len(prefix)):
        out[k] = prefix[k]
    at = _copy(buffer, host_at, host_end, out, len(prefix), True)
    if at >= NAME_BYTES_MAX:
        return 0, reasons.NAME_LONG
    out[at] = _DOT
    at = _copy(buffer, metric_at, metric_end, out, at + 1, False)
    if at > NAME_BYTES_MAX:
        return 0, reasons.NAME_LONG
    return at, reasons.NONE if name_valid(out, 0, at) else reasons.NAME_BYTES


@inlined
def _row_of(announced: Announced, name: np.ndarray, length: int, now_ms: int) -> int:
    """The row of a metric, added if it is new; `LIMIT` or `NO_ROOM` where that cannot be."""
    before = announced.names.state[0]
    row = find_or_add(announced.names, name, 0, length)
    if row >= before:
        announced.what[row] = UNKNOWN
        announced.first_ms[row] = now_ms
        announced.dmax_s[row] = 0
    if row >= 0:
        announced.heard_ms[row] = now_ms
    return row


@scanner
def _announce(
    buffer: np.ndarray, i: int, stop: int, announced: Announced, name: np.ndarray, length: int, now_ms: int
) -> int:
    """Keep what metadata says of a metric; `Reason.NONE`, a reason, or -1 where the table has to grow."""
    kind_at, kind_end, i = _text(buffer, i, stop)
    _, _, i = _text(buffer, i, stop)  # the name once more
    _, _, i = _text(buffer, i, stop)  # units
    slope, i = _word(buffer, i, stop)
    _, i = _word(buffer, i, stop)  # how often a value is to be expected
    dmax_s, i = _word(buffer, i, stop)
    pairs, i = _word(buffer, i, stop)
    while i >= 0 and pairs > 0:
        _, _, i = _text(buffer, i, stop)
        _, _, i = _text(buffer, i, stop)
        pairs -= 1
    if i < 0:
        return reasons.FRAME
    row = _row_of(announced, name, length, now_ms)
    if row == NO_ROOM:
        return -1
    if row == LIMIT:
        return reasons.UNDECLARED
    if _same(buffer, kind_at, kind_end, _STRING_TYPE):
        announced.what[row] = WORDS
    elif slope in (_POSITIVE, _DERIVATIVE):
        announced.what[row] = GROWING
    else:
        announced.what[row] = LEVEL
    announced.dmax_s[row] = dmax_s
    return reasons.NONE


@inlined
def _shortest(value: float) -> float:
    """The float64 of the fewest decimals that is this float32: 0.12 instead of 0.119999997."""
    wide = np.float64(value)
    for digits in range(len(_TENS)):
        rounded = np.rint(wide * _TENS[digits]) / _TENS[digits]
        if np.float32(rounded) == value:
            return rounded
    return wide


@inlined
def _read_text(buffer: np.ndarray, start: int, stop: int) -> tuple[float, int, int, int]:
    """A number in text between blanks: value, status as of `read_number`, and its bounds."""
    while start < stop and is_blank(buffer[start]):
        start += 1
    while stop > start and is_blank(buffer[stop - 1]):
        stop -= 1
    kept = buffer[stop]
    buffer[stop] = 0
    value, end, status = read_number(buffer, start)
    buffer[stop] = kept
    return value, status if end == stop else NOT_A_NUMBER, start, stop


@scanner
def _read_value(buffer: np.ndarray, packet: int, i: int, stop: int, what: int) -> tuple[float, int, int, int, int]:
    """A value, its status and bounds as of `_read_text`, and `Reason.NONE` or why it is bad."""
    _, _, i = _text(buffer, i, stop)  # how it is printed
    if packet == _STRING:
        start, end, i = _text(buffer, i, stop)
        if i < 0:
            return 0.0, NOT_A_NUMBER, 0, 0, reasons.FRAME
        value, status, start, end = _read_text(buffer, start, end)
        if what == WORDS:
            return 0.0, NOT_A_NUMBER, start, end, reasons.TEXT
        if status == NOT_A_NUMBER and is_not_finite(buffer, start, end):
            return 0.0, NOT_A_NUMBER, start, end, reasons.VALUE_NOT_FINITE
        if status == NOT_A_NUMBER:
            return 0.0, NOT_A_NUMBER, start, end, reasons.TEXT if what == UNKNOWN else reasons.VALUE
    else:
        word, i = _word(buffer, i, stop)
        status, start, end = EXACT, 0, 0
        value = np.float64(word)
        if packet == _USHORT:
            value = np.float64(word & 0xFFFF)
        elif packet == _SHORT:
            value = np.float64(((word & 0xFFFF) ^ 0x8000) - 0x8000)
        elif packet == _INT:
            value = np.float64((word ^ 0x80000000) - 0x80000000)
        elif packet == _FLOAT:
            value = _shortest(np.uint32(word).view(np.float32))
        elif packet == _DOUBLE:
            low, i = _word(buffer, i, stop)
            bits = np.uint64(word) << np.uint64(32) | np.uint64(low)
            value = np.uint64(bits).view(np.float64)
        if i < 0:
            return 0.0, NOT_A_NUMBER, 0, 0, reasons.FRAME
    if status == EXACT and not np.isfinite(value):
        return 0.0, NOT_A_NUMBER, 0, 0, reasons.VALUE_NOT_FINITE
    return value, status, start, end, reasons.NONE


@inlined
def _unannounced(names: NameArrays, announced: Announced, row: int, name: np.ndarray, length: int, now_ms: int) -> bool:
    """Whether a metric has to wait for its announcement: a new name, for a while."""
    if announced.what[row] != UNKNOWN or now_ms - announced.first_ms[row] >= PATIENCE_MS:
        return False
    return probe(names, name, 0, length, hash_name(names, name, 0, length))[0] < 0


@scanner
def parse_messages(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    message_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    prefix: NDArray[np.uint8],
    announced: Announced,
) -> int:
    """Parse datagrams, each a message; one that cannot be read counts one reject.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the last datagram.
    offsets : int64[s]
    lengths : int32[s]
        The datagrams.
    rows
        Output.
    prefix : uint8[p]
        What stands before host and metric, with its dot.
    announced
        Read, and changed by metadata.

    Returns
    -------
    int
        `DONE`; `NAMES_FULL` or `METRICS_FULL` before a datagram whose name finds no room in one of the tables.
    """
    progress = rows.progress
    values = rows.value.view(np.float64)
    while progress[SPAN] < len(offsets):
        span = progress[SPAN]
        begin = offsets[span]
        stop = begin + lengths[span]
        row = progress[ROWS]
        begin_span(rows, span, row, progress[SEEN])
        progress[SPAN] = span + 1
        packet, i = _word(buffer, begin, stop)
        host_at, host_end, i = _text(buffer, i, stop)
        metric_at, metric_end, i = _text(buffer, i, stop)
        spoof, i = _word(buffer, i, stop)
        length, fault = 0, reasons.FRAME
        if lengths[span] > message_bytes_max:
            fault = reasons.FRAME_LONG
        elif i >= 0 and _METADATA <= packet <= _REQUEST:
            length, fault = _write_name(buffer, (host_at, host_end), (metric_at, metric_end), spoof, prefix, rows.name)
        if fault == reasons.NONE and packet == _METADATA:
            fault = _announce(buffer, i, stop, announced, rows.name, length, now_ms)
            if fault < 0:
                progress[SPAN] = span
                return METRICS_FULL
        internal = _same(buffer, metric_at, metric_end, _HEARTBEAT) or _same(buffer, metric_at, metric_end, _LOCATION)
        if fault == reasons.NONE and (internal or packet in (_METADATA, _REQUEST)):
            continue  # good, and no sample
        value, status, value_at, value_end = 0.0, NOT_A_NUMBER, 0, 0
        entry, what = np.int64(0), UNKNOWN
        if fault == reasons.NONE:
            metric = _row_of(announced, rows.name, length, now_ms)
            if metric == NO_ROOM:
                progress[SPAN] = span
                return METRICS_FULL
            what = announced.what[metric] if metric >= 0 else UNKNOWN
            value, status, value_at, value_end, fault = _read_value(buffer, packet, i, stop, what)
            waits = metric < 0 or _unannounced(names, announced, metric, rows.name, length, now_ms)
            if fault == reasons.NONE and waits:
                fault = reasons.UNDECLARED
        if fault == reasons.NONE:
            entry, hit = resolve(names, rows.name, 0, length, progress[PREVIOUS], progress[TRUST], progress[SEEN])
            if entry == NO_ROOM:
                progress[SPAN] = span
                return NAMES_FULL
            if entry == LIMIT:
                fault = reasons.SERIES_LIMIT
            else:
                progress[TRUST] = learn(names, progress[PREVIOUS], entry, progress[TRUST], hit)
                progress[PREVIOUS] = entry
        progress[SEEN] += 1
        if fault != reasons.NONE:
            reject(rows, fault, begin, stop)
            continue
        if status == HARD:
            note_hard(rows, row, value_at, value_end)
        rows.ids[row] = entry
        rows.timestamp[row] = now_ms
        values[row] = value
        rows.weight[row] = 1.0
        rows.kind[row] = _CUMULATIVE if what == GROWING else _GAUGE
        progress[ROWS] = row + 1
    return DONE
