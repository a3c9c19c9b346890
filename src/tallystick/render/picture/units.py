"""Units of an axis: its labels are short numbers with a letter, ``1.5 K`` for 1,500."""

import math
from dataclasses import dataclass

_SI = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"))
_BINARY = tuple((1024.0**k, f"{letter}i") for k, letter in zip((5, 4, 3, 2, 1), "PTGMK", strict=True))
_SECONDS = ((31536000, "Y"), (2592000, "M"), (604800, "W"), (86400, "D"), (3600, "H"), (60, "m"))
_SYSTEMS: dict[str, tuple[tuple[float, str], ...]] = {
    "si": _SI,
    "binary": _BINARY,
    "sec": _SECONDS,
    "msec": (*((1000.0 * size, letter) for size, letter in _SECONDS), (1000, "s")),
    "none": (),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """So many of what was measured, and the letter for it."""

    size: float = 1.0
    letter: str = ""

    def text(self, value: float) -> str:
        """A value on the axis."""
        number = f"{value / self.size:.6g}".replace("-", "\N{MINUS SIGN}")
        return f"{number} {self.letter}" if self.letter and value else number


def unit_for(system: str, low: float, high: float) -> Unit:
    """The unit of an axis with these ends: the largest of which there is at least one."""
    reach = max(abs(low), abs(high))
    if not math.isfinite(reach):
        return Unit()
    return next((Unit(size, letter) for size, letter in _SYSTEMS[system] if reach >= size), Unit())
