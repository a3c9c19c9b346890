"""Carbon's plaintext protocol as its page says it: the twin of `tallystick.kernels.carbon`."""

import math
import re
from fractions import Fraction

from reference.outcome import Outcome, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

NUMBER = re.compile(rb"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
NOT_FINITE = re.compile(rb"[+-]?(nan|inf|infinity)", re.IGNORECASE)
PLAIN_SECONDS = re.compile(rb"(\d{1,12})(\.\d*)?")


def parse(text: bytes, now_ms: int, line_bytes_max: int) -> Outcome:
    """Everything in `text`, whose end ends the last line."""
    outcome = Outcome()
    for line in text.split(b"\n"):
        if len(line) > line_bytes_max:
            outcome.reject(Reason.LINE_LONG)
            continue
        fields = [field for field in re.split(rb"[ \t]", line.removesuffix(b"\r")) if field]
        if fields:
            outcome.take(sample(fields, now_ms))
    return outcome


def sample(fields: list[bytes], now_ms: int) -> Sample | Reason:
    """The sample of a line's fields, or the first reason why it has none."""
    if len(fields) != 3:
        return Reason.FIELDS
    name, value_text, time_text = fields
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if any(byte <= 0x20 or byte == 0x7F for byte in name) or not is_utf8(name):
        return Reason.NAME_BYTES
    value = number(value_text)
    ms = milliseconds(time_text, now_ms)
    # A number that is left to Python is known to be too large only once the rest of the line was found to be good.
    late = value is Reason.VALUE_NOT_FINITE and NUMBER.fullmatch(value_text) and is_hard(value_text, math.inf)
    if isinstance(value, Reason) and not (late and ms is None):
        return value
    return Reason.TIMESTAMP if ms is None else Sample(name, ms, value, 1.0, int(Kind.GAUGE))


def number(text: bytes) -> float | Reason:
    """A decimal number as Python reads it."""
    if NUMBER.fullmatch(text) is None:
        return Reason.VALUE_NOT_FINITE if NOT_FINITE.fullmatch(text) else Reason.VALUE
    value = float(text)
    return value if math.isfinite(value) else Reason.VALUE_NOT_FINITE


def milliseconds(text: bytes, now_ms: int) -> int | None:
    """Seconds cut to milliseconds: exactly where they are a plain decimal, else by a float; -1 is now."""
    plain = PLAIN_SECONDS.fullmatch(text)
    if plain is not None:
        return math.floor(Fraction(text.decode().rstrip(".")) * 1000)
    value = number(text)
    if isinstance(value, Reason) or is_hard(text, value):
        return None
    if value == -1:
        return now_ms
    return math.floor(value * 1000.0) if 0 <= value <= 9e12 else None


def is_hard(text: bytes, value: float) -> bool:
    """Whether the kernel leaves the number to Python: more than nineteen digits, or below the normal numbers."""
    mantissa = re.split(rb"[eE]", text)[0]
    digits = sum(48 <= byte <= 57 for byte in mantissa)
    zero = not any(49 <= byte <= 57 for byte in mantissa)
    return digits > 19 or (not zero and abs(value) < 2.2250738585072014e-308)


def is_utf8(name: bytes) -> bool:
    """Whether Python can decode it."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
