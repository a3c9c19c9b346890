"""DogStatsD's events and service checks; the grammar is in `tallystick.parse.statsd`."""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.statsd_fields import read_seconds
from tallystick.kernels.statsd_names import until, write_bytes, write_key, write_tag, write_tags
from tallystick.model.name import NAME_BYTES_MAX

EVENTS_NOTED_MAX = 64
"""So many events of one call are noted with their place, after one row that says how many."""

_BAR, _COLON, _HASH, _COMMA, _BRACE = 0x7C, 0x3A, 0x23, 0x2C, 0x7D
_EVENTS = np.frombuffer(b"statsd.events", np.uint8).copy()
_CHECK = np.frombuffer(b"servicecheck.", np.uint8).copy()
_HOST = np.frombuffer(b";host=", np.uint8).copy()
_TYPE = np.frombuffer(b";type=", np.uint8).copy()
_LENGTH_DIGITS_MAX = 5


@inlined
def is_event(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether a line begins as an event does."""
    return stop - start >= 3 and buffer[start] == 0x5F and buffer[start + 1] == 0x65 and buffer[start + 2] == 0x7B


@inlined
def is_check(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether a line begins as a service check does."""
    return (
        stop - start >= 4
        and buffer[start] == 0x5F
        and buffer[start + 1] == 0x73
        and buffer[start + 2] == 0x63
        and buffer[start + 3] == _BAR
    )


@scanner
def _read_length(buffer: np.ndarray, start: int, stop: int) -> int:
    """A length in digits, or -1."""
    if not 0 < stop - start <= _LENGTH_DIGITS_MAX:
        return -1
    length = 0
    for i in range(start, stop):
        if not 0x30 <= buffer[i] <= 0x39:
            return -1
        length = length * 10 + np.int64(buffer[i] - 0x30)
    return length


@scanner
def _write_fields(buffer: np.ndarray, i: int, stop: int, out: np.ndarray, length: int) -> tuple[int, int, int]:
    """Append what the fields behind a message say of its series: host, type, tags; `i` is at a bar or `stop`.

    Returns
    -------
    fault, length, seconds
        Seconds of the message's time, or 0.
    """
    fault = reasons.NONE
    seconds = 0
    host = host_end = kind = kind_end = tags = tags_end = 0
    while i < stop:
        field = i + 1
        i = until(buffer, field, stop, _BAR, _BAR)
        if field < i and buffer[field] == _HASH:
            tags, tags_end = field + 1, i
        elif field + 1 < i and buffer[field + 1] == _COLON:
            letter = buffer[field]
            if letter == 0x64:
                seconds = read_seconds(buffer, field + 2, i)
                if seconds == 0:
                    fault = reasons.TIMESTAMP
            elif letter == 0x68:
                host, host_end = field + 2, i
            elif letter == 0x74:
                kind, kind_end = field + 2, i
            elif letter == 0x6D:  # a message, which is the last field and may hold bars
                i = stop
    length = write_tag(_HOST, buffer, host, host_end, out, length)
    length = write_tag(_TYPE, buffer, kind, kind_end, out, length)
    if length <= NAME_BYTES_MAX:
        length = write_tags(buffer, tags, tags_end, out, length)
    if fault == reasons.NONE and length < 0:
        fault = reasons.TAG
    elif fault == reasons.NONE and length > NAME_BYTES_MAX:
        fault = reasons.NAME_LONG
    return fault, length, seconds


@scanner
def read_event(buffer: np.ndarray, start: int, stop: int, out: np.ndarray) -> tuple[int, int, int]:
    """Write the name of the series that an event counts for; returns fault, length and the seconds of its time."""
    comma = until(buffer, start + 3, stop, _COMMA, _COMMA)
    brace = until(buffer, comma, stop, _BRACE, _BRACE)
    title = _read_length(buffer, start + 3, comma)
    text = _read_length(buffer, comma + 1, brace)
    bar = brace + 2 + title
    end = bar + 1 + text
    if title < 1 or text < 0 or end > stop or buffer[brace + 1] != _COLON or buffer[bar] != _BAR:
        return reasons.FIELDS, 0, 0
    if end < stop and buffer[end] != _BAR:
        return reasons.FIELDS, 0, 0
    return _write_fields(buffer, end, stop, out, write_bytes(_EVENTS, out, 0))


@scanner
def read_check(buffer: np.ndarray, start: int, stop: int, out: np.ndarray) -> tuple[int, int, int, float]:
    """Write the name of a service check's series; returns fault, length, the seconds of its time, and its status."""
    bar = until(buffer, start + 4, stop, _BAR, _BAR)
    end = until(buffer, min(bar + 1, stop), stop, _BAR, _BAR)
    if bar == stop:
        return reasons.FIELDS, 0, 0, 0.0
    if end - bar != 2 or not 0x30 <= buffer[bar + 1] <= 0x33:
        return reasons.VALUE, 0, 0, 0.0
    before = write_bytes(_CHECK, out, 0)
    length = write_key(buffer, start + 4, bar, out, before)
    if length == before:
        return reasons.NAME_EMPTY, 0, 0, 0.0
    fault, length, seconds = _write_fields(buffer, end, stop, out, length)
    return fault, length, seconds, np.float64(buffer[bar + 1] - 0x30)
