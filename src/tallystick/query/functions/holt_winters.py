"""Forecasts from trend and season, and how far values are from them."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from tallystick.kernels.holt_winters import forecast_rows
from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.query.context import Context, Deferred
from tallystick.query.parameters import Hint, Interval
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import Series, SeriesList

_LEVEL, _TREND, _SEASON = 0.1, 0.0035, 0.1  # Graphite's weights of what is new
_WEEK = Interval("7d", 7 * 86400)
_DAY = Interval("1d", 86400)
_Bootstrap = Annotated[Interval, Hint(suggestions=("7d", "30d"))]
_Season = Annotated[Interval, Hint(suggestions=("1d", "7d"))]


@dataclass(frozen=True, slots=True)
class _Forecast:
    """What was expected of a grid, both float64[n, m] in the range asked for, which begins at `start_s`."""

    grid: Grid
    expected: Values
    deviation: Values
    start_s: int

    def marked(self, row: Row, *words: str) -> Row:
        marks = ("Forecast", "Deviation", *words)
        return replace(row, tags=row.tags | {f"holtWinters{word}": "1" for word in marks})


def _forecasts(series: Deferred, bootstrap: Interval, seasonality: Interval) -> list[_Forecast]:
    """Reads the series from so long before the range on, as a forecast must have learnt from something."""
    earlier = series.evaluate(series.context.shifted(-bootstrap.seconds))
    return [_forecast(grid, bootstrap.seconds, seasonality.seconds) for grid in earlier.grids]


def _forecast(grid: Grid, bootstrap_s: int, season_s: int) -> _Forecast:
    expected, deviation = np.empty_like(grid.values), np.empty_like(grid.values)
    room = np.empty(grid.values.shape[1])
    forecast_rows(grid.values, abs(season_s) // grid.step_s, _LEVEL, _TREND, _SEASON, room, expected, deviation)
    learnt = bootstrap_s // grid.step_s
    return _Forecast(grid, expected[:, learnt:], deviation[:, learnt:], grid.start_s + bootstrap_s)


def _forwards(bootstrap: Interval) -> Interval:
    if bootstrap.seconds < 0:
        raise QueryError(f"cannot bootstrap for {bootstrap.text!r}: it is negative; expected a length such as 7d")
    return bootstrap


@function("holtWintersForecast", group="Calculate")
def holt_winters_forecast(
    context: Context, seriesList: Deferred, bootstrapInterval: _Bootstrap = _WEEK, seasonality: _Season = _DAY
) -> SeriesList:
    """What was to be expected of each series, by Holt and Winters' smoothing of level, trend and season."""
    found = _forecasts(seriesList, _forwards(bootstrapInterval), seasonality)

    def named(one: _Forecast, row: Row) -> Row:
        name = f"holtWintersForecast({row.name})"
        return replace(one.marked(row), name=name, path=name, consolidation="average")

    return SeriesList(
        tuple(
            Grid(one.expected, tuple(named(one, row) for row in one.grid.rows), one.start_s, one.grid.step_s)
            for one in found
        )
    )


@function("holtWintersConfidenceBands", group="Calculate")
def holt_winters_confidence_bands(
    context: Context,
    seriesList: Deferred,
    delta: float = 3,
    bootstrapInterval: _Bootstrap = _WEEK,
    seasonality: _Season = _DAY,
) -> SeriesList:
    """The forecast less, and plus, `delta` times how far values usually are from it."""
    found = _forecasts(seriesList, _forwards(bootstrapInterval), seasonality)
    return SeriesList(tuple(_bands(one, delta) for one in found))


def _bands(one: _Forecast, delta: float) -> Grid:
    """Lower and upper band of each series in turn."""
    spread = delta * one.deviation
    values = np.stack([one.expected - spread, one.expected + spread], axis=1).reshape(
        2 * len(one.grid), one.expected.shape[1]
    )
    words = ("ConfidenceLower", "ConfidenceUpper")
    rows = (
        replace(one.marked(row, *words), name=f"holtWinters{word}({row.name})", consolidation="average")
        for row in one.grid.rows
        for word in words
    )
    return Grid(values, tuple(rows), one.start_s, one.grid.step_s)


@function("holtWintersConfidenceArea", group="Calculate")
def holt_winters_confidence_area(
    context: Context,
    seriesList: Deferred,
    delta: float = 3,
    bootstrapInterval: _Bootstrap = _WEEK,
    seasonality: _Season = _DAY,
) -> SeriesList:
    """The area between the confidence bands of one series."""
    bands = holt_winters_confidence_bands(context, seriesList, delta, bootstrapInterval, seasonality)
    if len(bands) != 2:
        raise QueryError(
            f"cannot call holtWintersConfidenceArea: it is given {len(bands) // 2} series; expected exactly 1"
        )

    def between(row: Row) -> Row:
        name = f"holtWintersConfidenceArea({row.path})"
        lower = row.name.startswith("holtWintersConfidenceLower")
        options = row.options | {"stacked": True} | ({"invisible": True} if lower else {})
        tags = row.tags | {"holtWintersConfidenceArea": "1"}
        return replace(row, name=name, path=name, tags=tags, options=options)

    return bands.with_rows(between)


@function("holtWintersAberration", group="Calculate")
def holt_winters_aberration(
    context: Context,
    seriesList: Deferred,
    delta: float = 3,
    bootstrapInterval: _Bootstrap = _WEEK,
    seasonality: _Season = _DAY,
) -> SeriesList:
    """How far each value is beyond its confidence bands; 0 within them and where there is none."""
    bootstrap = _forwards(bootstrapInterval)
    bands = {
        one.row.name: one for one in holt_winters_confidence_bands(context, seriesList, delta, bootstrap, seasonality)
    }
    # At the step that bands are read at, which older slots may have coarser.
    where = replace(seriesList.context.shifted(0), reach_s=seriesList.context.reach_s + bootstrap.seconds)
    return SeriesList.of(_aberration(one, bands) for one in seriesList.evaluate(where))


def _aberration(one: Series, bands: dict[str, Series]) -> Series:
    name = f"holtWintersAberration({one.row.name})"
    row = replace(
        one.row,
        name=name,
        path=name,
        consolidation="average",
        tags=one.row.tags | {"holtWintersAberration": "1"},
    )
    lower, upper = (
        _fitted(bands.get(f"holtWintersConfidence{word}({one.row.name})"), one) for word in ("Lower", "Upper")
    )
    beyond = np.where(one.values > upper, one.values - upper, np.where(one.values < lower, one.values - lower, 0.0))
    return replace(one, values=beyond, row=row)


def _fitted(band: Series | None, one: Series) -> Values:
    """A band's values at the slots of `one`; NaN where it has none."""
    values = np.full(len(one.values), np.nan)
    if band is not None and band.step_s == one.step_s:
        count = min(len(values), len(band.values))
        values[:count] = band.values[:count]
    return values
