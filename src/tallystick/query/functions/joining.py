"""How the slots of series are joined, for pixels or for a coarser step."""

from dataclasses import replace
from typing import Annotated

from tallystick.model.errors import QueryError
from tallystick.model.grid import Row
from tallystick.query.context import Context
from tallystick.query.parameters import Hint
from tallystick.query.registry import function
from tallystick.query.series import SeriesList

_CONSOLIDATIONS = ("average", "avg", "avg_zero", "sum", "min", "max", "first", "last")


def _consolidated(series: SeriesList, word: str) -> SeriesList:
    if word not in _CONSOLIDATIONS:
        raise QueryError(f"cannot consolidate by {word!r}: expected one of {', '.join(_CONSOLIDATIONS)}")

    def marked(row: Row) -> Row:
        name = f'consolidateBy({row.name},"{word}")'
        return replace(row, name=name, path=name, consolidation=word, tags=row.tags | {"consolidateBy": word})

    return series.with_rows(marked)


@function("consolidateBy", group="Special", transparent=True)
def consolidate_by(
    context: Context, seriesList: SeriesList, consolidationFunc: Annotated[str, Hint(options=_CONSOLIDATIONS)]
) -> SeriesList:
    """How slots are joined where there are more of them than pixels; for paths, by merging their samples."""
    return _consolidated(seriesList, consolidationFunc)


@function("cumulative", group="Special", transparent=True)
def cumulative(context: Context, seriesList: SeriesList) -> SeriesList:
    """Slots are added up where there are more of them than pixels."""
    return _consolidated(seriesList, "sum")


@function("setXFilesFactor", "xFilesFactor", group="Special")
def set_x_files_factor(context: Context, seriesList: SeriesList, xFilesFactor: float) -> SeriesList:
    """How large a share of slots must be known wherever these series are joined."""
    marks = {"xFilesFactor": str(xFilesFactor)}
    return seriesList.with_rows(lambda row: replace(row, x_files_factor=xFilesFactor, tags=row.tags | marks))
