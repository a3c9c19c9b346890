"""All protocols at once, among those who misbehave, and a server that dies: some rounds of what `make soak` does."""

from pathlib import Path

import pytest

from mixed import MARKS, POSTS, mixed_load
from servers import START_S_MAX
from tallystick.config import PROTOCOLS
from tallystick.parse import protocols


def test_every_registered_protocol_has_its_door() -> None:
    assert PROTOCOLS.keys() | POSTS.keys() == protocols().keys()
    assert not PROTOCOLS.keys() & POSTS.keys()
    assert MARKS.keys() == protocols().keys()


@pytest.mark.timeout(START_S_MAX + 300)
def test_the_ledger_balances_and_nothing_is_lost_under_mixed_load(tmp_path: Path) -> None:
    with mixed_load(tmp_path, seed=1) as load:
        for play in (load.killed_at_rest, load.killed_in_mid_load, load.killed_at_rest):
            play()
