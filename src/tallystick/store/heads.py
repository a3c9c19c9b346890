"""`Heads`: a head for each retention, and which series belongs to which."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Tally
from tallystick.store.head import Head

Frozen = list[tuple[Retention, list[Tally]]]
"""What the heads held when they were frozen."""


class Heads:
    """The heads of a store; the owner ties `take` to the log.

    Parameters
    ----------
    rules
        The first that matches a name says how it is kept; the last one also takes what none matches.
    """

    def __init__(self, rules: Sequence[RetentionRule]) -> None:
        ends = next((k for k, rule in enumerate(rules) if rule.match == "*"), len(rules) - 1)
        self._rules = list(rules[: ends + 1])  # what follows a rule for every name is never reached
        self._retentions = list(dict.fromkeys(rule.retention for rule in self._rules))
        self._steps = np.array([r.step_s for r in self._retentions], np.int64)
        self._heads = [Head(r.step_s) for r in self._retentions]
        self._of = np.empty(0, np.int16)

    def __len__(self) -> int:
        """Rows and late samples held."""
        return sum(len(head) for head in self._heads)

    def assign(self, ids: NDArray[np.int32], names: list[bytes]) -> None:
        """Say which retention series have, by their names."""
        end = int(ids.max(initial=-1)) + 1
        if end > len(self._of):
            more = max(end, 2 * len(self._of)) - len(self._of)
            self._of = np.concatenate([self._of, np.zeros(more, np.int16)])
        self._of[ids] = 0 if len(self._rules) == 1 else [self._index(name.decode()) for name in names]

    @property
    def retentions(self) -> tuple[Retention, ...]:
        """All that series are kept by."""
        return tuple(self._retentions)

    def by_retention(self, ids: NDArray[np.int32]) -> list[tuple[Retention, NDArray[np.bool_]]]:
        """The retentions of some series, and which of them each is for."""
        of = self._of[ids]
        return [(self._retentions[k], of == k) for k in np.unique(of).tolist()]

    def retention(self, series: int) -> Retention:
        """How a series is kept."""
        return self._retentions[int(self._of[series])]

    def steps(self, ids: NDArray[np.int32], age_s: float) -> NDArray[np.int64]:
        """For each series, the step of the finest resolution that still holds what is `age_s` old."""
        covering = np.array([r.covering(age_s).step_s for r in self._retentions], np.int64)
        return covering[self._of[ids]]

    def finest(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """The finest step of each series."""
        return self._steps[self._of[ids]]

    def all(self) -> tuple[Head, ...]:
        """The heads, to be read."""
        return tuple(self._heads)

    def take(self, batch: SampleBatch, kinds: int, n_series: int, now_s: float) -> None:
        """Fold samples into the head of each series; see `Head.fold`."""
        if len(self._heads) == 1:
            self._heads[0].fold(batch, kinds, n_series, now_s)
            return
        of = self._of[batch.ids]
        for k, head in enumerate(self._heads):
            part = batch.take(of == k)
            if len(part):
                head.fold(part, kinds, n_series, now_s)

    def present(self, id_end: int) -> NDArray[np.bool_]:
        """Which series have anything in memory: bool[id_end]."""
        present = np.zeros(id_end, np.bool_)
        for head in self._heads:
            head.mark_present(present)
        return present

    def finish_slots(self, now_s: float) -> None:
        """Finish open slots that have been over for a while."""
        for head in self._heads:
            head.finish_before(int(now_s) // head.step_s - 1)

    def freeze(self) -> Frozen:
        """Begin new heads and give what the old ones held. Readers that have an old one go on: nothing leaves it."""
        full, self._heads = self._heads, [Head(head.step_s) for head in self._heads]
        return [(retention, head.finish_all()) for retention, head in zip(self._retentions, full, strict=True)]

    def _index(self, name: str) -> int:
        rule = next((rule for rule in self._rules if rule.matches(name)), self._rules[-1])
        return self._retentions.index(rule.retention)
