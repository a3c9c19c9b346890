"""Graphite's graph templates: sets of colours under a name."""

from dataclasses import dataclass

from tallystick.render.picture.colors import Color, color_of, colors_of

_LINES = "blue,green,red,purple,brown,yellow,aqua,grey,magenta,pink,gold,rose"
_SOLARIZED = "268bd2aa,859900aa,dc322faa,d33682aa,db4b16aa,b58900aa,2aa198aa,6c71c4aa"
_GRAFANA = "7eb26d,eab839,6ed0e0,ef843c,e24d42,1f78c1,ba43a9,705da0,508642,cca300,447ebc"
_OCEAN = "f7fcf0,e0f3db,ccebc5,a8ddb5,7bccc4,4eb3d3,2b8cbe,0868ac,084081"
_FOREST = "f7fcf5,e5f5e0,c7e9c0,a1d99b,74c476,41ab5d,238b45,005a32"
_SUNSET = "fff5eb,fee6ce,fdd0a2,fdae6b,fd8d3c,f16913,d94801,8c2d04"
_MOONLIGHT = "fcfbfd,efedf5,dadaeb,bcbddc,9e9ac8,807dba,6a51a3,4a1486"
_LAVA = "fff5f0,fee0d2,fcbba1,fc9272,fb6a4a,ef3b2c,cb181d,99000d"


@dataclass(frozen=True, slots=True)
class Template:
    """What is not said otherwise.

    Parameters
    ----------
    major, minor
        Of the lines of the grid.
    lines
        Series take them in turn.
    """

    background: Color
    foreground: Color
    major: Color
    minor: Color
    lines: tuple[Color, ...]


def _template(
    lines: str, background: str = "white", foreground: str = "black", major: str = "rose", minor: str = "grey"
) -> Template:
    return Template(color_of(background), color_of(foreground), color_of(major), color_of(minor), colors_of(lines))


def _reversed(lines: str) -> str:
    return ",".join(reversed(lines.split(",")))


DEFAULT = "default"

TEMPLATES = {
    DEFAULT: _template(_LINES),
    "plain": _template(_LINES),
    "classic": _template(_LINES, "black", "white", "white", "grey"),
    "noc": _template(
        "blue,green,red,yellow,purple,brown,aqua,grey,magenta,pink,gold,rose", "black", "white", "white", "grey"
    ),
    "summary": _template("6666ff,66ff66,ff6666", "black", "white", "white", "grey"),
    "alphas": _template("00ff00aa,ff000077,00337799", "white", "black", "grey", "rose"),
    "solarized-light": _template(_SOLARIZED, "fdf6e3", "657b83", "073642", "586e75"),
    "solarized-dark": _template(_SOLARIZED, "002b36", "839496", "fdf6e3", "eee8d5"),
    "grafana": _template(_GRAFANA),
    "ocean1": _template(_OCEAN),
    "ocean2": _template(_reversed(_OCEAN)),
    "forest1": _template(_FOREST),
    "forest2": _template(_reversed(_FOREST)),
    "sunset1": _template(_SUNSET),
    "sunset2": _template(_reversed(_SUNSET)),
    "moonlight1": _template(_MOONLIGHT),
    "moonlight2": _template(_reversed(_MOONLIGHT)),
    "lava1": _template(_LAVA),
    "lava2": _template(_reversed(_LAVA)),
}
"""By name; an unknown name is the default, as in Graphite."""
