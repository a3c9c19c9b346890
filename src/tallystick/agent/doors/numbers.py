"""Numbers and times in lines, read as the server's kernels read them: strictly, and rounded once."""

import math
import re

from tallystick.model.reason import Reason

_NUMBER = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(rb"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_PLAIN_SECONDS = re.compile(rb"([0-9]{1,12})(?:\.([0-9]*))?")
_DIGITS_MAX = 19
_SMALLEST_NORMAL = 2.0**-1022
_SECONDS_MAX = 9e12
_JAVASCRIPT = re.compile(rb"0[xX]([0-9a-fA-F]{1,13})|0[oO]([0-7]{1,17})|0[bB]([01]{1,52})")
BLANK = b" \t\n\v\f\r"


def number(text: bytes) -> float | Reason:
    """A decimal number, or why it is none that can be used."""
    if _NUMBER.fullmatch(text) is None:
        return Reason.VALUE_NOT_FINITE if is_not_finite(text) else Reason.VALUE
    value = float(text)
    return value if math.isfinite(value) else Reason.VALUE_NOT_FINITE


def lenient_number(text: bytes) -> float | Reason:
    """A number as JavaScript reads it: also ``0x10``, ``0o17`` and ``0b11`` of up to 52 bits, with blanks around it."""
    text = text.strip(BLANK)
    if found := _JAVASCRIPT.fullmatch(text):
        return float(int(found[found.lastindex or 0], (0, 16, 8, 2)[found.lastindex or 0]))
    return number(text)


def is_not_finite(text: bytes) -> bool:
    """Whether it spells ``nan`` or ``inf``."""
    return _NOT_FINITE.fullmatch(text) is not None


def plain_number(text: bytes) -> float | None:
    """A number of at most nineteen digits that is 0 or no smaller than normal numbers are: for rates and times."""
    value = number(text)
    if isinstance(value, Reason):
        return None
    mantissa = re.split(rb"[eE]", text)[0]
    digits = sum(48 <= byte <= 57 for byte in mantissa)
    is_zero = not mantissa.strip(b"+-.0")
    return None if digits > _DIGITS_MAX or (not is_zero and abs(value) < _SMALLEST_NORMAL) else value


def milliseconds(text: bytes, now_ms: int) -> int | None:
    """Seconds since the epoch, cut to milliseconds: exactly where they are a plain decimal; -1 is now."""
    if plain := _PLAIN_SECONDS.fullmatch(text):
        return int(plain[1]) * 1000 + int((plain[2] or b"")[:3].ljust(3, b"0"))
    value = plain_number(text)
    if value is None:
        return None
    if value == -1.0:
        return now_ms
    return math.floor(value * 1000.0) if 0.0 <= value <= _SECONDS_MAX else None
