"""Names of collectd's values, as its plugin ``write_graphite`` makes them.

A value has a host, a plugin and a type, and may have an instance of either; a type with several values names each of
them. ``format_graphite`` of collectd makes ``host.plugin-instance.type-instance.value`` of that, or with tags
``plugin.type.value;host=...``. What the values of one part have in common is written once (`write_name`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner
from tallystick.model.name import NAME_BYTES_MAX

HOST, PLUGIN, PLUGIN_INSTANCE, TYPE, TYPE_INSTANCE = 0, 2, 4, 6, 8
"""Where the bounds of each text are in `Texts`."""
TEXTS_SIZE = 10

SEPARATE_INSTANCES, ALWAYS_APPEND_DS, DROP_DUPLICATE_FIELDS, USE_TAGS = 1, 2, 4, 8
"""Options of ``write_graphite``, as bits."""

TOO_LONG = NAME_BYTES_MAX + 1
"""The length of a name that has no room."""

_POINT, _DASH = 0x2E, 0x2D
_TAG_HOST = np.frombuffer(b";host=", np.uint8)
_TAG_PLUGIN = np.frombuffer(b";plugin=", np.uint8)
_TAG_PLUGIN_INSTANCE = np.frombuffer(b";plugin_instance=", np.uint8)
_TAG_TYPE = np.frombuffer(b";type=", np.uint8)
_TAG_TYPE_INSTANCE = np.frombuffer(b";type_instance=", np.uint8)
_TAG_SOURCE = np.frombuffer(b";ds_name=", np.uint8)


class Naming(NamedTuple):
    """How names are made.

    Parameters
    ----------
    escape : uint8[256]
        What becomes of each byte of a text.
    prefix, postfix : uint8[n]
        Before the host and behind it; with tags before the plugin and behind the value.
    options : int64[1]
        Bits, as `SEPARATE_INSTANCES`.
    """

    escape: NDArray[np.uint8]
    prefix: NDArray[np.uint8]
    postfix: NDArray[np.uint8]
    options: NDArray[np.int64]


@scanner
def copy(source: np.ndarray, start: int, stop: int, out: np.ndarray, length: int) -> int:
    """Append bytes as they are; returns the length, `TOO_LONG` if there is no room."""
    if length + stop - start > NAME_BYTES_MAX:
        return TOO_LONG
    for i in range(start, stop):
        out[length] = source[i]
        length += 1
    return length


@inlined
def _put(byte: int, out: np.ndarray, length: int) -> int:
    if length >= NAME_BYTES_MAX:
        return TOO_LONG
    out[length] = byte
    return length + 1


@scanner
def _text(buffer: np.ndarray, texts: np.ndarray, which: int, naming: Naming, out: np.ndarray, length: int) -> int:
    """Append a text, escaped."""
    start, stop = texts[which], texts[which + 1]
    if length + stop - start > NAME_BYTES_MAX:
        return TOO_LONG
    for i in range(start, stop):
        out[length] = naming.escape[buffer[i]]
        length += 1
    return length


@inlined
def _has(texts: np.ndarray, which: int) -> bool:
    return texts[which + 1] > texts[which]


@inlined
def _same(buffer: np.ndarray, texts: np.ndarray, one: int, other: int, naming: Naming) -> bool:
    """Whether two texts are the same once they are escaped."""
    length = texts[one + 1] - texts[one]
    if texts[other + 1] - texts[other] != length:
        return False
    same = True
    for k in range(length):
        same &= naming.escape[buffer[texts[one] + k]] == naming.escape[buffer[texts[other] + k]]
    return same


@inlined
def _repeats(out: np.ndarray, first: int, second: int, stop: int) -> bool:
    """Whether ``out[first:second]`` without the point that ends it is ``out[second:stop]``."""
    if second - 1 - first != stop - second:
        return False
    same = True
    for k in range(stop - second):
        same &= out[first + k] == out[second + k]
    return same


@scanner
def write_name(buffer: np.ndarray, texts: np.ndarray, naming: Naming, out: np.ndarray) -> tuple[int, int]:
    """Write what the values of a part have in common; without tags, as `named` expects it.

    Returns
    -------
    whole, stem
        The length of the name of a value that needs no name of its own, and how much of that stays before one.
    """
    options = naming.options[0]
    joint = _POINT if options & SEPARATE_INSTANCES else _DASH
    length = copy(naming.prefix, 0, len(naming.prefix), out, 0)
    length = _text(buffer, texts, HOST, naming, out, length)
    length = copy(naming.postfix, 0, len(naming.postfix), out, length)
    plugin = length = _put(_POINT, out, length)
    length = _text(buffer, texts, PLUGIN, naming, out, length)
    if _has(texts, PLUGIN_INSTANCE):
        length = _text(buffer, texts, PLUGIN_INSTANCE, naming, out, _put(joint, out, length))
    type_ = length = _put(_POINT, out, length)
    dropping = options & DROP_DUPLICATE_FIELDS != 0
    if not (dropping and _has(texts, TYPE_INSTANCE) and _same(buffer, texts, PLUGIN, TYPE, naming)):
        length = _text(buffer, texts, TYPE, naming, out, length)
        if _has(texts, TYPE_INSTANCE):
            length = _put(joint, out, length)
    length = _text(buffer, texts, TYPE_INSTANCE, naming, out, length)
    if length <= NAME_BYTES_MAX and dropping and _repeats(out, plugin, type_, length):
        return length, type_ - 1
    return length, length


@scanner
def write_tagged(
    buffer: np.ndarray,
    texts: np.ndarray,
    naming: Naming,
    sources: np.ndarray,
    bounds: tuple[int, int],
    out: np.ndarray,
) -> int:
    """Write a name with tags, ``plugin.type.value;host=...``; returns its length.

    Parameters
    ----------
    sources, bounds
        The value's own name is ``sources[bounds[0]:bounds[1]]``; empty for none.
    """
    dropping = naming.options[0] & DROP_DUPLICATE_FIELDS != 0
    typed = not (dropping and _same(buffer, texts, PLUGIN, TYPE, naming))
    same_instance = dropping and _same(buffer, texts, PLUGIN_INSTANCE, TYPE_INSTANCE, naming)
    start, stop = bounds
    length = copy(naming.prefix, 0, len(naming.prefix), out, 0)
    length = _text(buffer, texts, PLUGIN, naming, out, length)
    if typed:
        length = _text(buffer, texts, TYPE, naming, out, _put(_POINT, out, length))
    if stop > start:
        length = copy(sources, start, stop, out, _put(_POINT, out, length))
    length = copy(naming.postfix, 0, len(naming.postfix), out, length)
    length = _text(buffer, texts, HOST, naming, out, copy(_TAG_HOST, 0, len(_TAG_HOST), out, length))
    length = _text(buffer, texts, PLUGIN, naming, out, copy(_TAG_PLUGIN, 0, len(_TAG_PLUGIN), out, length))
    if _has(texts, PLUGIN_INSTANCE):
        length = copy(_TAG_PLUGIN_INSTANCE, 0, len(_TAG_PLUGIN_INSTANCE), out, length)
        length = _text(buffer, texts, PLUGIN_INSTANCE, naming, out, length)
    if typed:
        length = _text(buffer, texts, TYPE, naming, out, copy(_TAG_TYPE, 0, len(_TAG_TYPE), out, length))
    if _has(texts, TYPE_INSTANCE) and not same_instance:
        length = copy(_TAG_TYPE_INSTANCE, 0, len(_TAG_TYPE_INSTANCE), out, length)
        length = _text(buffer, texts, TYPE_INSTANCE, naming, out, length)
    if stop > start:
        length = copy(sources, start, stop, out, copy(_TAG_SOURCE, 0, len(_TAG_SOURCE), out, length))
    return length


@inlined
def append_source(sources: np.ndarray, start: int, stop: int, out: np.ndarray, stem: int) -> int:
    """Append the name of one of several values to what they have in common; returns the length."""
    return copy(sources, start, stop, out, _put(_POINT, out, stem))
