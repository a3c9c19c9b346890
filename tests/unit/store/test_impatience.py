"""Compaction of much history does not keep the head from being sealed."""

from pathlib import Path

from faults import RefusingFiles
from stores import NOW_S, STEP_S, open_store, put
from tallystick.model.clock import ManualClock

WINDOWS = 12


class SlowDisk(RefusingFiles):
    """A disk on which the write of a block takes a minute."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def write_whole(self, path: Path, parts: object) -> int:
        if path.suffix == ".block":
            self._clock.advance(60.0)
        return super().write_whole(path, parts)


def test_compaction_stops_when_the_head_is_to_be_sealed_and_goes_on_afterwards(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    store = open_store(tmp_path, clock, files=SlowDisk(clock))
    try:
        put(store, "a", {-7200 * k: 1.0 for k in range(2, 2 + WINDOWS)})
        store.maintenance.seal()
        clock.advance(store.options.seal_interval_s)
        put(store, "a", {STEP_S: 1.0})
        store.maintenance._tick()
        left = [b.entry.compressed for b in store.block_set.snapshot()].count(False)
        assert 0 < left - 1 < WINDOWS, "some windows are compacted, and some wait"
        for _ in range(3):
            clock.advance(store.options.seal_interval_s)
            store.maintenance._tick()
        assert [b.entry.compressed for b in store.block_set.snapshot()].count(False) <= 1
    finally:
        store.close()
