"""collectd's packets to columns; the format is in `tallystick.parse.collectd`.

Texts and times hold for all values behind them in their packet. A part whose length cannot be right ends its packet:
where the next one begins is not known. A value costs its nine bytes and a name, whatever a length says.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.collectd_names import (
    ALWAYS_APPEND_DS,
    HOST,
    PLUGIN,
    TEXTS_SIZE,
    TYPE,
    USE_TAGS,
    Naming,
    append_source,
    write_name,
    write_tagged,
)
from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.fields import TIMESTAMP_MAX_S
from tallystick.kernels.names import LIMIT, NameArrays, has_room, hash_name, learn, probe, resolve
from tallystick.kernels.rows import (
    DONE,
    NAMES_FULL,
    POSITION,
    PREVIOUS,
    REJECTS,
    ROWS,
    SEEN,
    SPAN,
    TRUST,
    Rows,
    begin_span,
    reject,
)
from tallystick.kernels.words import utf8_valid
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

_NONE = int(Reason.NONE)
_NAME_EMPTY = int(Reason.NAME_EMPTY)
_NAME_LONG = int(Reason.NAME_LONG)
_NAME_BYTES = int(Reason.NAME_BYTES)
_VALUE_NOT_FINITE = int(Reason.VALUE_NOT_FINITE)
_TIMESTAMP = int(Reason.TIMESTAMP)
_SERIES_LIMIT = int(Reason.SERIES_LIMIT)
_FRAME = int(Reason.FRAME)
_SIGNATURE = int(Reason.SIGNATURE)
_UNDECLARED = int(Reason.UNDECLARED)
_UNSUPPORTED = int(Reason.UNSUPPORTED)

# Types of parts.
_HOST, _TIME, _TYPE_INSTANCE, _VALUES, _INTERVAL, _TIME_HR, _INTERVAL_HR = 0, 1, 5, 6, 7, 8, 9
_MESSAGE, _SEVERITY, _SIGNED, _ENCRYPTED = 0x100, 0x101, 0x200, 0x210
_HEAD_BYTES = 4
_NUMBER_BYTES = 12
_VALUES_HEAD_BYTES = 6
_VALUE_BYTES = 9

# Kinds of values.
_COUNTER, _GAUGE, _DERIVE, _ABSOLUTE = 0, 1, 2, 3
_KIND_GAUGE, _KIND_COUNTER, _KIND_CUMULATIVE = int(Kind.GAUGE), int(Kind.COUNTER), int(Kind.CUMULATIVE)
_EXPONENT = np.uint64(0x7FF0000000000000)

_SECOND_BITS = np.uint64(30)
_FRACTION = np.uint64((1 << 30) - 1)

TOLD_BYTES = 512
"""So much of a reject is told."""

# What a packet's texts and numbers come to, behind the bounds of its texts.
_TIME_MS, _WHOLE, _STEM, _FIRST, _COUNT, _FAULT, _NEXT = range(TEXTS_SIZE, TEXTS_SIZE + 7)
STATE_SIZE = TEXTS_SIZE + 7
_UNWRITTEN = -1


class Types(NamedTuple):
    """What ``types.db`` says: which values a type has.

    Parameters
    ----------
    names
        The types.
    first : int32[types + 1]
        The values of type ``i`` are ``first[i]`` to ``first[i + 1]``.
    sources : uint8[n]
    bounds : int64[values + 1]
        The name of value ``k`` is ``sources[bounds[k]:bounds[k + 1]]``, as it stands in a series' name.
    """

    names: NameArrays
    first: NDArray[np.int32]
    sources: NDArray[np.uint8]
    bounds: NDArray[np.int64]


class Packet(NamedTuple):
    """What is known within a packet, kept while the names are given more room, and what is told of rejects.

    Parameters
    ----------
    state : int64[STATE_SIZE]
        First the bounds of the texts in the buffer, as `kernels.collectd_names` counts them.
    told : uint8[rejects, TOLD_BYTES]
        The series that a reject is of, or other words.
    told_bytes : int32[rejects]
    """

    state: NDArray[np.int64]
    told: NDArray[np.uint8]
    told_bytes: NDArray[np.int32]


@inlined
def _swapped(word: int) -> int:
    """A uint64 with its bytes the other way round."""
    word = ((word & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)) | (
        (word >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    )
    word = ((word & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)) | (
        (word >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    )
    return (word << np.uint64(32)) | (word >> np.uint64(32))


@inlined
def _short(buffer: np.ndarray, at: int) -> int:
    """Two bytes, big-endian."""
    return (np.int64(buffer[at]) << 8) | np.int64(buffer[at + 1])


@inlined
def _milliseconds(number: int, high_resolution: bool) -> int:
    """A time of the protocol, rounded as collectd does; beyond what can be held it is 0, as if there were none."""
    if high_resolution:
        return np.int64(
            (number >> _SECOND_BITS) * np.uint64(1000)
            + (((number & _FRACTION) * np.uint64(1000) + np.uint64(1 << 29)) >> _SECOND_BITS)
        )
    return np.int64(number) * 1000 if number <= np.uint64(TIMESTAMP_MAX_S) else 0


@inlined
def _tell(
    rows: Rows, packet: Packet, reason: int, at: int, end: int, source: np.ndarray, start: int, stop: int
) -> None:
    """Reject ``buffer[at:end]``; of one that is noted ``source[start:stop]`` is told."""
    k = rows.progress[REJECTS]
    if k < len(packet.told):
        packet.told_bytes[k] = min(stop - start, TOLD_BYTES)
        for i in range(packet.told_bytes[k]):
            packet.told[k, i] = source[start + i]
    reject(rows, reason, at, end)


@inlined
def _text_end(buffer: np.ndarray, start: int, stop: int) -> int:
    """Where a text ends that a zero byte ends; -1 if the part does not end with one."""
    if stop <= start or buffer[stop - 1] != 0:
        return -1
    while buffer[start] != 0:
        start += 1
    return start


@scanner
def _name(buffer: np.ndarray, types: Types, naming: Naming, state: np.ndarray, out: np.ndarray) -> None:
    """Find out what the values of this host, plugin and type are called."""
    entry = np.int64(-1)
    length = state[TYPE + 1] - state[TYPE]
    if length > 0:
        hashed = hash_name(types.names, buffer, state[TYPE], length)
        entry, _ = probe(types.names, buffer, state[TYPE], length, hashed)
    state[_FIRST] = types.first[entry] if entry >= 0 else 0
    state[_COUNT] = types.first[entry + 1] - types.first[entry] if entry >= 0 else 0
    whole, stem = write_name(buffer, state, naming, out)
    state[_WHOLE], state[_STEM] = whole, stem
    state[_FAULT] = _NONE
    if length == 0 or state[HOST] == state[HOST + 1] or state[PLUGIN] == state[PLUGIN + 1]:
        state[_FAULT] = _NAME_EMPTY
    elif whole > NAME_BYTES_MAX:
        state[_FAULT] = _NAME_LONG
    else:
        plain = True
        for k in range(whole):
            plain &= out[k] < 0x80
        if not plain and not utf8_valid(out, 0, whole):
            state[_FAULT] = _NAME_BYTES


@inlined
def _value(word: int, kind: int) -> tuple[float, int]:
    """A value, and its `Kind`."""
    if kind == _GAUGE:
        return np.uint64(word).view(np.float64), _KIND_GAUGE
    number = _swapped(word)
    if kind == _DERIVE:
        return np.float64(np.int64(number)), _KIND_CUMULATIVE
    return np.float64(number), _KIND_COUNTER if kind == _ABSOLUTE else _KIND_CUMULATIVE


@scanner
def _take(
    buffer: np.ndarray, at: int, stop: int, names: NameArrays, rows: Rows, types: Types, naming: Naming, packet: Packet
) -> bool:
    """Take the values of the part ``buffer[at:stop]``; False if there is no room for the name of the next one."""
    state, progress, out = packet.state, rows.progress, rows.name
    count = (stop - at - _VALUES_HEAD_BYTES) // _VALUE_BYTES
    kinds = at + _VALUES_HEAD_BYTES
    values = kinds + count
    tagged = naming.options[0] & USE_TAGS != 0
    if state[_WHOLE] == _UNWRITTEN:
        _name(buffer, types, naming, state, out)
    fault = state[_FAULT]
    appended = count > 1 or naming.options[0] & ALWAYS_APPEND_DS != 0
    declared = count == state[_COUNT] or (count == 1 and state[_COUNT] == 0 and not appended)
    if fault == _NONE and state[_TIME_MS] <= 0:
        fault = _TIMESTAMP
    for k in range(state[_NEXT], count):
        if not has_room(names, NAME_BYTES_MAX):
            state[_NEXT] = k
            return False
        progress[SEEN] += 1
        if fault == _NAME_LONG:
            _tell(rows, packet, fault, at, stop, buffer, state[HOST], state[HOST + 1])
            continue
        if fault != _NONE:
            _tell(rows, packet, fault, at, stop, out, 0, state[_WHOLE])
            continue
        if not declared:
            _tell(rows, packet, _UNDECLARED, at, stop, buffer, state[TYPE], state[TYPE + 1])
            continue
        start, end = np.int64(0), np.int64(0)
        if appended:
            start, end = types.bounds[state[_FIRST] + k], types.bounds[state[_FIRST] + k + 1]
        if tagged:
            length = write_tagged(buffer, state, naming, types.sources, (start, end), out)
        elif appended:
            length = append_source(types.sources, start, end, out, state[_STEM])
        else:
            length = state[_WHOLE]
        if length > NAME_BYTES_MAX:
            _tell(rows, packet, _NAME_LONG, at, stop, out, 0, state[_STEM])
            continue
        word = load_u64(buffer, values + 8 * k)
        kind = np.int64(buffer[kinds + k])
        if kind == _GAUGE and word & _EXPONENT == _EXPONENT:
            _tell(rows, packet, _VALUE_NOT_FINITE, at, stop, out, 0, length)
            continue
        entry, hit = resolve(names, out, 0, length, progress[PREVIOUS], progress[TRUST], progress[SEEN])
        if entry == LIMIT:
            _tell(rows, packet, _SERIES_LIMIT, at, stop, out, 0, length)
            continue
        progress[TRUST] = learn(names, progress[PREVIOUS], entry, progress[TRUST], hit)
        progress[PREVIOUS] = entry
        row = progress[ROWS]
        rows.ids[row] = entry
        rows.timestamp[row] = state[_TIME_MS]
        rows.value.view(np.float64)[row], rows.kind[row] = _value(word, kind)
        rows.weight[row] = 1.0
        progress[ROWS] = row + 1
    state[_NEXT] = 0
    if tagged or state[_STEM] < state[_WHOLE]:
        state[_WHOLE] = _UNWRITTEN  # the name that was written last stands in its place
    return True


@inlined
def _values_good(buffer: np.ndarray, at: int, stop: int) -> bool:
    """Whether a part has as many values as it says, of kinds that there are."""
    if stop - at < _VALUES_HEAD_BYTES:
        return False
    count = _short(buffer, at + _HEAD_BYTES)
    if stop - at != _VALUES_HEAD_BYTES + _VALUE_BYTES * count:
        return False
    good = True
    for k in range(count):
        good &= buffer[at + _VALUES_HEAD_BYTES + k] <= _ABSOLUTE
    return good


@inlined
def _note_part(buffer: np.ndarray, at: int, stop: int, part: int, state: np.ndarray) -> int:
    """Take a text or a number for what follows; gives `Reason.NONE` or what is wrong with the part."""
    if part == _HOST or 2 <= part <= _TYPE_INSTANCE:
        end = _text_end(buffer, at + _HEAD_BYTES, stop)
        if end < 0:
            return _FRAME
        which = 0 if part == _HOST else 2 * (part - 1)
        state[which], state[which + 1] = at + _HEAD_BYTES, end
        state[_WHOLE] = _UNWRITTEN
    elif part in (_TIME, _TIME_HR, _INTERVAL, _INTERVAL_HR, _SEVERITY):
        if stop - at != _NUMBER_BYTES:
            return _FRAME
        if part in (_TIME, _TIME_HR):
            state[_TIME_MS] = _milliseconds(_swapped(load_u64(buffer, at + _HEAD_BYTES)), part == _TIME_HR)
    elif part in (_SIGNED, _ENCRYPTED):
        return _SIGNATURE
    return _NONE


@scanner
def _read(
    buffer: np.ndarray, i: int, stop: int, names: NameArrays, rows: Rows, types: Types, naming: Naming, packet: Packet
) -> int:
    """Read the parts of a packet from `i` on; gives where it stands: `stop`, or a part that finds no room."""
    state = packet.state
    while i < stop:
        end = i + _short(buffer, i + 2) if stop - i >= _HEAD_BYTES else stop + 1
        fault = _FRAME if end > stop or end < i + _HEAD_BYTES else _NONE
        part = _short(buffer, i) if fault == _NONE else -1
        if part == _VALUES:
            if not _values_good(buffer, i, end):
                fault = _FRAME
            elif not _take(buffer, i, end, names, rows, types, naming, packet):
                return i
        elif part == _MESSAGE:
            text = _text_end(buffer, i + _HEAD_BYTES, end)
            if text < 0:
                fault = _FRAME
            else:
                rows.progress[SEEN] += 1
                _tell(rows, packet, _UNSUPPORTED, i, end, buffer, i + _HEAD_BYTES, text)
        elif fault == _NONE:
            fault = _note_part(buffer, i, end, part, state)
        if fault != _NONE:
            rows.progress[SEEN] += 1
            _tell(rows, packet, fault, i, stop, buffer, i, stop)
            return stop
        i = end
    return stop


@scanner
def parse_packets(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    faults: np.ndarray,
    names: NameArrays,
    rows: Rows,
    types: Types,
    naming: Naming,
    packet: Packet,
) -> int:
    """Read packets, each a span of the buffer.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the last packet.
    offsets : int64[s]
    lengths : int32[s]
        The packets, without signature and encryption.
    faults : uint8[s]
        `Reason.NONE`, or why a packet is not read; its span is then what is told of it.
    rows
        Output.

    Returns
    -------
    int
        `DONE` or `NAMES_FULL`.
    """
    progress, state = rows.progress, packet.state
    while progress[SPAN] < len(offsets):
        span = progress[SPAN]
        start = offsets[span]
        stop = start + lengths[span]
        i = progress[POSITION]
        if i < 0:
            begin_span(rows, span, progress[ROWS], progress[SEEN])
            state[:] = 0
            state[_WHOLE] = _UNWRITTEN
            i = start
            if faults[span] != _NONE:
                progress[SEEN] += 1
                _tell(rows, packet, np.int64(faults[span]), start, stop, buffer, start, stop)
                i = stop
        if i < stop:
            i = _read(buffer, i, stop, names, rows, types, naming, packet)
            if i < stop:
                progress[POSITION] = i
                return NAMES_FULL
        progress[SPAN] = span + 1
        progress[POSITION] = -1
    return DONE
