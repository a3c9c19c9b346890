"""`Retentions`: the rules of how long series are kept, and which of them took each series."""

import re
from collections.abc import Sequence
from fnmatch import translate

import numpy as np
import re2
from numpy.typing import NDArray

from tallystick.model.retention import Retention, RetentionRule


class Retentions:
    """How each series is kept, by its id.

    Parameters
    ----------
    rules
        The first that is for a name says how it is kept; the last one also takes what none is for.
    """

    def __init__(self, rules: Sequence[RetentionRule]) -> None:
        ends = next((k for k, rule in enumerate(rules) if rule.matches_all), len(rules) - 1)
        self._rules = list(rules[: ends + 1])  # what follows a rule for every name is never reached
        self.all = tuple(dict.fromkeys(rule.retention for rule in self._rules))
        self._of_rule = np.array([self.all.index(rule.retention) for rule in self._rules], np.int16)
        self._steps = np.array([retention.step_s for retention in self.all], np.int64)
        self._first = FirstMatch([_expression(rule) for rule in self._rules[:-1]])
        self._of = np.empty(0, np.int16)
        self.moved = 0  # how often a series got a name with another retention

    def assign(self, ids: NDArray[np.int32], names: Sequence[str]) -> None:
        """Say how series are kept, by their names."""
        end = int(ids.max(initial=-1)) + 1
        if end > len(self._of):
            more = max(end, 2 * len(self._of)) - len(self._of)
            self._of = np.concatenate([self._of, np.zeros(more, np.int16)])
        self._of[ids] = self.of_names(names)

    def moves(self, ids: NDArray[np.int32], names: Sequence[str]) -> bool:
        """Whether some of these series would be kept otherwise under other names."""
        return bool((self._of[ids] != self.of_names(names)).any())

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


class FirstMatch:
    """Finds the first of many regular expressions that is found in a name: all at once, where RE2 knows them.

    Notes
    -----
    A name costs about 2 us whatever the number of expressions; one that RE2 does not know (look-around) is
    searched by itself, which costs about 0.4 us.
    """

    def __init__(self, expressions: Sequence[str]) -> None:
        options = re2.Options()
        options.log_errors = False
        self._none = len(expressions)
        self._set = re2.Set.SearchSet(options)
        self._in_set: list[int] = []
        self._others: list[tuple[int, re.Pattern[str]]] = []
        for k, expression in enumerate(expressions):
            try:
                self._set.Add(expression)
                self._in_set.append(k)
            except re2.error:
                self._others.append((k, re.compile(expression)))
        if self._in_set:
            self._set.Compile()

    def __call__(self, name: str) -> int:
        """The number of the first expression found in `name`; how many there are, if none is."""
        first = self._none
        if self._in_set:
            found = self._set.Match(name)
            if found:
                first = self._in_set[min(found)]
        for k, expression in self._others:
            if k >= first:
                break
            if expression.search(name):
                return k
        return first


def _expression(rule: RetentionRule) -> str:
    """The regular expression of a rule, to be searched; ``*`` of a glob crosses dots."""
    if rule.pattern is not None:
        return rule.pattern
    if "[" in rule.match:
        return rf"\A{translate(rule.match)}"  # in Python's syntax, which RE2 refuses
    words = {"*": ".*", "?": "."}
    return f"^(?s:{''.join(words.get(c) or re.escape(c) for c in rule.match)})$"
