from dataclasses import replace

import numpy as np

from tallystick.model.grid import Row
from tallystick.query.context import Context, Deferred
from tallystick.query.parameters import Date
from tallystick.query.registry import function
from tallystick.query.series import SeriesList
from tallystick.query.times import parse_time


@function("linearRegression", group="Calculate")
def linear_regression(
    context: Context, seriesList: Deferred, startSourceAt: Date | None = None, endSourceAt: Date | None = None
) -> SeriesList:
    """The straight line that fits each series best, by the values of the range or of another one."""
    request = context.request
    start_s = context.from_s if startSourceAt is None else parse_time(startSourceAt, request.now_s, request.zone)
    end_s = context.until_s if endSourceAt is None else parse_time(endSourceAt, request.now_s, request.zone)
    sources = seriesList.evaluate(seriesList.context.shifted(start_s - context.from_s, end_s - context.until_s))
    lines = []
    for source, series in zip(sources, seriesList.evaluate(), strict=False):
        known = ~np.isnan(source.values)
        if np.count_nonzero(known) < 2:
            continue
        # Times from the start of the source: epoch seconds squared would cost most digits.
        times = np.arange(len(source.values))[known] * float(source.step_s)
        level, slope = np.polynomial.polynomial.polyfit(times, source.values[known], 1)
        at = np.arange(len(series.values)) * series.step_s + (series.start_s - source.start_s)
        lines.append(replace(series, values=level + slope * at, row=_named(series.row, start_s, end_s)))
    return SeriesList.of(lines)


def _named(row: Row, start_s: int, end_s: int) -> Row:
    name = f"linearRegression({row.name}, {start_s}, {end_s})"
    return replace(row, name=name, path=name, tags=row.tags | {"linearRegressions": f"{start_s}, {end_s}"})
