"""The power fails at every event of a store's life in turn; what was acknowledged must be there, and nothing else.

The lives are made up from seeds. A failing seed goes into ``seeds.txt``, which is replayed for ever.
"""

import random
from pathlib import Path

import pytest

from journal import Disk, tree
from scenarios import Scenario, crash

STEPS = 18
KEPT = [
    int(line.split()[0]) for line in (Path(__file__).parent / "seeds.txt").read_text().splitlines() if line[0] != "#"
]
SEEDS = [*KEPT, *range(1, 17)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_power_cut_at_any_event_loses_nothing_acknowledged(tmp_path: Path, seed: int):
    scenario = Scenario(seed, tmp_path)
    scenario.play(STEPS)
    everything = Disk(scenario.files, scenario.files.position, Everything())
    everything.write_to(tmp_path / "copy")
    assert tree(tmp_path / "copy" / "store") == tree(tmp_path / "store"), "the store wrote past its Files"
    for position, event in enumerate(scenario.files.events):
        choice = random.Random(seed * 1_000_003 + position)
        crash(scenario, position, choice, f"seed {seed}, power cut in event {position} ({event})")


class Everything(random.Random):
    """The choice of a disk that loses nothing."""

    def random(self) -> float:
        return 0.0
