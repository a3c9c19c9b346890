import numpy as np

from tallystick.query.context import Context
from tallystick.query.reduce import deviation
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("mostDeviant", group="Filter Series")
def most_deviant(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series that swing most, by standard deviation."""
    swing = seriesList.statistic(deviation)
    known = np.flatnonzero(~np.isnan(swing)).tolist()
    return seriesList.pick(sorted(known, key=swing.tolist().__getitem__, reverse=True)[:n])
