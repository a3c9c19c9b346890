"""What collectd's plugin ``write_http`` posts as JSON, to columns; the grammar is in `tallystick.parse.collectd.posts`.

A list of values is read whole, into a `Lists` of one row, and then taken. Where the names or that row have no room for
it, the kernel ends before the list, and reads it again when it is called again.
"""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.collectd_lists import Lists, take_list
from tallystick.kernels.collectd_names import HOST, PLUGIN, PLUGIN_INSTANCE, TYPE, TYPE_INSTANCE, Naming
from tallystick.kernels.collectd_values import ABSOLUTE, COUNTER, DERIVE, GAUGE, Told, tell
from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.json_text import (
    BROKEN,
    CLOSE,
    CLOSE_LIST,
    COMMA,
    DEPTH_MAX,
    OPEN,
    OPEN_LIST,
    QUOTE,
    find_member,
    is_null,
    is_utf8,
    keys_of,
    plain_string_end,
    read_json_number,
    skip_blanks,
    string_end,
    value_end,
    word_of,
    write_string,
)
from tallystick.kernels.names import NameArrays
from tallystick.kernels.numbers import HARD, NOT_A_NUMBER, read_number
from tallystick.kernels.rows import DONE, NAMES_FULL, POSITION, SEEN, Rows
from tallystick.kernels.stores import copy_words

LIST_FULL = 2
"""Beside `DONE` and `NAMES_FULL`: a list has more values than there is room for."""
NOT_JSON = 3
"""The body is no list in JSON, and what was taken of it is to be taken back."""

TAKEN = 0
"""Position in the state of a body: how many values of the list that comes next are taken already."""
STATE_SIZE = 1

_TIME_MS_MAX = 9_000_000_000_000_000
_TIME_CHARACTERS = 19
_POINT_E = 0x65

# The texts come first, in the order of their bounds; then what a list cannot do without, and the rest.
_MEMBERS = ("host", "plugin", "plugin_instance", "type", "type_instance", "values", "dstypes", "dsnames", "time")
_KEYS = keys_of([*_MEMBERS, "interval", "labels"])
_TEXTS_END, _VALUES, _KINDS, _SOURCES, _TIME, _INTERVAL, _LABELS = 5, 5, 6, 7, 8, 9, 10
_NEEDED = sum(1 << k for k in (0, 1, 3, _VALUES, _KINDS, _SOURCES, _TIME))
_BOUNDS = np.array([HOST, PLUGIN, PLUGIN_INSTANCE, TYPE, TYPE_INSTANCE])

_UNKNOWN_KIND = -1
_KIND_WORDS = np.array([word_of(word) for word in (b'gauge"', b'derive"', b'counter"', b"absolute")])
_KIND_MASKS = np.array([(1 << 8 * size) - 1 for size in (6, 7, 8, 8)], np.uint64)
_KIND_NUMBERS = np.array([GAUGE, DERIVE, COUNTER, ABSOLUTE])


@inlined
def _copy_text(buffer: np.ndarray, i: int, stop: int, out: np.ndarray, length: int) -> tuple[int, int]:
    """Append the text of a string to `out`; the length, and the position behind it, or `BROKEN` if it is none."""
    if i >= stop or buffer[i] != QUOTE:
        return length, BROKEN
    end = plain_string_end(buffer, i + 1, stop)
    if end >= 0:
        return copy_words(buffer, i + 1, end, out, length), end + 1
    end = string_end(buffer, i + 1, stop)
    if end < 0:
        return length, BROKEN
    written = write_string(buffer, i + 1, end, out, length)
    return max(written, length), end + 1 if written >= 0 else BROKEN


@inlined
def _after_item(buffer: np.ndarray, i: int, stop: int) -> tuple[int, bool]:
    """Position of the next item of a list, or behind the list, and whether that is so; `BROKEN` if neither follows."""
    i = skip_blanks(buffer, i, stop)
    if i < stop and buffer[i] == CLOSE_LIST:
        return i + 1, True
    if i >= stop or buffer[i] != COMMA:
        return BROKEN, True
    return skip_blanks(buffer, i + 1, stop), False


@inlined
def _first_item(buffer: np.ndarray, i: int, stop: int) -> tuple[int, bool]:
    """Position of the first item of a list that begins at `i`, as `_after_item`."""
    if buffer[i] != OPEN_LIST:
        return BROKEN, True
    i = skip_blanks(buffer, i + 1, stop)
    if i < stop and buffer[i] == CLOSE_LIST:
        return i + 1, True
    return i, False


@inlined
def _read_values(buffer: np.ndarray, i: int, stop: int, lists: Lists) -> tuple[int, int]:
    """Read numbers, of which ``null`` is one that there is not; how many, and the position behind, or `BROKEN`."""
    count = 0
    i, ended = _first_item(buffer, i, stop)
    while not ended:
        value, status, end = np.nan, 0, i + 4
        if not is_null(buffer, i, stop):
            value, end, status = read_json_number(buffer, i, stop)
            if status == NOT_A_NUMBER:
                return count, BROKEN
        if count < len(lists.value):
            lists.hard[count, 0], lists.hard[count, 1] = i, end - i if status == HARD else 0
            lists.value[count] = value if status != HARD else 0.0
        count += 1
        i, ended = _after_item(buffer, end, stop)
    return count, i


@inlined
def _read_kinds(buffer: np.ndarray, i: int, stop: int, lists: Lists, length: int) -> tuple[int, int, bool]:
    """Read words for kinds; how many, the position behind, or `BROKEN`, and whether all are known."""
    count, known = 0, True
    i, ended = _first_item(buffer, i, stop)
    while not ended:
        written, end = _copy_text(buffer, i, stop, lists.buffer, length)
        if end < 0:
            return count, BROKEN, known
        lists.buffer[written] = QUOTE
        word, number = load_u64(lists.buffer, length), _UNKNOWN_KIND
        for k in range(len(_KIND_WORDS)):
            if word & _KIND_MASKS[k] == _KIND_WORDS[k]:
                number = _KIND_NUMBERS[k]
        if number == ABSOLUTE and written - length != 8:
            number = _UNKNOWN_KIND
        known &= number >= 0
        if count < len(lists.value):
            lists.kind[count] = max(number, 0)
        count += 1
        i, ended = _after_item(buffer, end, stop)
    return count, i, known


@inlined
def _read_sources(
    buffer: np.ndarray, i: int, stop: int, lists: Lists, naming: Naming, length: int
) -> tuple[int, int, int]:
    """Read the names of values, escaped; how many, the position behind, or `BROKEN`, and the length of all texts."""
    count = 0
    i, ended = _first_item(buffer, i, stop)
    while not ended:
        written, end = _copy_text(buffer, i, stop, lists.buffer, length)
        if end < 0:
            return count, BROKEN, length
        for k in range(length, written):
            lists.buffer[k] = naming.escape[lists.buffer[k]]
        if count < len(lists.value):
            lists.source[count, 0], lists.source[count, 1] = length, written
        length = written
        count += 1
        i, ended = _after_item(buffer, end, stop)
    return count, i, length


@inlined
def _read_time(buffer: np.ndarray, i: int, stop: int) -> tuple[int, int]:
    """Milliseconds of a count of seconds, rounded as collectd does, 0 for what cannot be held; and the position behind
    it, or `BROKEN`."""
    value, end, status = read_json_number(buffer, i, stop)
    if status == NOT_A_NUMBER:
        return 0, BROKEN
    if status == HARD:  # so many digits are not needed
        for k in range(i, end):
            if buffer[k] | 0x20 == _POINT_E:
                return 0, end
        kept = buffer[i + _TIME_CHARACTERS]
        buffer[i + _TIME_CHARACTERS] = 0
        value, _, _ = read_number(buffer, i)
        buffer[i + _TIME_CHARACTERS] = kept
    ms = value * 1000
    return np.int64(np.rint(ms)) if 0 < ms <= _TIME_MS_MAX else 0, end


@inlined
def _read_list(buffer: np.ndarray, i: int, stop: int, lists: Lists, naming: Naming) -> int:
    """Read the element at `i` into the only row of `lists`; the position behind it, or `BROKEN` if it is no JSON.

    An element that is no list of values has a fault. ``lists.first[1]`` may be more than there is room for.
    """
    lists.texts[0, :] = 0
    lists.time_ms[0], lists.first[0], lists.first[1] = 0, 0, 0
    lists.fault[0] = reasons.FIELDS
    if i >= stop or buffer[i] != OPEN:
        return value_end(buffer, i, stop, DEPTH_MAX - 1)
    seen, length, fault = 0, 0, reasons.NONE
    values, kinds, sources, known, is_notification = 0, 0, 0, True, False
    i = skip_blanks(buffer, i + 1, stop)
    ended = i < stop and buffer[i] == CLOSE
    i += ended
    while not ended:
        if i >= stop:
            return BROKEN
        member, i = find_member(buffer, i, stop, _KEYS, 0, len(_KEYS.word), lists.buffer, length)
        if i < 0:
            return BROKEN
        end = BROKEN
        if 0 <= member < _TEXTS_END:
            written, end = _copy_text(buffer, i, stop, lists.buffer, length)
            lists.texts[0, _BOUNDS[member]], lists.texts[0, _BOUNDS[member] + 1] = length, written
            length = written
        elif member == _VALUES:
            values, end = _read_values(buffer, i, stop, lists)
        elif member == _KINDS:
            kinds, end, known = _read_kinds(buffer, i, stop, lists, length)
        elif member == _SOURCES:
            sources, end, length = _read_sources(buffer, i, stop, lists, naming, length)
        elif member == _TIME:
            lists.time_ms[0], end = _read_time(buffer, i, stop)
        elif member == _INTERVAL:
            _, end, status = read_json_number(buffer, i, stop)
            end = end if status != NOT_A_NUMBER else BROKEN
        elif member == _LABELS:
            is_notification = buffer[i] == OPEN
        if member >= 0:
            seen |= 1 << member
        if end < 0:  # a member that means nothing, or is of another type
            fault = fault if member < 0 or member == _LABELS else reasons.FIELDS
            end = value_end(buffer, i, stop, DEPTH_MAX - 2)
            if end < 0:
                return BROKEN
        i = skip_blanks(buffer, end, stop)
        if i >= stop:
            return BROKEN
        if buffer[i] == CLOSE:
            ended = True
        elif buffer[i] != COMMA:
            return BROKEN
        i = skip_blanks(buffer, i + 1, stop) if not ended else i + 1
    if fault != reasons.NONE or seen & _NEEDED != _NEEDED:
        fault = reasons.UNSUPPORTED if is_notification else reasons.FIELDS
    elif values != kinds or values != sources:
        fault = reasons.FIELDS
    elif not known:
        fault = reasons.UNDECLARED
    lists.fault[0] = fault
    lists.first[1] = values
    return i


@scanner
def parse_post(
    buffer: np.ndarray,
    start: int,
    stop: int,
    names: NameArrays,
    rows: Rows,
    lists: Lists,
    naming: Naming,
    told: Told,
    are_rates: bool,
    state: np.ndarray,
) -> int:
    """Take a body, or what is left of it behind ``Rows.progress``.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the body.
    start, stop
        Its bounds.
    lists
        One row, with room for the texts of the longest element; the columns of values may be too short.
    are_rates
        Whether all values are gauges, whatever is told of them.
    state : int64[STATE_SIZE]
        Zeros before a body.

    Returns
    -------
    int
        `DONE`, `NAMES_FULL`, `LIST_FULL` or `NOT_JSON`.
    """
    progress = rows.progress
    kept = buffer[stop]
    buffer[stop] = 0  # no number goes on behind the end
    i, ended, ended_as = progress[POSITION], False, DONE
    if i < 0:
        i = skip_blanks(buffer, start, stop)
        if i >= stop or buffer[i] != OPEN_LIST or not is_utf8(buffer, start, stop):
            i, ended = BROKEN, True
        else:
            i, ended = _first_item(buffer, i, stop)
    while not ended:
        end = _read_list(buffer, i, stop, lists, naming)
        if end < 0:
            i = BROKEN
            break
        if lists.fault[0] != reasons.NONE:
            progress[SEEN] += 1
            tell(rows, told, np.int64(lists.fault[0]), i, end, buffer, i, end)
        else:
            count = lists.first[1]
            if count > len(lists.value):
                ended_as = LIST_FULL
                break
            for k in range(count if are_rates else 0):
                lists.kind[k] = GAUGE
            state[TAKEN] = take_list(lists, 0, (i, end), state[TAKEN], names, rows, naming, told)
            if state[TAKEN] < count:
                ended_as = NAMES_FULL
                break
        state[TAKEN] = 0
        i, ended = _after_item(buffer, end, stop)
    if ended_as == DONE and (i < 0 or skip_blanks(buffer, i, stop) != stop):
        ended_as = NOT_JSON
    buffer[stop] = kept
    progress[POSITION] = i
    return ended_as
