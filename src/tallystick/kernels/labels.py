"""Names of Prometheus' series, and what their samples count: shared by the kernels of its protocols.

A series there is a set of labels, one of them its name: ``http_requests_total{code="200"}`` becomes
``http_requests_total;code=200``. What a name cannot hold becomes an underscore, a label without a value is none, and a
label whose key the receiver has a use for itself is called ``exported_...``, as Prometheus does it when it scrapes.

**Kinds.** Prometheus stores no types. Where a type is told, it decides; else the end of the name, by the convention
that all of its client libraries follow.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, load_u64
from tallystick.kernels.stores import copy_fitting
from tallystick.kernels.words import same_bytes, utf8_valid
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX

TOO_LONG = NAME_BYTES_MAX + 1
"""The length of a name that has no room; whatever is appended to it."""

UNKNOWN, COUNTER, GAUGE, HISTOGRAM, GAUGE_HISTOGRAM, SUMMARY, INFO, STATE_SET = range(8)
"""Types, numbered as remote write 2.0 numbers them."""

_GAUGE_KIND, _CUMULATIVE_KIND = int(Kind.GAUGE), int(Kind.CUMULATIVE)

_SEMICOLON, _EQUALS, _UNDERSCORE, _TILDE, _BACKSLASH = 0x3B, 0x3D, 0x5F, 0x7E, 0x5C
_QUOTE, _LETTER_N = 0x22, 0x6E

_HIGH = np.uint64(0x8080808080808080)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def _table(unfit: bytes) -> NDArray[np.uint8]:
    """What is written for each byte: itself, or an underscore."""
    table = np.arange(256, dtype=np.uint8)
    table[:0x21] = table[0x7F] = table[np.frombuffer(unfit, np.uint8)] = _UNDERSCORE
    return table


_IN_KEY, _ELSEWHERE = _table(b";=!^"), _table(b";")


_EXPORTED = np.frombuffer(b"exported_", np.uint8)
_NAME = np.frombuffer(b"name" + bytes(16), np.uint8)
_NAME_SIZE = 4

_ENDINGS = np.frombuffer(b"_total_count_sum_bucket_created", np.uint8)
_ENDING_BOUNDS = np.array([0, 6, 12, 16, 23, 31])
_TOTAL_ENDING, _CREATED_ENDING = 0, 4


def keys_taken(keys: Iterable[str]) -> NDArray[np.uint8]:
    """Keys of labels that the receiver sets itself, as the kernels take them: each behind its length."""
    encoded = [key.encode() for key in keys]
    return np.frombuffer(b"".join(bytes([min(len(key), 255)]) + key[:255] for key in encoded) + bytes(16), np.uint8)


def tags_of(labels: Mapping[str, str]) -> bytes:
    """Labels as they stand behind a name: ``;job=api``. Those without a key or a value are none."""
    return b"".join(
        b";" + key.encode().translate(_IN_KEY.tobytes()) + b"=" + _tag_value(value.encode())
        for key, value in labels.items()
        if key and value
    )


def _tag_value(value: bytes) -> bytes:
    fitting = value.translate(_ELSEWHERE.tobytes())
    return b"_" + fitting[1:] if fitting.startswith(b"~") else fitting


@inlined
def _append(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, length: int, key: bool, escaped: bool) -> int:
    """Append bytes; of text in quotes (`escaped`) without its backslashes. Returns the length, or `TOO_LONG`.

    Eight bytes at a time as long as they fit; behind the name `out` has room for as many.
    """
    copied = copy_fitting(buffer, start, min(stop, start + TOO_LONG - length), out, length, key, escaped)
    i = start + copied
    length += copied
    while i < stop and length <= NAME_BYTES_MAX:
        byte = buffer[i]
        i += 1
        if escaped and byte == _BACKSLASH and i < stop:
            if buffer[i] == _LETTER_N:
                byte = 0x0A
                i += 1
            elif buffer[i] in (_BACKSLASH, _QUOTE):
                byte = buffer[i]
                i += 1
        out[length] = _IN_KEY[byte] if key else _ELSEWHERE[byte]
        length += 1
    return min(length, TOO_LONG)


@inlined
def append_path(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, escaped: bool) -> int:
    """Begin a name with that of the metric."""
    return _append(buffer, start, stop, out, 0, False, escaped)


@inlined
def _is_taken(buffer: np.ndarray, start: int, length: int, taken: np.ndarray) -> bool:
    """Whether a key is ``name``, which Graphite uses for the path, or one that the receiver sets."""
    if length == _NAME_SIZE and same_bytes(buffer, start, _NAME, 0, _NAME_SIZE):
        return True
    at = 0
    while taken[at] != 0:
        if taken[at] == length and same_bytes(buffer, start, taken, at + 1, length):
            return True
        at += 1 + np.int64(taken[at])
    return False


@inlined
def append_label(
    buffer: np.ndarray,
    key: tuple[int, int],
    value: tuple[int, int],
    out: np.ndarray,
    length: int,
    taken: np.ndarray,
    escaped: bool,
) -> int:
    """Append ``;key=value`` to a name; nothing where there is no value.

    Parameters
    ----------
    key, value
        Bounds in the buffer; the key is not empty.
    taken : uint8[n]
        As of `keys_taken`.

    Returns
    -------
    int
        The length, or `TOO_LONG`.
    """
    if value[0] == value[1]:
        return length
    if length >= NAME_BYTES_MAX:
        return TOO_LONG
    out[length] = _SEMICOLON
    length += 1
    if _is_taken(buffer, key[0], key[1] - key[0], taken):
        if length + len(_EXPORTED) > NAME_BYTES_MAX:
            return TOO_LONG
        for k in range(len(_EXPORTED)):
            out[length + k] = _EXPORTED[k]
        length += len(_EXPORTED)
    length = _append(buffer, key[0], key[1], out, length, True, escaped)
    if length >= NAME_BYTES_MAX:
        return TOO_LONG
    out[length] = _EQUALS
    begin = length + 1
    length = _append(buffer, value[0], value[1], out, begin, False, escaped)
    if begin < length and out[begin] == _TILDE:
        out[begin] = _UNDERSCORE
    return length


@inlined
def name_fault(out: np.ndarray, path: int, length: int) -> int:
    """Why a name cannot be used that begins with a path of so many bytes, or `Reason.NONE`."""
    if length > NAME_BYTES_MAX:
        return reasons.NAME_LONG
    if path == 0:
        return reasons.NAME_EMPTY
    k = 0
    while k < length:
        inside = _ALL >> np.uint64(64 - 8 * min(length - k, 8))
        if load_u64(out, k) & inside & _HIGH != np.uint64(0):
            return reasons.NONE if utf8_valid(out, k, length) else reasons.NAME_BYTES
        k += 8
    return reasons.NONE


@inlined
def _ending_of(out: np.ndarray, path: int) -> int:
    """Which of the endings a metric's name has, or -1."""
    for ending in range(len(_ENDING_BOUNDS) - 1):
        low, high = _ENDING_BOUNDS[ending], _ENDING_BOUNDS[ending + 1]
        at = path - (high - low)
        if at > 0:
            same = True
            for k in range(high - low):
                same &= out[at + k] == _ENDINGS[low + k]
            if same:
                return ending
    return -1


@inlined
def is_ending(out: np.ndarray, family: int, path: int) -> bool:
    """Whether what a metric's name has more than its family's is one of the endings."""
    ending = _ending_of(out, path)
    return ending >= 0 and _ENDING_BOUNDS[ending + 1] - _ENDING_BOUNDS[ending] == path - family


@inlined
def kind_of(out: np.ndarray, path: int, type_: int) -> int:
    """The kind of a series of a type, or of none that is known, whose metric's name is ``out[:path]``.

    Counters are cumulative, and so are the buckets, counts and sums of histograms and summaries. Without a type that is
    said by the endings ``_total``, ``_bucket``, ``_count`` and ``_sum``. All else is a gauge, and so is the moment at
    which something was ``_created``.
    """
    if type_ in (GAUGE, GAUGE_HISTOGRAM, INFO, STATE_SET):
        return _GAUGE_KIND
    ending = _ending_of(out, path)
    if ending == _CREATED_ENDING:
        return _GAUGE_KIND
    if type_ == COUNTER:
        return _CUMULATIVE_KIND
    if ending < 0 or (ending == _TOTAL_ENDING and type_ in (HISTOGRAM, SUMMARY)):
        return _GAUGE_KIND
    return _CUMULATIVE_KIND
