"""Query: from target expressions to grids of values.

`Evaluator` answers Graphite targets on a `Store`; `Request` says for which time and how finely; `QueryLimits` how large
a request may be. `parse` reads one target, `parse_time` one moment, `FUNCTIONS` holds the functions by name,
and `slices` makes a pie. `EventSource` is what `events()` asks.
"""

from tallystick.query.context import Request
from tallystick.query.evaluate import Band, Evaluator
from tallystick.query.events import EventSource
from tallystick.query.grammar import parse
from tallystick.query.pie import PIE_FUNCTIONS, slices
from tallystick.query.reduce import REDUCTIONS
from tallystick.query.registry import FUNCTIONS, Function
from tallystick.query.session import QueryLimits
from tallystick.query.times import parse_offset, parse_time, time_zone

REDUCTION_NAMES = tuple(sorted(REDUCTIONS))
"""The words that name an aggregation."""

__all__ = [
    "FUNCTIONS",
    "PIE_FUNCTIONS",
    "REDUCTION_NAMES",
    "Band",
    "Evaluator",
    "EventSource",
    "Function",
    "QueryLimits",
    "Request",
    "parse",
    "parse_offset",
    "parse_time",
    "slices",
    "time_zone",
]
