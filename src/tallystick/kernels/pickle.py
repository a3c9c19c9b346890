"""Carbon's pickled frames to columns, without unpickling: ``[(name, (timestamp, value)), ...]``.

A pickle is a program for a machine with a stack, a memo and marks. This one knows the instructions that push
strings and numbers and that make lists and tuples of them, in all protocols from 0 to 5, and no other: nothing can be
imported, called or built. An instruction that it does not know ends the frame. Each is at least a byte long and makes
at most one node, so a frame of *n* bytes needs *n* nodes and time in proportion.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, find_or_add, guess, learn
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
from tallystick.kernels.words import same_bytes, utf8_valid
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

_FIELDS = int(Reason.FIELDS)
_NAME_EMPTY = int(Reason.NAME_EMPTY)
_NAME_LONG = int(Reason.NAME_LONG)
_NAME_BYTES = int(Reason.NAME_BYTES)
_VALUE = int(Reason.VALUE)
_VALUE_NOT_FINITE = int(Reason.VALUE_NOT_FINITE)
_TIMESTAMP = int(Reason.TIMESTAMP)
_SERIES_LIMIT = int(Reason.SERIES_LIMIT)
_FRAME = int(Reason.FRAME)

TIMESTAMP_MAX_S = 9_000_000_000_000

# Kinds of nodes.
_OTHER, _STRING, _NUMBER, _TUPLE, _LIST = 0, 1, 2, 3, 4

# Instructions, as `pickletools` names them.
_PROTO, _FRAME_OP, _STOP, _MARK = 0x80, 0x95, 0x2E, 0x28
_EMPTY_LIST, _LIST_OP, _APPEND, _APPENDS = 0x5D, 0x6C, 0x61, 0x65
_EMPTY_TUPLE, _TUPLE_OP, _TUPLE1, _TUPLE2, _TUPLE3 = 0x29, 0x74, 0x85, 0x86, 0x87
_SHORT_BINUNICODE, _BINUNICODE, _BINUNICODE8 = 0x8C, 0x58, 0x8D
_SHORT_BINSTRING, _BINSTRING, _SHORT_BINBYTES, _BINBYTES, _BINBYTES8 = 0x55, 0x54, 0x43, 0x42, 0x8E
_STRING_OP, _UNICODE = 0x53, 0x56
_BININT, _BININT1, _BININT2, _INT, _LONG, _LONG1, _LONG4 = 0x4A, 0x4B, 0x4D, 0x49, 0x4C, 0x8A, 0x8B
_FLOAT, _BINFLOAT, _NEWTRUE, _NEWFALSE, _NONE = 0x46, 0x47, 0x88, 0x89, 0x4E
_PUT, _BINPUT, _LONG_BINPUT, _MEMOIZE = 0x70, 0x71, 0x72, 0x94
_GET, _BINGET, _LONG_BINGET = 0x67, 0x68, 0x6A
_POP, _POP_MARK, _DUP = 0x30, 0x31, 0x32

# Positions in `PickleMachine.state`.
_NODES, _HEIGHT, _MARKS, _CELLS, _MEMOIZED, _MEMO_ROOM = 0, 1, 2, 3, 4, 5
STATE_SIZE = 6


class PickleMachine(NamedTuple):
    """Scratch memory with room for a frame of `n` bytes.

    Parameters
    ----------
    kind : uint8[n]
        Kind of each node.
    first, size : int64[n]
        Bytes of a string in the buffer; of a list or tuple its first cell and their number.
    number : float64[n]
    stack, marks, memo : int32[n]
        Nodes; marks are heights of the stack.
    end : int32[n]
        The last cell of a list or tuple.
    held, following : int32[n]
        Cells: what a list or tuple holds in one place, and its next cell.
    state : int64[STATE_SIZE]
    """

    kind: NDArray[np.uint8]
    first: NDArray[np.int64]
    size: NDArray[np.int64]
    number: NDArray[np.float64]
    stack: NDArray[np.int32]
    marks: NDArray[np.int32]
    memo: NDArray[np.int32]
    end: NDArray[np.int32]
    held: NDArray[np.int32]
    following: NDArray[np.int32]
    state: NDArray[np.int64]


@inlined
def _little(buffer: np.ndarray, at: int, size: int) -> int:
    """An unsigned little-endian integer of at most eight bytes, as int64."""
    value = np.uint64(0)
    for k in range(size):
        value |= np.uint64(buffer[at + k]) << np.uint64(8 * k)
    return np.int64(value)


@inlined
def _big_float(m: PickleMachine, buffer: np.ndarray, at: int) -> None:
    """Push eight big-endian bytes as a float."""
    bits = np.uint64(0)
    for k in range(8):
        bits = (bits << np.uint64(8)) | np.uint64(buffer[at + k])
    m.number.view(np.uint64)[m.state[_NODES]] = bits
    _push(m, _NUMBER, 0, 0, m.number[m.state[_NODES]])


@inlined
def _push(m: PickleMachine, kind: int, first: int, size: int, number: float) -> None:
    node = m.state[_NODES]
    m.kind[node] = kind
    m.first[node] = first
    m.size[node] = size
    m.number[node] = number
    m.state[_NODES] = node + 1
    m.stack[m.state[_HEIGHT]] = node
    m.state[_HEIGHT] += 1


@inlined
def _line_end(buffer: np.ndarray, at: int, stop: int) -> int:
    """Position of the newline that ends an argument in text; `stop` if there is none."""
    while at < stop and buffer[at] != 0x0A:
        at += 1
    return at


@inlined
def _text_number(buffer: np.ndarray, start: int, stop: int) -> tuple[float, int]:
    """A number in text, and its status as of `read_number`."""
    value, end, status = read_number(buffer, start)
    return value, status if end == stop else NOT_A_NUMBER


@inlined
def _put_into(m: PickleMachine, node: int, begin: int, count: int) -> None:
    """Put `count` nodes of the stack, from `begin`, behind what a list or tuple holds."""
    for k in range(count):
        cell = m.state[_CELLS]
        m.state[_CELLS] = cell + 1
        m.held[cell] = m.stack[begin + k]
        if m.size[node] == 0:
            m.first[node] = cell
        else:
            m.following[m.end[node]] = cell
        m.end[node] = cell
        m.size[node] += 1


@inlined
def _collect(m: PickleMachine, count: int, kind: int) -> None:
    """Replace the upper `count` nodes of the stack by a tuple or list of them."""
    base, node = m.state[_HEIGHT] - count, m.state[_NODES]
    m.kind[node] = kind
    m.size[node] = 0
    _put_into(m, node, base, count)
    m.state[_HEIGHT] = base
    _push(m, kind, m.first[node], count, 0.0)


@inlined
def _is_pair(m: PickleMachine, node: int) -> bool:
    return m.kind[node] >= _TUPLE and m.size[node] == 2


@inlined
def _pair(m: PickleMachine, node: int) -> tuple[int, int]:
    """The two nodes that a pair holds."""
    cell = m.first[node]
    return np.int64(m.held[cell]), np.int64(m.held[m.following[cell]])


@inlined
def _as_number(m: PickleMachine, buffer: np.ndarray, node: int) -> tuple[float, int]:
    """A number, or a string that is one, as carbon takes it; with its status as of `read_number`."""
    if m.kind[node] == _NUMBER:
        return m.number[node], EXACT
    if m.kind[node] == _STRING and m.size[node] > 0:
        return _text_number(buffer, m.first[node], m.first[node] + m.size[node])
    return 0.0, NOT_A_NUMBER


@inlined
def _name_fault(buffer: np.ndarray, start: int, length: int) -> int:
    if length == 0:
        return _NAME_EMPTY
    if length > NAME_BYTES_MAX:
        return _NAME_LONG
    for i in range(start, start + length):
        if buffer[i] <= 0x20 or buffer[i] == 0x7F:
            return _NAME_BYTES
    return 0 if utf8_valid(buffer, start, start + length) else _NAME_BYTES


@scanner
def _take(
    buffer: np.ndarray, span: tuple[int, int], names: NameArrays, now_ms: int, rows: Rows, m: PickleMachine, item: int
) -> bool:
    """Make a row of what the outermost list holds in one place; False if there is no room for its name."""
    start, stop = span
    progress = rows.progress
    fault, entry = 0, np.int64(0)
    ms, value, valued, number = 0, 0.0, EXACT, 0
    name, point = _pair(m, item) if _is_pair(m, item) else (item, item)
    if name == item or m.kind[name] != _STRING or not _is_pair(m, point):
        fault = _FIELDS
    else:
        timestamp, number = _pair(m, point)
        seconds, timed = _as_number(m, buffer, timestamp)
        value, valued = _as_number(m, buffer, number)
        at, length = m.first[name], m.size[name]
        start, stop = at, at + length
        fault = _name_fault(buffer, at, length)
        if fault == 0 and valued == NOT_A_NUMBER:
            fault = _VALUE
        elif fault == 0 and valued == EXACT and not np.isfinite(value):
            fault = _VALUE_NOT_FINITE
        elif fault == 0 and (timed != EXACT or not (seconds == -1.0 or 0.0 <= seconds <= TIMESTAMP_MAX_S)):
            fault = _TIMESTAMP
        if fault == 0:
            ms = now_ms if seconds == -1.0 else np.int64(np.floor(seconds * 1000.0))
            entry = guess(names, progress[PREVIOUS], progress[TRUST], progress[SEEN])
            hit = (
                entry >= 0
                and names.offsets[entry + 1] - names.offsets[entry] == length
                and same_bytes(names.arena, names.offsets[entry], buffer, at, length)
            )
            if not hit:
                entry = find_or_add(names, buffer, at, length)
            if entry == NO_ROOM:
                return False
            if entry == LIMIT:
                fault = _SERIES_LIMIT
            else:
                progress[TRUST] = learn(names, progress[PREVIOUS], entry, progress[TRUST], hit)
                progress[PREVIOUS] = entry
    progress[SEEN] += 1
    if fault != 0:
        reject(rows, fault, start, stop)
        return True
    row = progress[ROWS]
    if valued == HARD:
        note_hard(rows, row, m.first[number], m.first[number] + m.size[number])
    rows.ids[row] = entry
    rows.timestamp[row] = ms
    rows.value.view(np.float64)[row] = value
    progress[ROWS] = row + 1
    return True


_RAN, _FULL, _FAULT = 0, 1, 2


@inlined
def _argument(buffer: np.ndarray, i: int, stop: int, width: int) -> tuple[int, int]:
    """Bounds of a string behind its length of `width` bytes at `i`; the start is -1 if it does not fit the frame."""
    if i + width > stop:
        return -1, 0
    length = _little(buffer, i, width)
    if length < 0 or length > stop - i - width:
        return -1, 0
    return i + width, i + width + length


@inlined
def _long(m: PickleMachine, buffer: np.ndarray, start: int, stop: int) -> None:
    """Push a little-endian integer in two's complement; one of more than eight bytes is no number that we take."""
    size = stop - start
    if size > 8:
        _push(m, _OTHER, 0, 0, 0.0)
        return
    value = _little(buffer, start, size)
    if 0 < size < 8 and buffer[stop - 1] >= 0x80:
        value -= np.int64(1) << np.int64(8 * size)
    _push(m, _NUMBER, 0, 0, np.float64(value))


@inlined
def _memoize(m: PickleMachine, index: int) -> bool:
    if m.state[_HEIGHT] == 0 or not 0 <= index < m.state[_MEMO_ROOM]:
        return False
    m.memo[index] = m.stack[m.state[_HEIGHT] - 1]
    return True


@inlined
def _recall(m: PickleMachine, index: int) -> bool:
    if not 0 <= index < m.state[_MEMO_ROOM] or m.memo[index] < 0:
        return False
    m.stack[m.state[_HEIGHT]] = m.memo[index]
    m.state[_HEIGHT] += 1
    return True


@inlined
def _decimal(buffer: np.ndarray, start: int, stop: int) -> int:
    """A memo's index in text, or -1."""
    value = 0
    for i in range(start, stop):
        if not 0x30 <= buffer[i] <= 0x39 or value > 1 << 40:
            return -1
        value = value * 10 + np.int64(buffer[i] - 0x30)
    return value if stop > start else -1


@inlined
def _since_mark(m: PickleMachine) -> int:
    """How many nodes lie above the last mark, which is taken away; -1 if there is none."""
    marks = m.state[_MARKS]
    if marks == 0:
        return -1
    m.state[_MARKS] = marks - 1
    return m.state[_HEIGHT] - np.int64(m.marks[marks - 1])


@inlined
def _push_line(m: PickleMachine, buffer: np.ndarray, op: int, start: int, end: int) -> None:
    """Push the argument in text of an instruction of protocol 0."""
    if op == _STRING_OP:
        quoted = end - start >= 2 and buffer[start] == buffer[end - 1] and buffer[start] in (0x22, 0x27)
        start, end = (start + 1, end - 1) if quoted else (start, start)
    if op in (_STRING_OP, _UNICODE):
        escaped = False
        for k in range(start, end):
            escaped |= buffer[k] == 0x5C or buffer[k] >= 0x80  # there it is Latin-1
        _push(m, _OTHER if escaped else _STRING, start, end - start, 0.0)
        return
    if op == _LONG and end > start and buffer[end - 1] == 0x4C:
        end -= 1
    number, status = _text_number(buffer, start, end)
    if status == HARD and op == _FLOAT:  # Python converts it; a whole number so long is none that we take
        _push(m, _STRING, start, end - start, 0.0)
    elif status == EXACT or is_not_finite(buffer, start, end):
        _push(m, _NUMBER, 0, 0, number if status == EXACT else np.nan)
    else:
        _push(m, _OTHER, 0, 0, 0.0)


@inlined
def _push_binary(m: PickleMachine, buffer: np.ndarray, op: int, i: int, stop: int) -> int:
    """Push a string or number in binary; gives the position behind it, -1 if it does not fit the frame, -2 if it is
    none."""
    if op in (_SHORT_BINUNICODE, _SHORT_BINSTRING, _SHORT_BINBYTES, _LONG1):
        width = 1
    elif op in (_BINUNICODE, _BINSTRING, _BINBYTES, _LONG4):
        width = 4
    elif op in (_BINUNICODE8, _BINBYTES8):
        width = 8
    else:
        width = 0
    if width:
        begin, end = _argument(buffer, i, stop, width)
        if begin < 0:
            return -1
        if op in (_LONG1, _LONG4):
            _long(m, buffer, begin, end)
        else:
            _push(m, _STRING, begin, end - begin, 0.0)
        return end
    size = 0
    if op == _BINFLOAT:
        size = 8
    elif op == _BININT:
        size = 4
    elif op == _BININT2:
        size = 2
    elif op == _BININT1:
        size = 1
    elif op not in (_NEWTRUE, _NEWFALSE, _NONE):
        return -2
    if i + size > stop:
        return -1
    if op == _BINFLOAT:
        _big_float(m, buffer, i)
    elif op == _BININT:
        _long(m, buffer, i, i + 4)
    elif size:
        _push(m, _NUMBER, 0, 0, np.float64(_little(buffer, i, size)))
    else:
        _push(m, _OTHER if op == _NONE else _NUMBER, 0, 0, 1.0 if op == _NEWTRUE else 0.0)
    return i + size


@scanner
def _run(
    buffer: np.ndarray, start: int, stop: int, names: NameArrays, now_ms: int, rows: Rows, m: PickleMachine
) -> int:
    """Run the program of a frame."""
    state = m.state
    state[:] = 0
    state[_MEMO_ROOM] = stop - start
    m.memo[: stop - start] = -1
    i = start
    while i < stop:
        op = np.int64(buffer[i])
        i += 1
        height = state[_HEIGHT]
        good = True
        count = -1
        if op == _STOP:
            break
        if op in (_PROTO, _FRAME_OP):
            i += 1 if op == _PROTO else 8
        elif op == _MARK:
            m.marks[state[_MARKS]] = height
            state[_MARKS] += 1
        elif op in (_EMPTY_LIST, _EMPTY_TUPLE):
            _push(m, _LIST if op == _EMPTY_LIST else _TUPLE, 0, 0, 0.0)
        elif op in (_LIST_OP, _TUPLE_OP, _TUPLE1, _TUPLE2, _TUPLE3):
            count = op - _TUPLE1 + 1 if op >= _TUPLE1 else _since_mark(m)
            good = 0 <= count <= height
            if good:
                _collect(m, count, _LIST if op == _LIST_OP else _TUPLE)
        elif op in (_APPEND, _APPENDS, _POP_MARK):
            count = 1 if op == _APPEND else _since_mark(m)
            good = 0 <= count <= height and (op == _POP_MARK or count < height)
            if good and op == _POP_MARK:
                state[_HEIGHT] -= count
            elif good:
                into = np.int64(m.stack[height - count - 1])
                good = m.kind[into] == _LIST
                if good:
                    _put_into(m, into, height - count, count)
                    state[_HEIGHT] -= count
        elif op in (_STRING_OP, _UNICODE, _INT, _LONG, _FLOAT, _PUT, _GET):
            end = _line_end(buffer, i, stop)
            good = end < stop
            if good and op == _PUT:
                good = _memoize(m, _decimal(buffer, i, end))
            elif good and op == _GET:
                good = _recall(m, _decimal(buffer, i, end))
            elif good:
                _push_line(m, buffer, op, i, end)
            i = end + 1
        elif op in (_BINPUT, _LONG_BINPUT, _BINGET, _LONG_BINGET):
            width = 1 if op in (_BINPUT, _BINGET) else 4
            good = i + width <= stop
            if good and op in (_BINPUT, _LONG_BINPUT):
                good = _memoize(m, _little(buffer, i, width))
            elif good:
                good = _recall(m, _little(buffer, i, width))
            i += width
        elif op == _MEMOIZE:
            good = _memoize(m, state[_MEMOIZED])
            state[_MEMOIZED] += 1
        elif op == _POP:
            good = height > 0
            state[_HEIGHT] -= 1
        elif op == _DUP:
            good = height > 0
            if good:
                m.stack[height] = m.stack[height - 1]
                state[_HEIGHT] += 1
        else:
            i = _push_binary(m, buffer, op, i, stop)
            good = i >= 0
        if not good:
            return _FAULT
    else:
        return _FAULT
    if state[_HEIGHT] != 1 or m.kind[m.stack[0]] < _TUPLE:
        return _FAULT
    outermost = np.int64(m.stack[0])
    cell = m.first[outermost]
    for _ in range(m.size[outermost]):
        if not _take(buffer, (start, stop), names, now_ms, rows, m, np.int64(m.held[cell])):
            return _FULL
        cell = np.int64(m.following[cell])
    return _RAN


@scanner
def parse_frames(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    machine: PickleMachine,
) -> int:
    """Run the frames of a buffer; one that cannot be read counts one reject.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the last frame.
    offsets : int64[s]
    lengths : int32[s]
        The frames, without their lengths.
    names
        With room for a name every six bytes of a frame.
    rows
        Output.
    machine
        With room for the longest frame.

    Returns
    -------
    int
        `DONE`, or `NAMES_FULL` if the names had less room than that.
    """
    progress = rows.progress
    while progress[SPAN] < len(offsets):
        start = offsets[progress[SPAN]]
        begin_span(rows, progress[SPAN], progress[ROWS], progress[SEEN])
        ended = _run(buffer, start, start + lengths[progress[SPAN]], names, now_ms, rows, machine)
        if ended == _FULL:
            return NAMES_FULL
        if ended == _FAULT:
            reject(rows, _FRAME, start, start + lengths[progress[SPAN]])
            progress[SEEN] += 1
        progress[SPAN] += 1
    return DONE
