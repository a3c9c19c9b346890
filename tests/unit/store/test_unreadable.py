"""Sectors that the disk cannot read: what lies in them is passed over and named, not lost, and nothing ends."""

from pathlib import Path

import pytest

from faults import FailingReads
from stores import NOW_S, found, opened, put
from tallystick.model.clock import ManualClock
from tallystick.store.blocks.anatomy import EXTENT_BYTES
from tallystick.store.view import StoreView

NAMES = ("first", "second")


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """A store with a block for each name, of several extents."""
    with opened(tmp_path) as store:
        for name in NAMES:
            for k in range(40):
                put(store, f"{name}.{k}", {slot * 10: float(slot) for slot in range(-200, 200)})
            store.maintenance.seal()
    paths = sorted((tmp_path / "blocks").iterdir())
    assert all(path.stat().st_size > 4 * EXTENT_BYTES for path in paths)
    return paths


@pytest.mark.parametrize("where", ["footer", "first page"])
def test_a_block_that_cannot_be_read_is_passed_over_named_and_read_again_later(
    tmp_path: Path, paths: list[Path], where: str
):
    path = paths[0]
    files = FailingReads()
    files.fail(path.name, *((0, 100) if where == "first page" else (path.stat().st_size - 10, 1 << 60)))
    with opened(tmp_path, files=files) as store:
        assert found(store, "first.0") == {}
        assert len(found(store, "second.0")) == 400
        told = f"cannot read block {path}: Input/output error; passed over, and tried again every minute"
        assert store.problems() == [told]
        put(store, "third.0", {0: 1.0})
        store.maintenance.seal()
        store.block_set.try_unreadable()
        assert store.problems() == [told]
        files.recover()
        store.block_set.try_unreadable()
        assert store.problems() == []
        assert len(found(store, "first.0")) == 400
        assert [b.entry.number for b in store.block_set.snapshot()] == [1, 2, 3]


def test_an_error_that_passes_is_not_even_noticed(tmp_path: Path, paths: list[Path]):
    files = FailingReads()
    with opened(tmp_path, files=files) as store:
        files.fail(paths[0].name, times=1)
        assert len(found(store, "first.7")) == 400
        assert store.problems() == []


def test_a_block_that_cannot_be_read_stays_over_a_restart(tmp_path: Path, paths: list[Path]):
    files = FailingReads()
    files.fail(paths[0].name)
    for _ in range(2):
        with opened(tmp_path, files=files) as store:
            assert len(store.problems()) == 1
            put(store, "second.0", {0: 1.0})
            store.maintenance.seal()
            assert len(found(store, "second.0")) == 400
    with opened(tmp_path) as store:
        assert store.problems() == []
        assert len(found(store, "first.0")) == 400


def test_compaction_leaves_a_block_that_cannot_be_read_where_it_is(tmp_path: Path, paths: list[Path]):
    clock = ManualClock(float(NOW_S))
    files = FailingReads()
    with opened(tmp_path, clock, files=files) as store:
        clock.advance(3 * 3600.0)
        files.fail(paths[0].name, 8, 8 + EXTENT_BYTES)
        store.maintenance.compact()
        assert len(found(store, "second.0")) == 400
        assert len(store.problems()) == 1
        assert paths[0].exists()
        files.recover()
        store.block_set.try_unreadable()
        store.maintenance.compact()
        assert [len(found(store, f"{name}.3")) for name in NAMES] == [400, 400]
        assert len(store.block_set.snapshot()) == 1
        assert store.problems() == []


def test_a_view_shows_the_rest(tmp_path: Path, paths: list[Path]):
    files = FailingReads()
    files.fail(paths[0].name)
    view = StoreView(tmp_path, files=files)
    assert found(view, "first.0") == {}
    assert len(found(view, "second.0")) == 400
    assert view.problems() == [f"cannot read block {paths[0]}: Input/output error"]
