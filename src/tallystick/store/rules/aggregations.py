"""`Aggregations`: which statistic is the value of a series; for gauges in coarse slots, rules for names decide."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.columns import grown
from tallystick.model.kind import Kind
from tallystick.model.retention import AggregationRule
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.store.rules.first_match import FirstMatch, expression_of

_LAST, _AVG, _SUM = (STATISTICS.index(s) for s in (Statistic.LAST, Statistic.AVG, Statistic.SUM))
_OF_KIND = np.zeros(len(Kind), np.uint8)
_OF_KIND[[Kind.GAUGE, Kind.SET, Kind.CUMULATIVE]] = _LAST
_OF_KIND[Kind.COUNTER] = _SUM
_OF_KIND[Kind.TIMING] = _AVG


class Aggregations:
    """What gauges are in slots coarser than their finest, by their ids.

    Parameters
    ----------
    rules
        The first that is for a name counts; where none is, it is the average.
    """

    def __init__(self, rules: Sequence[AggregationRule]) -> None:
        self._of_rule = np.array([*(STATISTICS.index(rule.statistic) for rule in rules), _AVG], np.uint8)
        self._first = FirstMatch([expression_of(rule) for rule in rules])
        self._of = np.empty(0, np.uint8)

    def assign(self, ids: NDArray[np.int32], names: Sequence[str]) -> None:
        """Say what series are, by their names."""
        if len(self._of_rule) == 1:
            return
        self._of = grown(self._of, int(ids.max(initial=-1)) + 1, _AVG)
        self._of[ids] = self._of_rule[[self._first(name) for name in names]]

    def defaults(
        self, ids: NDArray[np.int32], kinds: NDArray[np.uint8], finest: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """uint8[n]: which of `STATISTICS` is the value of each series, in slots of its finest step or of a coarser."""
        found = _OF_KIND[kinds]
        coarse = ~finest & (kinds == Kind.GAUGE)
        if coarse.any():
            found[coarse] = _AVG if len(self._of_rule) == 1 else self._of[ids[coarse]]
        return found
