"""Orders of series."""

import numpy as np

from tallystick.query.reduce import reduction
from tallystick.query.series import SeriesList


def ordered(series: SeriesList, word: str, *, reverse: bool) -> list[int]:
    """Positions of the series by an aggregation of their values; those without values count as lowest.

    Equal ones keep their order, also in reverse.
    """
    keys = series.statistic(reduction(word))
    keys = np.where(np.isnan(keys), -np.inf, keys)
    return sorted(range(len(keys)), key=keys.tolist().__getitem__, reverse=reverse)
