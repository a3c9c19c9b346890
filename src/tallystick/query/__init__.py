"""Query: from target expressions to grids of values.

`Evaluator` answers Graphite targets on a `Store`; `Request` says for which time and how finely; `QueryLimits` how large
a request may be. `parse` reads one target, `parse_time` one moment, `FUNCTIONS` holds the functions by name.
"""

from tallystick.query.context import QueryLimits, Request
from tallystick.query.evaluate import Band, Evaluator
from tallystick.query.grammar import parse
from tallystick.query.reduce import REDUCTIONS
from tallystick.query.registry import FUNCTIONS, Function
from tallystick.query.times import parse_offset, parse_time, time_zone

REDUCTION_NAMES = tuple(sorted(REDUCTIONS))
"""The words that name an aggregation."""

__all__ = [
    "FUNCTIONS",
    "REDUCTION_NAMES",
    "Band",
    "Evaluator",
    "Function",
    "QueryLimits",
    "Request",
    "parse",
    "parse_offset",
    "parse_time",
    "time_zone",
]
