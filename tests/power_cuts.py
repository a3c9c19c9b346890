"""The power is cut in any event of a life that `scenarios` played, and what is left is inspected."""

import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from inspection import Inspection
from journal import Disk, JournalFiles
from scenarios import RULES, Scenario, open_quietly
from tallystick.model.clock import ManualClock
from tallystick.model.retention import RetentionRule

FATES = 3
"""How often the power is cut in each event where seeds that failed are replayed, and in `make soak`."""


def memory_directory() -> tempfile.TemporaryDirectory[str]:
    """A directory in memory where there is one: what a power cut leaves is looked at once."""
    shared = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="tallystick-crash-", dir=shared if os.access(shared, os.W_OK) else None)


def crash_everywhere(scenario: Scenario, seed: int, fates: int) -> Iterator[int]:
    """Cut the power in each event of a life that was played, each with so many fates of what was not safe."""
    for position, event in enumerate(scenario.files.events):
        for fate in range(fates):
            choice = random.Random(seed * 1_000_003 + position + fate * 1_000_000_007)
            crash(scenario, position, choice, f"seed {seed}, fate {fate}, power cut in event {position} ({event})")
            yield position


def crash(scenario: Scenario, position: int, choice: random.Random, what: str) -> None:
    """Cut the power in one event, look at what is left, and cut it again while that is looked at."""
    inspection = Inspection(scenario, position, choice.choice(RULES), what)
    with memory_directory() as name:
        root = Path(name)
        Disk(scenario.files, position, choice).write_to(root)
        if choice.random() < 0.1:
            again = crash_again(root, inspection.clock, scenario.rules, choice)
            with memory_directory() as second:
                again.write_to(Path(second))
                inspection.check(Path(second), go_on=False)
        else:
            inspection.check(root, go_on=choice.random() < 0.2)


def crash_again(root: Path, clock: ManualClock, rules: Sequence[RetentionRule], choice: random.Random) -> Disk:
    """Start after a power cut, seal and compact, and cut the power in some event of that."""
    files = JournalFiles(root)
    store = open_quietly(root / "store", clock, rules, files)
    store.maintenance.seal()
    store.maintenance.compact()
    store.close()
    return Disk(files, choice.randint(0, files.position), choice)
