"""What becomes of one of collectd's values, however it came: its name, its row, or what is told of why it has none."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.collectd_names import (
    ALWAYS_APPEND_DS,
    HOST,
    PLUGIN,
    TYPE,
    USE_TAGS,
    Naming,
    append_source,
    write_name,
    write_tagged,
)
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.names import LIMIT, NameArrays, learn, resolve
from tallystick.kernels.rows import PREVIOUS, REJECTS, ROWS, SEEN, TRUST, Rows, reject
from tallystick.kernels.words import utf8_valid
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX

COUNTER, GAUGE, DERIVE, ABSOLUTE = 0, 1, 2, 3
"""Kinds of values, numbered as packets do."""
_KINDS = np.array([Kind.CUMULATIVE, Kind.GAUGE, Kind.CUMULATIVE, Kind.COUNTER], np.uint8)

TOLD_BYTES = 512
"""So much of a reject is told."""


class Told(NamedTuple):
    """What is told of rejects that are noted.

    Parameters
    ----------
    text : uint8[rejects, TOLD_BYTES]
        The series that a reject is of, or other words.
    size : int32[rejects]
        How many bytes that are.
    """

    text: NDArray[np.uint8]
    size: NDArray[np.int32]


@inlined
def tell(rows: Rows, told: Told, reason: int, at: int, end: int, source: np.ndarray, start: int, stop: int) -> None:
    """Reject ``buffer[at:end]``; of one that is noted ``source[start:stop]`` is told."""
    k = rows.progress[REJECTS]
    if k < len(told.text):
        told.size[k] = min(stop - start, TOLD_BYTES)
        for i in range(told.size[k]):
            told.text[k, i] = source[start + i]
    reject(rows, reason, at, end)


@scanner
def write_common(buffer: np.ndarray, texts: np.ndarray, naming: Naming, out: np.ndarray) -> tuple[int, int, int]:
    """Write what the values of a part have in common: as `write_name`, and why they can have no name."""
    whole, stem = write_name(buffer, texts, naming, out)
    if texts[HOST] == texts[HOST + 1] or texts[PLUGIN] == texts[PLUGIN + 1] or texts[TYPE] == texts[TYPE + 1]:
        return whole, stem, reasons.NAME_EMPTY
    if whole > NAME_BYTES_MAX:
        return whole, stem, reasons.NAME_LONG
    plain = True
    for k in range(whole):
        plain &= out[k] < 0x80
    return whole, stem, reasons.NONE if plain or utf8_valid(out, 0, whole) else reasons.NAME_BYTES


@inlined
def appends_source(naming: Naming, count: int) -> bool:
    """Whether each of so many values of a part has a name of its own."""
    return count > 1 or naming.options[0] & ALWAYS_APPEND_DS != 0


@inlined
def has_tags(naming: Naming) -> bool:
    return naming.options[0] & USE_TAGS != 0


@inlined
def refuse_all(
    rows: Rows,
    told: Told,
    fault: int,
    bounds: tuple[int, int],
    buffer: np.ndarray,
    texts: np.ndarray,
    written: tuple[np.ndarray, int],
) -> None:
    """Reject a value whose part can have no name, or no time."""
    at, end = bounds
    out, whole = written
    rows.progress[SEEN] += 1
    if fault == reasons.NAME_LONG:
        tell(rows, told, fault, at, end, buffer, texts[HOST], texts[HOST + 1])
    else:
        tell(rows, told, fault, at, end, out, 0, whole)


@inlined
def take_value(
    buffer: np.ndarray,
    texts: np.ndarray,
    naming: Naming,
    common: tuple[int, int],
    source: tuple[np.ndarray, int, int],
    sample: tuple[int, float, int],
    bounds: tuple[int, int],
    names: NameArrays,
    rows: Rows,
    told: Told,
) -> None:
    """Make a row of a value, or reject it; there is room for its name.

    Parameters
    ----------
    common
        What `write_common` gave: lengths of the name without the value's own, and of what stays before one.
    source
        The value's own name: bytes, and its bounds in there; empty for none.
    sample
        Milliseconds, value and its kind.
    bounds
        Where it lies in the buffer.
    """
    progress, out = rows.progress, rows.name
    whole, stem = common
    own, start, stop = source
    ms, value, kind = sample
    at, end = bounds
    progress[SEEN] += 1
    length = whole
    if has_tags(naming):
        length = write_tagged(buffer, texts, naming, own, (start, stop), out)
    elif stop > start:
        length = append_source(own, start, stop, out, stem)
    if length > NAME_BYTES_MAX:
        tell(rows, told, reasons.NAME_LONG, at, end, out, 0, stem)
        return
    if not np.isfinite(value):
        tell(rows, told, reasons.VALUE_NOT_FINITE, at, end, out, 0, length)
        return
    entry, hit = resolve(names, out, 0, length, progress[PREVIOUS], progress[TRUST], progress[SEEN])
    if entry == LIMIT:
        tell(rows, told, reasons.SERIES_LIMIT, at, end, out, 0, length)
        return
    progress[TRUST] = learn(names, progress[PREVIOUS], entry, progress[TRUST], hit)
    progress[PREVIOUS] = entry
    row = progress[ROWS]
    rows.ids[row] = entry
    rows.timestamp[row] = ms
    rows.value.view(np.float64)[row] = value
    rows.weight[row] = 1.0
    rows.kind[row] = _KINDS[kind]
    progress[ROWS] = row + 1
