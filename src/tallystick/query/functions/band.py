from collections.abc import Iterator
from dataclasses import replace

from tallystick.model.grid import Row
from tallystick.model.statistic import Statistic
from tallystick.query.context import Context, Deferred
from tallystick.query.registry import function
from tallystick.query.series import Series, SeriesList

_PARTS = {Statistic.MIN: "min", Statistic.AVG: "avg", Statistic.MAX: "max"}


@function("band", group="Special", transparent=True)
def band(context: Context, seriesList: Deferred) -> SeriesList:
    """The smallest, the mean and the largest of the samples of each slot, as three series for each.

    They are read from the store for every path inside, as by `stat`: of a pixel they are those of all its samples.
    Pictures show the mean as a line, in an area from the smallest to the largest.
    """
    parts = [seriesList.evaluate(seriesList.context.wanting(wanted)) for wanted in _PARTS]
    return SeriesList.of(_in_turn(parts))


def _in_turn(parts: list[SeriesList]) -> Iterator[Series]:
    for three in zip(*parts, strict=True):
        for one, word in zip(three, _PARTS.values(), strict=True):
            yield replace(one, row=_named(one.row, word))


def _named(row: Row, word: str) -> Row:
    return replace(
        row, name=f'band({row.name},"{word}")', tags=row.tags | {"band": word}, options=row.options | {"band": word}
    )
