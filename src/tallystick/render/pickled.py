"""Writing pickles of plain values, for Graphite's clusters and the scripts that ask it for pickles.

Protocol 2, which Python reads since 2.3, of lists, dictionaries, text, numbers and None. Nothing is kept for a second
use (no memo), and nothing is ever read: unpickling runs whatever its sender wants.

Source: the opcodes are described in ``pickletools`` of Python's standard library.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tallystick.render.marked import marked_numbers

Value = object
"""None, bool, int, float, str, a list or tuple of values, a dict, an array of float64, or an `Instance`."""

_PROTOCOL, _STOP = b"\x80\x02", b"."
_NONE, _TRUE, _FALSE = b"N", b"\x88", b"\x89"
_INT, _FLOAT, _TEXT = struct.Struct("<ci"), struct.Struct(">cd"), struct.Struct("<cI")
_LIST, _DICT, _MARK, _APPENDS, _SETITEMS, _TUPLE = b"]", b"}", b"(", b"e", b"u", b"t"
_NEW_OBJECT, _BUILD = b")\x81", b"b"
_LONG = struct.Struct("<cB")


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class that the reader knows.

    Parameters
    ----------
    module, name
        Of its class.
    state
        Its attributes.
    """

    module: str
    name: str
    state: Mapping[str, Value]


def pickled(value: Value) -> bytes:
    """A value as a pickle.

    Raises
    ------
    TypeError
        If it is of another type than those of `Value`.
    """
    parts: list[bytes] = [_PROTOCOL]
    _write(value, parts)
    parts.append(_STOP)
    return b"".join(parts)


def _write(value: Value, parts: list[bytes]) -> None:
    match value:
        case None:
            parts.append(_NONE)
        case bool():
            parts.append(_TRUE if value else _FALSE)
        case int():
            parts.append(_whole(value))
        case float():
            parts.append(_FLOAT.pack(b"G", value))
        case str():
            text = value.encode("utf-8", "replace")
            parts += _TEXT.pack(b"X", len(text)), text
        case np.ndarray():
            parts += _LIST, _MARK, marked_numbers(value, b"G", _NONE), _APPENDS
        case list():
            parts += _LIST, _MARK
            for one in value:
                _write(one, parts)
            parts.append(_APPENDS)
        case tuple():
            parts.append(_MARK)
            for one in value:
                _write(one, parts)
            parts.append(_TUPLE)
        case dict():
            parts += _DICT, _MARK
            for key, one in value.items():
                _write(key, parts)
                _write(one, parts)
            parts.append(_SETITEMS)
        case Instance():
            parts += f"c{value.module}\n{value.name}\n".encode(), _NEW_OBJECT
            _write(dict(value.state), parts)
            parts.append(_BUILD)
        case _:
            raise TypeError(f"cannot pickle {type(value).__name__}: expected a plain value")


def _whole(value: int) -> bytes:
    if -(1 << 31) <= value < 1 << 31:
        return _INT.pack(b"J", value)
    digits = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return _LONG.pack(b"\x8a", len(digits)) + digits
