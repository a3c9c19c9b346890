"""The power fails at every event of a life of an agent's spool; what was safe reaches each server once."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from power_cuts import memory_directory
from spool_lives import PlainServer, SpoolLife, cut_everywhere, drained, opened
from tallystick.agent.spool import spool as spools
from tallystick.agent.spool.segment import DAMAGED
from tallystick.model.clock import ManualClock

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("small_segments")]

FLIPS = 150


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 700)


@pytest.fixture
def root() -> Iterator[Path]:
    with memory_directory() as name:
        yield Path(name)


def lived(root: Path, seed: int, steps: int) -> SpoolLife:
    (root / "life").mkdir()
    life = SpoolLife(seed, root / "life")
    life.play(steps)
    return life


# The last of these found: a torn write taken for damage, places that were older than what a server had, positions that
# were removed before those of the next start were safe.
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 102, 110, 148])
def test_a_power_cut_at_any_event_loses_nothing_that_was_safe(root: Path, seed: int) -> None:
    for _ in cut_everywhere(lived(root, seed, 45), seed, root):
        pass


def sent(root: Path) -> PlainServer:
    """What a server is sent that has nothing yet; no slot is doubled, and none is there that was not told of."""
    spool = opened(root, ManualClock())
    server = PlainServer()
    drained(spool, server, "b")
    spool.close()
    assert set(server.stored.values()) <= {1}
    assert server.generated >= sum(server.stored.values())
    return server


def test_a_file_that_ends_at_any_byte_is_used_as_far_as_it_goes(root: Path) -> None:
    """As ``kill -9`` leaves it: whole writes in their order, the last of them torn anywhere."""
    lived(root, 1, 12)
    newest = max((root / "life").rglob("*.segment"))
    whole = newest.read_bytes()
    for size in range(0, len(whole), 3):
        copy = root / f"cut{size}"
        shutil.copytree(root / "life", copy)
        (copy / "spool" / newest.name).write_bytes(whole[:size])
        sent(copy)
        assert not (copy / "spool" / DAMAGED).exists()
        shutil.rmtree(copy)


def test_any_wrong_byte_costs_some_slots_and_is_set_aside(root: Path) -> None:
    lived(root, 2, 30)
    whole = sent(root / "life")
    shutil.rmtree(root / "life")
    lived(root, 2, 30)
    choice = random.Random(5)
    files = sorted((root / "life").rglob("*.segment"))
    for k in range(FLIPS):
        copy = root / f"flip{k}"
        shutil.copytree(root / "life", copy)
        file = copy / "spool" / choice.choice(files).name
        content = bytearray(file.read_bytes())
        content[choice.randrange(len(content))] ^= 1 << choice.randrange(8)
        file.write_bytes(content)
        found = sent(copy)
        assert set(found.stored) <= set(whole.stored)
        assert found.generated <= whole.generated
        assert (copy / "spool" / DAMAGED).exists() or file.name == files[-1].name
        shutil.rmtree(copy)
