"""What the head does that shows only in odd circumstances."""

import errno
from pathlib import Path

import numpy as np

from faults import RefusingFiles
from stores import NOW_S, STEP_S, found, opened, put
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import GAUGE_DELTA
from tallystick.model.statistic import Statistic
from tallystick.store.head.head import OPEN_SLOTS_MAX


def test_after_the_clock_was_set_back_current_slots_stay_open(tmp_path: Path) -> None:
    clock = ManualClock(float(NOW_S + 1000))
    with opened(tmp_path, clock) as store:
        for k in range(OPEN_SLOTS_MAX):
            clock.time_s = NOW_S + 1000.0 + STEP_S * k
            put(store, "a", {1000 + STEP_S * k: 1.0})
        clock.time_s = float(NOW_S)
        before = store.head_rows()
        for _ in range(5):
            put(store, "a", {0: 1.0, -STEP_S: 1.0})
        # A slot that is finished and opened again is a row more each time.
        assert store.head_rows() == before + 2
        assert found(store, "a")[0] == 5.0


def test_a_change_that_would_leave_the_range_of_numbers_is_none(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for value in (1e308, 1e308, -1e308):
            put(store, "g", {0: value}, kind=Kind.GAUGE | GAUGE_DELTA)
        assert found(store, "g", Statistic.LAST) == {0: 0.0}
        assert np.isfinite(found(store, "g", Statistic.MAX)[0])


def test_what_the_disk_refused_to_the_end_is_told(tmp_path: Path) -> None:
    files = RefusingFiles()
    with opened(tmp_path, files=files) as store:
        put(store, "a", {0: 1.0})
        files.fail(errno.ENOSPC, "append")
        put(store, "a", {STEP_S: 1.0, 2 * STEP_S: 1.0})
    assert store.status().unsafe_samples >= 2
