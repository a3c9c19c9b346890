"""OpenTSDB's questions: what its HTTP API asks for, and the answers, as arrays.

`Question` and its `SubQuery`s say what is asked; `answer` reads, downsamples, makes rates and aggregates;
`Suggestions`, `look_up` and `last_points` are about names. `AGGREGATORS` and `FILTER_KINDS` hold what there is.
"""

from tallystick.query.opentsdb.aggregators import AGGREGATORS, find_aggregator
from tallystick.query.opentsdb.evaluate import Answer, answer
from tallystick.query.opentsdb.filters import FILTER_KINDS, joined_filters, new_filter, tag_filter
from tallystick.query.opentsdb.names import (
    KINDS,
    Known,
    Suggestions,
    UnknownNameError,
    last_points,
    look_up,
    tsuid_of,
)
from tallystick.query.opentsdb.points import COUNTER_MAX, Rate
from tallystick.query.opentsdb.question import (
    QUERIES_MAX,
    Downsampling,
    Fill,
    Question,
    SubQuery,
    parse_downsampling,
    parse_metric,
)
from tallystick.query.opentsdb.times import parse_moment

__all__ = [
    "AGGREGATORS",
    "COUNTER_MAX",
    "FILTER_KINDS",
    "KINDS",
    "QUERIES_MAX",
    "Answer",
    "Downsampling",
    "Fill",
    "Known",
    "Question",
    "Rate",
    "SubQuery",
    "Suggestions",
    "UnknownNameError",
    "answer",
    "find_aggregator",
    "joined_filters",
    "last_points",
    "look_up",
    "new_filter",
    "parse_downsampling",
    "parse_metric",
    "parse_moment",
    "tag_filter",
    "tsuid_of",
]
