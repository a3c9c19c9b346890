"""The power fails while blocks follow new retention rules: each sample is there once, before, in between and after.

The lives are those of the other power cuts, but all that happens is writing, and other rules again and again.
"""

import random
from pathlib import Path

import pytest

from power_cuts import crash
from scenarios import RULES, Scenario

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]


class ChangingRules(Scenario):
    """A life in which the rules change each time that the store is opened."""

    begun = 0
    """The event of the first change."""

    def play(self, steps: int) -> None:
        """Write under each of the rules, and let what is stored follow the next ones."""
        for k in range(1, len(RULES) + 1):
            for _ in range(steps):
                self.choice.choice([self.write, self.write, self.write_without_waiting, self.let_time_pass])()
            self.seal()
            self.compact()
            self.begun = self.begun or self.files.position
            self.close()
            self.rules = RULES[k % len(RULES)]
            self.store = self._open()
            self.compact()
        self.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_power_cut_while_stored_data_follows_new_rules_loses_nothing(tmp_path: Path, seed: int):
    scenario = ChangingRules(seed, tmp_path)
    scenario.play(3)
    events = scenario.files.events
    assert any(entry.primary or not entry.stale for entry in scenario.store.block_set.manifest.blocks)
    for position in range(scenario.begun, len(events)):
        choice = random.Random(seed * 1_000_003 + position)
        crash(scenario, position, choice, f"seed {seed}, power cut in event {position} ({events[position]})")
