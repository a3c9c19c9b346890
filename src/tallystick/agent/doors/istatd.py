"""istatd's lines: gauges, counters, one line for several names, and slots that its agents tallied.

`tallystick.parse.istatd` tells the rules, which are the same here.
"""

from collections.abc import Iterator
from fractions import Fraction

from tallystick.agent.doors.carbon import words_of
from tallystick.agent.doors.numbers import milliseconds, number
from tallystick.agent.doors.sample import Read, Sample, Tallied
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

_NAMES_MAX = 64
_RESERVED = b"@$%&;:"
_SPELT = bytes(ord("_") if byte < 33 or byte > 126 or byte in b"/:\\\"';" else byte for byte in range(256))


def read_istatd(line: bytes, now_ms: int) -> Iterator[Read]:
    """A sample, or a tallied slot, for each name of a line."""
    words = words_of(line)
    if not words or words[0].startswith(b"#"):
        return
    if len(words) not in (2, 3, 7) or words[0][:1] in _RESERVED:
        yield Reason.FIELDS
        return
    at_ms = milliseconds(words[1], now_ms) if len(words) > 2 else now_ms
    if at_ms is None:
        yield Reason.TIMESTAMP
        return
    values: list[float] = []
    for word in words[1 if len(words) == 2 else 2 :]:
        value = number(word)
        if isinstance(value, Reason):
            yield value
            return
        values.append(value)
    kind = Kind.COUNTER if words[0].startswith(b"*") else Kind.GAUGE
    names = _names(words[0].removeprefix(b"*"))
    if not names or len(names) > _NAMES_MAX:
        yield Reason.FIELDS if names else Reason.NAME_EMPTY
        return
    for name in names:
        yield _one(name, kind, at_ms, values)


def _one(name: bytes, kind: Kind, at_ms: int, values: list[float]) -> Read:
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if len(values) == 1:
        return Sample(name, kind, values[0], at_ms)
    total, squares, low, high, count = values
    # What no samples can have had.
    if not (count > 0.0 and low <= high):
        return Reason.VALUE
    m2 = _m2(total, squares, low, high, count)
    return Tallied(name, kind, at_ms, min(max(total / count, low), high), (count, total, m2, low, high))


def _names(word: bytes) -> list[bytes]:
    """What a first word, without its star, stands for: ``a^b^`` is ``a`` and ``a.b``."""
    base, *suffixes = [part.lower().translate(_SPELT) for part in word.split(b"^")]
    names = [base] if base and (not suffixes or b"" in suffixes) else []
    return names + [(base + b"." if base else b"") + suffix for suffix in suffixes if suffix]


def _m2(total: float, squares: float, low: float, high: float, count: float) -> float:
    """M2 from the sum of squares, within what the other statistics allow (see `tallystick.model.deviations`)."""
    mean = Fraction(total) / Fraction(count)
    below, above = Fraction(low) - mean, Fraction(high) - mean
    rest = (below + above) ** 2 / max(Fraction(count) - 2, Fraction(1)) if count > 2.0 else Fraction(0)
    least = below**2 + above**2 + rest if count > 1.0 else Fraction(0)
    most = max(Fraction(count) * above * -below, least)
    m2 = Fraction(squares) - mean * Fraction(total)
    try:
        return float(min(max(m2, least), most))
    except OverflowError:
        return float("inf")
