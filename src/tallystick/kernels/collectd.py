"""collectd's packets to columns; the format is in `tallystick.parse.collectd`.

Texts and times hold for all values behind them in their packet. A part whose length cannot be right ends its packet:
where the next one begins is not known. A value costs its nine bytes and a name, whatever a length says.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.collectd_names import TEXTS_SIZE, TYPE, Naming
from tallystick.kernels.collectd_values import (
    ABSOLUTE,
    DERIVE,
    GAUGE,
    Told,
    appends_source,
    has_tags,
    refuse_all,
    take_value,
    tell,
    write_common,
)
from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.fields import TIMESTAMP_MAX_S
from tallystick.kernels.names import NameArrays, has_room, hash_name, probe
from tallystick.kernels.rows import DONE, NAMES_FULL, POSITION, ROWS, SEEN, SPAN, Rows, begin_span
from tallystick.model.name import NAME_BYTES_MAX

# Types of parts.
_HOST, _TIME, _TYPE_INSTANCE, _VALUES, _INTERVAL, _TIME_HR, _INTERVAL_HR = 0, 1, 5, 6, 7, 8, 9
_MESSAGE, _SEVERITY, _SIGNED, _ENCRYPTED = 0x100, 0x101, 0x200, 0x210
_HEAD_BYTES = 4
_NUMBER_BYTES = 12
_VALUES_HEAD_BYTES = 6
_VALUE_BYTES = 9

_SECOND_BITS = np.uint64(30)
_FRACTION = np.uint64((1 << 30) - 1)

# What a packet's texts and numbers come to, behind the bounds of its texts.
_TIME_MS, _WHOLE, _STEM, _FIRST, _COUNT, _FAULT, _NEXT = range(TEXTS_SIZE, TEXTS_SIZE + 7)
STATE_SIZE = TEXTS_SIZE + 7
"""How many numbers are known of a packet, from one part to the next: int64[STATE_SIZE]."""
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
    state[_WHOLE], state[_STEM], state[_FAULT] = write_common(buffer, state, naming, out)


@inlined
def _value(word: int, kind: int) -> float:
    if kind == GAUGE:
        return np.uint64(word).view(np.float64)
    number = _swapped(word)
    return np.float64(np.int64(number)) if kind == DERIVE else np.float64(number)


@scanner
def _take(
    buffer: np.ndarray,
    at: int,
    stop: int,
    names: NameArrays,
    rows: Rows,
    types: Types,
    naming: Naming,
    state: np.ndarray,
    told: Told,
) -> bool:
    """Take the values of the part ``buffer[at:stop]``; False if there is no room for the name of the next one."""
    count = (stop - at - _VALUES_HEAD_BYTES) // _VALUE_BYTES
    kinds = at + _VALUES_HEAD_BYTES
    values = kinds + count
    if state[_WHOLE] == _UNWRITTEN:
        _name(buffer, types, naming, state, rows.name)
    fault = state[_FAULT]
    if fault == reasons.NONE and state[_TIME_MS] <= 0:
        fault = reasons.TIMESTAMP
    appended = appends_source(naming, count)
    declared = count == state[_COUNT] or (count == 1 and state[_COUNT] == 0 and not appended)
    for k in range(state[_NEXT], count):
        if not has_room(names, NAME_BYTES_MAX):
            state[_NEXT] = k
            return False
        if fault != reasons.NONE:
            refuse_all(rows, told, fault, (at, stop), buffer, state, (rows.name, state[_WHOLE]))
            continue
        if not declared:
            rows.progress[SEEN] += 1
            tell(rows, told, reasons.UNDECLARED, at, stop, buffer, state[TYPE], state[TYPE + 1])
            continue
        start, end = np.int64(0), np.int64(0)
        if appended:
            start, end = types.bounds[state[_FIRST] + k], types.bounds[state[_FIRST] + k + 1]
        kind = np.int64(buffer[kinds + k])
        value = _value(load_u64(buffer, values + 8 * k), kind)
        take_value(
            buffer,
            state,
            naming,
            (state[_WHOLE], state[_STEM]),
            (types.sources, start, end),
            (state[_TIME_MS], value, kind),
            (at, stop),
            names,
            rows,
            told,
        )
    state[_NEXT] = 0
    if has_tags(naming) or state[_STEM] < state[_WHOLE]:
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
        good &= buffer[at + _VALUES_HEAD_BYTES + k] <= ABSOLUTE
    return good


@inlined
def _note_part(buffer: np.ndarray, at: int, stop: int, part: int, state: np.ndarray) -> int:
    """Take a text or a number for what follows; gives `Reason.NONE` or what is wrong with the part."""
    if part == _HOST or 2 <= part <= _TYPE_INSTANCE:
        end = _text_end(buffer, at + _HEAD_BYTES, stop)
        if end < 0:
            return reasons.FRAME
        which = 0 if part == _HOST else 2 * (part - 1)
        state[which], state[which + 1] = at + _HEAD_BYTES, end
        state[_WHOLE] = _UNWRITTEN
    elif part in (_TIME, _TIME_HR, _INTERVAL, _INTERVAL_HR, _SEVERITY):
        if stop - at != _NUMBER_BYTES:
            return reasons.FRAME
        if part in (_TIME, _TIME_HR):
            state[_TIME_MS] = _milliseconds(_swapped(load_u64(buffer, at + _HEAD_BYTES)), part == _TIME_HR)
    elif part in (_SIGNED, _ENCRYPTED):
        return reasons.SIGNATURE
    return reasons.NONE


@scanner
def _read(
    buffer: np.ndarray,
    i: int,
    stop: int,
    names: NameArrays,
    rows: Rows,
    types: Types,
    naming: Naming,
    state: np.ndarray,
    told: Told,
) -> int:
    """Read the parts of a packet from `i` on; gives where it stands: `stop`, or a part that finds no room."""
    while i < stop:
        end = i + _short(buffer, i + 2) if stop - i >= _HEAD_BYTES else stop + 1
        fault = reasons.FRAME if end > stop or end < i + _HEAD_BYTES else reasons.NONE
        part = _short(buffer, i) if fault == reasons.NONE else -1
        if part == _VALUES:
            if not _values_good(buffer, i, end):
                fault = reasons.FRAME
            elif not _take(buffer, i, end, names, rows, types, naming, state, told):
                return i
        elif part == _MESSAGE:
            text = _text_end(buffer, i + _HEAD_BYTES, end)
            if text < 0:
                fault = reasons.FRAME
            else:
                rows.progress[SEEN] += 1
                tell(rows, told, reasons.UNSUPPORTED, i, end, buffer, i + _HEAD_BYTES, text)
        elif fault == reasons.NONE:
            fault = _note_part(buffer, i, end, part, state)
        if fault != reasons.NONE:
            rows.progress[SEEN] += 1
            tell(rows, told, fault, i, stop, buffer, i, stop)
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
    state: np.ndarray,
    told: Told,
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
    rows, told
        Output.
    state
        Scratch memory, left as it is while the names are given more room.

    Returns
    -------
    int
        `DONE` or `NAMES_FULL`.
    """
    progress = rows.progress
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
            if faults[span] != reasons.NONE:
                progress[SEEN] += 1
                tell(rows, told, np.int64(faults[span]), start, stop, buffer, start, stop)
                i = stop
        if i < stop:
            i = _read(buffer, i, stop, names, rows, types, naming, state, told)
            if i < stop:
                progress[POSITION] = i
                return NAMES_FULL
        progress[SPAN] = span + 1
        progress[POSITION] = -1
    return DONE
