from math import isnan
from typing import Annotated

from tallystick.model.errors import QueryError
from tallystick.model.grid import Row
from tallystick.query.context import Context
from tallystick.query.parameters import Hint
from tallystick.query.reduce import last, maximum, minimum
from tallystick.query.registry import function
from tallystick.query.series import SeriesList
from tallystick.query.units import SYSTEMS, with_unit

_COLUMNS = {"Current": last, "Max": maximum, "Min": minimum}
_NOTHING = 3.0  # what Graphite measures the width of a column by where a series has no value, or 0


@function("cactiStyle", group="Special")
def cacti_style(
    context: Context,
    seriesList: SeriesList,
    system: Annotated[str, Hint(options=tuple(SYSTEMS))] | None = None,
    units: str | None = None,
) -> SeriesList:
    """Names in columns with the last, the largest and the smallest value, as Cacti shows them.

    `system` is si, binary, sec or msec; it says which prefixes numbers have.
    """
    if system and system not in SYSTEMS:
        raise QueryError(f"cannot use system {system!r}: expected one of {', '.join(SYSTEMS)}")
    names = [row.name for row in seriesList.rows]
    shown = [name.ljust(max(map(len, names))) for name in names]
    for word, reduce in _COLUMNS.items():
        values = seriesList.statistic(reduce).tolist()
        texts = ["nan" if isnan(value) else with_unit(value, system, units or "") for value in values]
        width = max((len(with_unit(_measured(value), system, units or "")) for value in values), default=0) + 3
        shown = [f"{line} {word}:{text:<{width}}" for line, text in zip(shown, texts, strict=True)]
    renamed = iter(shown)

    def named(row: Row) -> Row:
        return row.named(f"{next(renamed)} ")

    return seriesList.with_rows(named)


def _measured(value: float) -> float:
    return _NOTHING if isnan(value) or value == 0 else float(int(value))
