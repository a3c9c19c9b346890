"""Whatever is given to a function, it answers with series or with a sentence."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.model.clock import ManualClock
from tallystick.model.errors import QueryError
from tallystick.query import FUNCTIONS, Evaluator, QueryLimits, Request
from tallystick.store.memory import MemoryStore

from .conftest import NOW_S

SERIES = ["web.a.load", "web.*.*", "no.such", "disk;host=x", "scale(web.*.load,0)", "removeAboveValue(web.a.*,-1)"]
NUMBERS = ["0", "1", "-1", "2", "3.5", "-0.5", "100", "1e300", "99999999999", "inf"]
WORDS = [
    '""',
    '"x"',
    '"("',
    '"%"',
    '"%d"',
    '"web"',
    '"host"',
    '"name=disk"',
    '"a"',
    '"si"',
    '"hours"',
    '">"',
    '"web.%"',
]
BY_TYPE = {
    "seriesList": SERIES,
    "seriesLists": [*SERIES, "mapSeries(web.*.*,1)"],
    "float": NUMBERS,
    "integer": NUMBERS,
    "boolean": ["true", "false", "1"],
    "interval": ['"1min"', '"-1d"', '"10s"', '"0s"', '"3mon"', '"1s"', '"7s"'],
    "intOrInterval": ["1", "3", "1000", '"1min"', '"-10s"', '"1s"', '"0s"'],
    "aggFunc": ['"max"', '"sumSeries"', '"p50"', '"avg_zero"', '"diff"', '"multiply"', '"last"'],
    "aggOrSeriesFunc": ['"sum"', '"asPercent"', '"median"', '"count"', '"scale"', '"diffSeriesLists"'],
    "node": ["0", "-1", "9"],
    "tag": ['"host"', '"name"', '"no"'],
    "nodeOrTag": ["0", "-1", "9", '"host"'],
    "date": ['"now"', '"-30s"', '"yesterday"', '"-1x"'],
    "intOrInf": ["inf", "0", "2"],
    "any": ["None", "0", "12.5", *SERIES],
    "string": [*WORDS, '"max"', '"asPercent"', '"1min"'],
}
ANYTHING = sorted({one for pool in BY_TYPE.values() for one in pool})


def arguments(name: str) -> st.SearchStrategy[list[str]]:
    """Arguments of the types that a function takes, now and then others, more or fewer."""
    parameters = FUNCTIONS[name].parameters
    fitting = st.tuples(*(st.sampled_from(BY_TYPE[parameter.type_name]) for parameter in parameters)).map(list)
    return st.one_of(fitting, fitting, fitting, st.lists(st.sampled_from(ANYTHING), max_size=5))


@pytest.mark.parametrize("name", sorted({found.name for found in FUNCTIONS.values()}))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), slots=st.sampled_from([None, 1, 7]))
def test_a_function_gives_series_or_a_sentence(
    store: MemoryStore, name: str, data: st.DataObject, slots: int | None
) -> None:
    target = f"{name}({','.join(data.draw(arguments(name)))})"
    evaluator = Evaluator(store, ManualClock(), QueryLimits(points_max=5_000))
    request = Request(NOW_S - 60, NOW_S, NOW_S, slots_max=slots)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            grids = evaluator.evaluate([target], request)
    except QueryError as error:
        assert str(error).startswith("cannot")
        return
    for grid in grids:
        assert grid.values.dtype == np.float64
        assert grid.values.shape[0] == len(grid.rows) > 0
        assert grid.step_s > 0
        assert not math.isnan(grid.start_s)
        assert all("name" in row.tags and all(isinstance(tag, str) for tag in row.tags.values()) for row in grid.rows)
