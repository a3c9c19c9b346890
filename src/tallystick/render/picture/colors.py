"""Colours, by Graphite's names for them or in hexadecimal digits."""

import re

from tallystick.model.errors import QueryError

Color = tuple[float, float, float, float]
"""Red, green, blue and opacity, from 0 to 1."""

_NAMED = {
    "black": "000000",
    "white": "ffffff",
    "blue": "6464ff",
    "green": "00c800",
    "red": "c80032",
    "yellow": "ffff00",
    "orange": "ffa500",
    "purple": "c864ff",
    "brown": "966432",
    "cyan": "00ffff",
    "aqua": "009696",
    "gray": "afafaf",
    "grey": "afafaf",
    "magenta": "ff00ff",
    "pink": "ff6464",
    "gold": "c8c800",
    "rose": "c896c8",
    "darkblue": "0000ff",
    "darkgreen": "00ff00",
    "darkred": "ff0000",
    "darkgray": "6f6f6f",
    "darkgrey": "6f6f6f",
}
_DIGITS = re.compile(r"(?:#|%23)?([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})", re.ASCII)


def color_of(text: str) -> Color:
    """The colour that a text names: ``red``, ``#7eb26d``, or with its opacity ``7eb26d80``.

    Raises
    ------
    QueryError
        If it names none.
    """
    word = text.strip().lower()
    found = _DIGITS.fullmatch(_NAMED.get(word, word))
    if not found:
        raise QueryError(
            f"cannot use colour {text[:50]!r}: expected a name such as {', '.join(sorted(_NAMED)[:4])}, or #rrggbb"
        )
    digits = found[1] if len(found[1]) > 3 else "".join(2 * digit for digit in found[1])
    red, green, blue, opacity = (int(f"{digits}ff"[at : at + 2], 16) / 255 for at in (0, 2, 4, 6))
    return red, green, blue, opacity


def colors_of(text: str) -> tuple[Color, ...]:
    """The colours of a list with commas.

    Raises
    ------
    QueryError
        If one is none.
    """
    return tuple(color_of(word) for word in text.split(",") if word.strip())


def faded(color: Color, opacity: float) -> Color:
    """A colour with its opacity reduced to a share of what it was."""
    return (*color[:3], color[3] * min(max(opacity, 0.0), 1.0))
