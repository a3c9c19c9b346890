"""istatd's lines as their page says them: the twin of `tallystick.kernels.istatd`."""

from fractions import Fraction

from reference.carbon import milliseconds, number
from reference.outcome import Outcome, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

NAMES_MAX = 64
Tally = tuple[bytes, int, int, list[float]]
"""Name, milliseconds, kind; sum, sum of squares, minimum, maximum and count."""


def parse(text: bytes, now_ms: int, line_bytes_max: int) -> tuple[Outcome, list[Tally]]:
    """Everything in `text`, whose end ends the last line."""
    outcome, tallies = Outcome(), list[Tally]()
    for line in text.split(b"\n"):
        if len(line) > line_bytes_max:
            outcome.reject(Reason.LINE_LONG)
            continue
        fields = [field for field in line.removesuffix(b"\r").replace(b"\t", b" ").split(b" ") if field]
        if fields and not fields[0].startswith(b"#"):
            take(fields, now_ms, outcome, tallies)
    return outcome, tallies


def take(fields: list[bytes], now_ms: int, outcome: Outcome, tallies: list[Tally]) -> None:
    """Take a line, whose numbers may be finite only after Python has read them."""
    if len(fields) not in (2, 3, 7) or fields[0][:1] in b"@$%&;:":
        outcome.reject(Reason.FIELDS)
        return
    ms = milliseconds(fields[1], now_ms) if len(fields) > 2 else now_ms
    if ms is None:
        outcome.reject(Reason.TIMESTAMP)
        return
    values = []
    for field in fields[1 if len(fields) == 2 else 2 :]:
        value = number(field)
        if isinstance(value, Reason):
            outcome.reject(value)
            return
        values.append(value)
    kind = Kind.COUNTER if fields[0].startswith(b"*") else Kind.GAUGE
    names = names_of(fields[0].removeprefix(b"*"))
    if not names or len(names) > NAMES_MAX:
        outcome.reject(Reason.FIELDS if names else Reason.NAME_EMPTY)
        return
    for name in names:
        if len(name) > NAME_BYTES_MAX:
            outcome.reject(Reason.NAME_LONG)
        elif len(values) == 1:
            outcome.take(Sample(name, ms, values[0], 1.0, int(kind)))
        else:
            tallies.append((name, ms, int(kind), values))


def names_of(field: bytes) -> list[bytes]:
    """What a first field without its star stands for."""
    base, *suffixes = [spelt(part) for part in field.split(b"^")]
    names = [base] if base and (not suffixes or b"" in suffixes) else []
    return names + [(base + b"." if base else b"") + suffix for suffix in suffixes if suffix]


def spelt(part: bytes) -> bytes:
    """As istatd spells it."""
    return bytes(ord("_") if byte < 33 or byte > 126 or byte in b"/:\\\"';" else byte for byte in part.lower())


def exact_m2(total: float, squares: float, count: float) -> float:
    """M2 without any rounding but that of its result."""
    return float(Fraction(squares) - Fraction(total) ** 2 / Fraction(count))
