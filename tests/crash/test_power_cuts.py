"""The power fails at every event of a store's life in turn; what was acknowledged must be there, and nothing else.

The lives are made up from seeds. A failing seed goes into ``seeds.txt``, which is replayed for ever.
"""

import random
from pathlib import Path

import pytest

from journal import Disk, tree
from power_cuts import FATES, crash_everywhere
from scenarios import STEPS, Scenario

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]

SEEDS_FILE = Path(__file__).parent / "seeds.txt"
KEPT = [int(line.split()[0]) for line in SEEDS_FILE.read_text().splitlines() if not line.startswith("#")]
SEEDS = list(dict.fromkeys([*KEPT, *range(1, 15)]))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_power_cut_at_any_event_loses_nothing_acknowledged(tmp_path: Path, seed: int):
    scenario = Scenario(seed, tmp_path)
    scenario.play(STEPS)
    everything = Disk(scenario.files, scenario.files.position, Everything())
    everything.write_to(tmp_path / "copy")
    assert tree(tmp_path / "copy" / "store") == tree(tmp_path / "store"), "the store wrote past its Files"
    for _ in crash_everywhere(scenario, seed, FATES if seed in KEPT else 1):
        pass


class Everything(random.Random):
    """The choice of a disk that loses nothing."""

    def random(self) -> float:
        return 0.0
