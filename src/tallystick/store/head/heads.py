"""`Heads`: a head for each retention."""

import numpy as np
from numpy.typing import NDArray

from tallystick.model.retention import Retention
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Tally, TallyBatch
from tallystick.store.head.head import Head
from tallystick.store.rules.retentions import Retentions

Frozen = list[tuple[Retention, list[Tally]]]
"""What the heads held when they were frozen."""


class Heads:
    """The heads of a store; the owner ties `take` to the log.

    Parameters
    ----------
    retentions
        How the series are kept.
    """

    def __init__(self, retentions: Retentions) -> None:
        self.retentions = retentions
        self._heads = [Head(retention.step_s) for retention in retentions.all]

    def __len__(self) -> int:
        """Rows and late samples held."""
        return sum(len(head) for head in self._heads)

    def all(self) -> tuple[Head, ...]:
        """The heads, to be read."""
        return tuple(self._heads)

    def take(self, batch: SampleBatch, kinds: int, n_series: int, now_s: float) -> None:
        """Fold samples into the head of each series; see `Head.fold`."""
        if len(self._heads) == 1:
            self._heads[0].fold(batch, kinds, n_series, now_s)
            return
        of = self.retentions.of(batch.ids)
        for k, head in enumerate(self._heads):
            part = batch.take(of == k)
            if len(part):
                head.fold(part, kinds, n_series, now_s)

    def take_tallies(self, batch: TallyBatch, n_series: int, now_s: float) -> None:
        """Take slots that senders tallied into the head of each series; see `Head.fold_tallies`."""
        if len(self._heads) == 1:
            self._heads[0].fold_tallies(batch, n_series, now_s)
            return
        of = self.retentions.of(batch.ids)
        for k, head in enumerate(self._heads):
            rows = np.flatnonzero(of == k)
            if len(rows):
                head.fold_tallies(batch.take(rows), n_series, now_s)

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
        return [(retention, head.finish_all()) for retention, head in zip(self.retentions.all, full, strict=True)]
