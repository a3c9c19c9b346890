"""What must be true of a store after a power cut at any event of a life that `scenarios` played."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scenarios import BRIEF_S, DAY_S, SENDER, STEP_S, Life, QuietFiles, Scenario, open_quietly
from stores import NOW_S
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import RetentionRule
from tallystick.model.statistic import Statistic
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.view import StoreView

LATER = "later.a"
"""A series that comes after the crash."""
Content = dict[str, dict[int, tuple[int, float]]]
"""The sum and the count of each slot, by name."""


class Inspection:
    """Opens what a power cut left and compares it with what must be there.

    Parameters
    ----------
    scenario
        It was played to its end.
    position
        The power was cut in this event of its journal.
    rules
        What it is opened with.
    what
        Begins every message.
    """

    def __init__(self, scenario: Scenario, position: int, rules: Sequence[RetentionRule], what: str) -> None:
        self._scenario = scenario
        self._position = position
        self._rules = rules
        self._what = what
        self.clock = ManualClock(scenario.time_at(position))
        self._number = 0  # up to which the batches of the sender that numbers them were taken

    def check(self, root: Path, *, go_on: bool) -> None:
        """Open the store below `root`; with `go_on`, also use it and open it once more."""
        if go_on and (root / "store" / "series").exists():
            view = StoreView(root / "store", self._rules, self.clock)
            assert view.problems() == [], self._what
            self.compare(content_of(view, self.clock), numbered=False)
        store = open_quietly(root / "store", self.clock, self._rules, QuietFiles())
        try:
            self._number = store.last_number(SENDER)
            doubt = store.maintenance.settled.problem  # the store may have been away for days: that is no damage
            assert [problem for problem in store.problems() if problem != doubt] == [], self._what
            self.compare(content_of(store, self.clock))
            if go_on:
                store.create([LATER], [Kind.COUNTER])
                for step in (store.maintenance.seal, store.maintenance.compact):
                    step()
                    self.compare(content_of(store, self.clock))
        finally:
            store.close()
        if go_on:
            self.check(root, go_on=False)

    def compare(self, found: Content, *, numbered: bool = True) -> None:
        """Compare the content of a store with what must and what may be in it.

        What a sender sends again is there if its number says so, and not if not: it must count once.
        """
        where: dict[int, set[str]] = defaultdict(set)  # names that samples of a life were found under
        owners = {
            (sample.slot, sample.bit): (k, sample)
            for k, life in enumerate(self._scenario.lives)
            for sample in life.samples
        }
        seen: set[tuple[int, int]] = set()
        given = {name for life in self._scenario.lives for name in life.names_at(self._position)}
        given.add(LATER)
        assert found.keys() <= given, f"{self._what}: nothing is called {found.keys() - given} any more"
        for name, slots in found.items():
            for slot, (bits, count) in slots.items():
                assert count == bits.bit_count(), f"{self._what}: {name} at {slot} has a sample twice"
                for bit in (1 << k for k in range(bits.bit_length()) if bits >> k & 1):
                    owner, sample = owners.get((slot, bit), (-1, None))
                    assert sample is not None, f"{self._what}: {name} at {slot} has {bit:b}, which was never written"
                    assert sample.begun <= self._position, f"{self._what}: {name} has a sample before it was written"
                    unknown = numbered and sample.number > self._number
                    assert not unknown, f"{self._what}: {sample} is there and will be sent again ({self._number})"
                    where[owner].add(name)
                    seen.add((slot, bit))
        for k, life in enumerate(self._scenario.lives):
            self._compare_life(life, where[k], seen, self._number if numbered else 0)

    def _compare_life(self, life: Life, names: set[str], seen: set[tuple[int, int]], number: int) -> None:
        possible = life.names_at(self._position)
        assert names <= set(possible), f"{self._what}: samples of {possible} are under {names}"
        assert len(names) <= 1, f"{self._what}: samples of one series are under {names}"
        if not names and None in possible:
            return
        for sample in life.samples:
            old = self._brief(life) and sample.slot * STEP_S + BRIEF_S < self.clock.time_s + STEP_S
            if (sample.safe <= self._position or 0 < sample.number <= number) and not old:
                assert (sample.slot, sample.bit) in seen, f"{self._what}: lost {sample} of {possible}"

    def _brief(self, life: Life) -> bool:
        return any(change.name is not None and change.name.startswith("brief") for change in life.names)


def content_of(store: EmbeddedStore | StoreView, clock: ManualClock) -> Content:
    """All that a store has, in slots of five minutes."""
    ids = store.catalog.find("*.*")
    start = (NOW_S - 3 * DAY_S) // STEP_S
    until = int(clock.time_s + DAY_S) // STEP_S
    found = store.read(ids, start * STEP_S, until * STEP_S, STEP_S, [Statistic.SUM, Statistic.COUNT])
    content: Content = {name: {} for name in store.catalog.names(ids)}
    sums, counts = found[Statistic.SUM], found[Statistic.COUNT]
    names = list(content)
    for row, column in zip(*np.nonzero(counts > 0), strict=True):
        content[names[row]][start + int(column)] = int(sums[row, column]), float(counts[row, column])
    return content
