"""Ids of names that StatsD makes: the form's number above the series' id; those of series stay what they are."""

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
SERIES_BITS = 25
SERIES_MAX = 1 << SERIES_BITS
"""Series with higher ids have no such names."""


def made_id(form: int, series: Ids) -> Ids:
    """The ids of one form's names of some series."""
    return (series + ((form + 1) << SERIES_BITS)).astype(np.int32)


def series_of(ids: Ids) -> Ids:
    """The series that each id is, or is made of."""
    return ids & (SERIES_MAX - 1)


def forms_of(ids: Ids) -> Ids:
    """The number of each id's form; -1 for a series."""
    return (ids >> SERIES_BITS) - 1
