"""An agent and its server are killed, the way between them is torn and the disk full, at random: every slot is stored
once, and every line of a log."""

from pathlib import Path

import pytest

from agent_chaos import Chaos
from servers import START_S_MAX

pytestmark = pytest.mark.timeout(START_S_MAX + 300)

DURATION_S = 8.0


def test_each_slot_is_stored_once_whoever_is_killed_and_whatever_is_torn(tmp_path: Path) -> None:
    chaos = Chaos(tmp_path, seed=6)
    try:
        outcome = chaos.run(DURATION_S)
    finally:
        chaos.close()
    assert outcome.is_exact, outcome
    assert outcome.agent_kills and outcome.server_kills and outcome.full_disks and outcome.cuts, outcome
