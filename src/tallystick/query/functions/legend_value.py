from typing import Annotated

import numpy as np

from tallystick.model.grid import Row
from tallystick.query.context import Context
from tallystick.query.parameters import Hint
from tallystick.query.reduce import REDUCTIONS, Values
from tallystick.query.registry import function
from tallystick.query.series import SeriesList
from tallystick.query.units import with_unit

_SYSTEMS = ("si", "binary")
_OPTIONS = (*REDUCTIONS, *_SYSTEMS)


@function("legendValue", group="Alias")
def legend_value(
    context: Context, seriesList: SeriesList, *valuesTypes: Annotated[str, Hint(options=_OPTIONS, optional=True)]
) -> SeriesList:
    """Add aggregations of its values to the name of each series: ``last``, ``max`` and the like.

    With ``si`` or ``binary`` at the end they stand in columns and have units.
    """
    system = valuesTypes[-1] if valuesTypes and valuesTypes[-1] in _SYSTEMS else None
    words = valuesTypes[:-1] if system else valuesTypes
    names = [row.name for row in seriesList.rows]
    for word in words:
        reduce = REDUCTIONS.get(word)
        values = _unknown(seriesList) if reduce is None else seriesList.statistic(reduce)
        names = [
            _plain(name, word, value, reduce is None) if system is None else _column(name, word, value, system)
            for name, value in zip(names, values.tolist(), strict=True)
        ]
    renamed = iter(names)

    def named(row: Row) -> Row:
        return row.named(next(renamed))

    return seriesList.with_rows(named)


def _unknown(series: SeriesList) -> Values:
    return np.full(len(series), np.nan)


def _plain(name: str, word: str, value: float, unknown_word: bool) -> str:
    shown = "(?)" if unknown_word else "None" if np.isnan(value) else str(value)
    return f"{name} ({word}: {shown})"


def _column(name: str, word: str, value: float, system: str) -> str:
    return f"{name:<20}{word:<5}{'None' if np.isnan(value) else with_unit(value, system):<10}"
