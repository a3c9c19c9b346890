"""Series as slices of a pie."""

import numpy as np
import pytest

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.query import slices
from tallystick.query.series import SeriesList

SERIES = SeriesList((Grid(np.array([[1.0, np.nan, 5.0], [np.nan] * 3]), (Row("a", "a"), Row("b", "b")), 0, 10),))


@pytest.mark.parametrize(("mode", "expected"), [("average", 3.0), ("maximum", 5.0), ("minimum", 1.0)])
def test_each_series_is_one_number(mode: str, expected: float):
    known, unknown = slices(SERIES, mode).tolist()
    assert known == expected
    assert np.isnan(unknown)


def test_an_unknown_mode_is_refused():
    with pytest.raises(QueryError, match="expected one of average"):
        slices(SERIES, "middle")
