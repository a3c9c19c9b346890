"""How a result looks: in a console as text, in a notebook as a small table with the course of each series."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tallystick.database.result import Result

_SERIES_SHOWN = 10
_LINE_WIDTH, _LINE_HEIGHT = 160, 24
_FIGURES = ("last", "min", "max", "avg")


def as_text(result: Result) -> str:
    """A line that says what it is, and one for each of the first series."""
    lines = [f"<Result: {_heading(result)}>"]
    shown = result.names[:_SERIES_SHOWN]
    width = max((len(repr(name)) for name in shown), default=0)
    for name, values in zip(shown, result.values, strict=False):
        # repr: a name that a function was told to give may hold what moves a terminal's cursor.
        lines.append(f"  {name!r:<{width}}  " + "  ".join(f"{k} {v}" for k, v in _figures(values).items()))
    return "\n".join([*lines, *_more(result)])


def as_html(result: Result) -> str:
    """The same as a table; names are escaped, since anyone can send one."""
    cells = "".join(f"<th>{figure}</th>" for figure in ("series", "", *_FIGURES))
    rows = [
        f"<tr><td style='text-align:left'><code>{escape(name)}</code></td><td>{_course(values)}</td>"
        + "".join(f"<td>{escape(figure)}</td>" for figure in _figures(values).values())
        + "</tr>"
        for name, values in zip(result.names[:_SERIES_SHOWN], result.values, strict=False)
    ]
    more = "".join(f"<p>{escape(text)}</p>" for text in _more(result))
    table = f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>" if rows else ""
    return f"<div><p>{escape(_heading(result))}</p>{table}{more}</div>"


def _heading(result: Result) -> str:
    if not len(result):
        return "no series matches"
    end_s = result.start_s + result.slots * result.step_s
    statistics = ", ".join(result.statistics)
    return (
        f"{len(result)} series, {result.slots} slots of {result.step_s} s, "
        f"{_time(result.start_s)} to {_time(end_s)} UTC, {statistics}"
    )


def _time(at_s: int) -> str:
    try:
        return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return str(at_s)


def _more(result: Result) -> list[str]:
    left = len(result) - _SERIES_SHOWN
    return [f"and {left} more"] if left > 0 else []


def _figures(values: NDArray[np.float64]) -> dict[str, str]:
    known = values[~np.isnan(values)]
    if not len(known):
        return dict.fromkeys(_FIGURES, "-")
    with np.errstate(all="ignore"):
        numbers = (known[-1], known.min(), known.max(), known.mean())
    return {figure: f"{number:.6g}" for figure, number in zip(_FIGURES, numbers, strict=True)}


def _course(values: NDArray[np.float64]) -> str:
    """A line from the lowest to the highest value; gaps are left out. Its peaks stay, however many slots there are."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 2:
        return ""
    groups = np.array_split(known, min(len(known), _LINE_WIDTH))
    places = np.array([at for group in groups for at in sorted({_lowest(values, group), _highest(values, group)})])
    low, high = float(values[known].min()), float(values[known].max())
    x = (places - known[0]) / (known[-1] - known[0]) * _LINE_WIDTH
    y = _LINE_HEIGHT - 1 - (values[places] - low) / ((high - low) or 1.0) * (_LINE_HEIGHT - 2)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return (
        f"<svg width='{_LINE_WIDTH}' height='{_LINE_HEIGHT}' viewBox='0 0 {_LINE_WIDTH} {_LINE_HEIGHT}'>"
        f"<polyline points='{points}' fill='none' stroke='currentColor'/></svg>"
    )


def _lowest(values: NDArray[np.float64], group: NDArray[np.intp]) -> int:
    return int(group[values[group].argmin()])


def _highest(values: NDArray[np.float64], group: NDArray[np.intp]) -> int:
    return int(group[values[group].argmax()])
