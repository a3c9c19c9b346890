from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.query.statsd_names import Marks
from tallystick.store.memory import MemoryStore


def ids(*series: int) -> NDArray[np.int32]:
    return np.array(series, np.int32)


def test_marks_are_known_after_a_restart(tmp_path: Path) -> None:
    store = MemoryStore(clock=ManualClock(0.0))
    store.create(["a", "b;h=x", "c"], [Kind.GAUGE] * 3)
    marks = Marks(store, tmp_path / "marks")
    marks.note(ids(1))
    marks.save()
    marks.note(ids(0, 1))
    marks.save()
    assert Marks(store, tmp_path / "marks").ids().tolist() == [0, 1]


def test_a_forgotten_series_leaves_no_mark(tmp_path: Path) -> None:
    store = MemoryStore(clock=ManualClock(0.0))
    store.create(["a", "b"], [Kind.GAUGE] * 2)
    marks = Marks(store, tmp_path / "marks")
    marks.note(ids(0, 1))
    marks.save()
    marks.forget(np.array([0, 5000], np.int32))
    marks.save()
    assert marks.of(np.array([0, 1, 5000], np.int32)).tolist() == [False, True, False]
    assert (tmp_path / "marks").read_text() == "b\n"


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    store = MemoryStore(clock=ManualClock(0.0))
    store.create(["a", "ab"], [Kind.GAUGE] * 2)
    (tmp_path / "marks").write_text("ab\na")
    assert Marks(store, tmp_path / "marks").ids().tolist() == [1]


def test_what_the_disk_refuses_is_written_later(tmp_path: Path) -> None:
    store = MemoryStore(clock=ManualClock(0.0))
    store.create(["a"], [Kind.GAUGE])
    marks = Marks(store, tmp_path / "away" / "marks")
    marks.note(ids(0))
    marks.save()
    (tmp_path / "away").mkdir()
    marks.save()
    assert (tmp_path / "away" / "marks").read_text() == "a\n"
