"""`Retentions`: the rules of how long series are kept, and which of them took each series."""

from collections.abc import Sequence
from math import lcm

import numpy as np
from numpy.typing import NDArray

from tallystick.model.columns import grown
from tallystick.model.retention import AggregationRule, Retention, RetentionRule, reached
from tallystick.store.rules.aggregations import Aggregations
from tallystick.store.rules.first_match import FirstMatch, expression_of


class Retentions:
    """How each series is kept, by its id.

    Parameters
    ----------
    rules
        The first that is for a name says how it is kept; the last one also takes what none is for.
    aggregation
        What gauges are in coarse slots.
    """

    def __init__(self, rules: Sequence[RetentionRule], aggregation: Sequence[AggregationRule] = ()) -> None:
        self._rules = list(reached(rules))
        self.all = tuple(dict.fromkeys(rule.retention for rule in self._rules))
        self._of_rule = np.array([self.all.index(rule.retention) for rule in self._rules], np.int16)
        self._steps = np.array([retention.step_s for retention in self.all], np.int64)
        self._first = FirstMatch([expression_of(rule) for rule in self._rules[:-1]])
        self._of = np.empty(0, np.int16)
        self._aggregations = Aggregations(aggregation)
        self.moved = 0  # how often a series got a name with another retention
        self.unsealed: dict[int, int] = {}
        """Series that got such a name since the last sealing, and the step of the slots that heads have of them."""

    def assign(self, ids: NDArray[np.int32], names: Sequence[str]) -> None:
        """Say how series are kept and what they are in coarse slots, by their names."""
        self._of = grown(self._of, int(ids.max(initial=-1)) + 1)
        self._of[ids] = self.of_names(names)
        self._aggregations.assign(ids, names)

    def moves(self, ids: NDArray[np.int32], names: Sequence[str]) -> bool:
        """Whether some of these series would be kept otherwise under other names."""
        return bool((self._of[ids] != self.of_names(names)).any())

    def move(self, series: int) -> None:
        """Say that a series is about to get a name with another retention; what heads have of it stays as it is."""
        self.unsealed[series] = lcm(self.unsealed.get(series, 1), self[series].step_s)
        self.moved += 1

    def of_names(self, names: Sequence[str]) -> NDArray[np.int16]:
        """For each name, the number of its retention in `all`."""
        if len(self._rules) == 1:
            return np.zeros(len(names), np.int16)
        return self._of_rule[[self._first(name) for name in names]]

    def of(self, ids: NDArray[np.int32]) -> NDArray[np.int16]:
        """For each series, the number of its retention in `all`."""
        return self._of[ids]

    def by_retention(self, ids: NDArray[np.int32]) -> list[tuple[Retention, NDArray[np.bool_]]]:
        """The retentions of some series, and which of them each is for."""
        of = self._of[ids]
        return [(self.all[k], of == k) for k in np.unique(of).tolist()]

    def __getitem__(self, series: int) -> Retention:
        """How a series is kept."""
        return self.all[int(self._of[series])]

    def steps(self, ids: NDArray[np.int32], age_s: float) -> NDArray[np.int64]:
        """For each series, the step of the finest resolution that its rule keeps for so long."""
        covering = np.array([r.covering(age_s).step_s for r in self.all], np.int64)
        return covering[self._of[ids]]

    def finest(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """The finest step of each series."""
        return self._steps[self._of[ids]]

    def defaults(self, ids: NDArray[np.int32], kinds: NDArray[np.uint8], step_s: int) -> NDArray[np.uint8]:
        """For series of some kinds, which of `STATISTICS` is their value in slots of `step_s`."""
        return self._aggregations.defaults(ids, kinds, self.finest(ids) == step_s)
