"""A directory that was copied from a store that is open, file by file, in any order."""

import random
import shutil
from pathlib import Path

import pytest

from stores import NOW_S, found, open_store, put, wait_durable
from tallystick.model.clock import ManualClock


@pytest.mark.parametrize("seed", range(8))
def test_a_live_copy_opens_and_has_what_was_acknowledged_before_it_began(tmp_path: Path, seed: int):
    choice = random.Random(seed)
    clock = ManualClock(float(NOW_S))
    store = open_store(tmp_path / "live", clock)
    expected: dict[int, float] = {}
    try:
        for k in range(choice.randint(1, 6)):
            expected[10 * k] = 1.0
            wait_durable(store, put(store, "a", {10 * k: 1.0}))
            if choice.random() < 0.6:
                store.maintenance.seal()
        files = [path.relative_to(tmp_path / "live") for path in (tmp_path / "live").rglob("*") if path.is_file()]
        choice.shuffle(files)
        missing = []
        for k, file in enumerate(files):
            if choice.random() < 0.3:
                wait_durable(store, put(store, "a", {1000 + 10 * k: 1.0}))
            if choice.random() < 0.2:
                store.maintenance.seal()
            if choice.random() < 0.2:
                clock.advance(3 * 3600.0)
                store.maintenance.compact()
            (tmp_path / "copy" / file).parent.mkdir(parents=True, exist_ok=True)
            if (tmp_path / "live" / file).exists():
                shutil.copy(tmp_path / "live" / file, tmp_path / "copy" / file)
            else:
                missing.append(file)
    finally:
        store.close()
    copy = open_store(tmp_path / "copy", clock)
    try:
        values = found(copy, "a")
        assert all(value == 1.0 for value in values.values())  # nothing twice
        lost = set(expected) - set(values)
        assert not lost or missing or copy.problems(), "lost without a word"
        put(copy, "b", {0: 1.0})
        assert found(copy, "b") == {0: 1.0}
    finally:
        copy.close()
