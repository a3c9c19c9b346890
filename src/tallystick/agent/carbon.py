"""Points as carbon's plaintext lines, ``name value timestamp``."""

from collections.abc import Iterable

from tallystick.agent.point import Point


def lines(points: Iterable[Point], timestamp_s: int) -> bytes:
    """One line a point, each with its newline."""
    return "".join(f"{point.name} {number(point.value)} {timestamp_s}\n" for point in points).encode()


def number(value: float) -> str:
    """The shortest text that reads back as `value`, without the ``.0`` of whole numbers."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
