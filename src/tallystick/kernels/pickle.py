"""A machine that reads pickles and cannot call anything; what carbon means by them is in `kernels.pickle_rows`.

A pickle is a program for a machine with a stack, a memo and marks. This one knows the instructions that push
strings and numbers and that make lists and tuples of them, in all protocols from 0 to 5, and no other: nothing can be
imported, called or built. An instruction that it does not know ends the frame. Each is at least a byte long and makes
at most one node, so a frame of *n* bytes needs *n* nodes and time in proportion.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.numbers import EXACT, HARD, NOT_A_NUMBER, is_not_finite, read_number

OTHER, STRING, NUMBER, TUPLE, LIST = 0, 1, 2, 3, 4
"""Kinds of nodes."""

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
    _push(m, NUMBER, 0, 0, m.number[m.state[_NODES]])


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
def text_number(buffer: np.ndarray, start: int, stop: int) -> tuple[float, int]:
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
        _push(m, OTHER, 0, 0, 0.0)
        return
    value = _little(buffer, start, size)
    if 0 < size < 8 and buffer[stop - 1] >= 0x80:
        value -= np.int64(1) << np.int64(8 * size)
    _push(m, NUMBER, 0, 0, np.float64(value))


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
        _push(m, OTHER if escaped else STRING, start, end - start, 0.0)
        return
    if op == _LONG and end > start and buffer[end - 1] == 0x4C:
        end -= 1
    number, status = text_number(buffer, start, end)
    if status == HARD and op == _FLOAT:  # Python converts it; a whole number so long is none that we take
        _push(m, STRING, start, end - start, 0.0)
    elif status == EXACT or is_not_finite(buffer, start, end):
        _push(m, NUMBER, 0, 0, number if status == EXACT else np.nan)
    else:
        _push(m, OTHER, 0, 0, 0.0)


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
            _push(m, STRING, begin, end - begin, 0.0)
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
        _push(m, NUMBER, 0, 0, np.float64(_little(buffer, i, size)))
    else:
        _push(m, OTHER if op == _NONE else NUMBER, 0, 0, 1.0 if op == _NEWTRUE else 0.0)
    return i + size


@scanner
def run(buffer: np.ndarray, start: int, stop: int, m: PickleMachine) -> int:
    """Run the program of a frame; gives the list or tuple that it makes, or -1 if it makes none."""
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
            _push(m, LIST if op == _EMPTY_LIST else TUPLE, 0, 0, 0.0)
        elif op in (_LIST_OP, _TUPLE_OP, _TUPLE1, _TUPLE2, _TUPLE3):
            count = op - _TUPLE1 + 1 if op >= _TUPLE1 else _since_mark(m)
            good = 0 <= count <= height
            if good:
                _collect(m, count, LIST if op == _LIST_OP else TUPLE)
        elif op in (_APPEND, _APPENDS, _POP_MARK):
            count = 1 if op == _APPEND else _since_mark(m)
            good = 0 <= count <= height and (op == _POP_MARK or count < height)
            if good and op == _POP_MARK:
                state[_HEIGHT] -= count
            elif good:
                into = np.int64(m.stack[height - count - 1])
                good = m.kind[into] == LIST
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
            return -1
    else:
        return -1
    if state[_HEIGHT] != 1 or m.kind[m.stack[0]] < TUPLE:
        return -1
    return np.int64(m.stack[0])
