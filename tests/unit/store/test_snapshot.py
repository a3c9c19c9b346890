"""Snapshots: what was in a store at one moment, whole or not at all, and the way back."""

import errno
import os
from pathlib import Path

import pytest

from faults import RefusingFiles
from stores import found, open_store, opened, put, wait_durable
from tallystick.files import Files
from tallystick.model.errors import StoreError
from tallystick.store.snapshot import SETTINGS_DIRECTORY, STATSD_NAMES_FILE, restore, take_snapshot
from tallystick.store.view import StoreView


class NoLinks(Files):
    """A disk of another file system than the one that snapshots go to."""

    def link(self, path: Path, new: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


@pytest.mark.parametrize("files", [Files(), NoLinks()])
def test_a_snapshot_has_what_was_there_and_not_what_came_later(tmp_path: Path, files: Files):
    with opened(tmp_path / "data", files=files) as store:
        put(store, "a", {0: 1.0})
        store.maintenance.seal()
        put(store, "a", {10: 2.0})  # in the log only
        told: list[tuple[int, int]] = []
        size = take_snapshot(store, tmp_path / "kept" / "monday", lambda done, total: told.append((done, total)))
        assert size > told[-1][0] == told[-1][1] > 0
        put(store, "a", {20: 4.0})
        put(store, "b", {0: 1.0})
        store.maintenance.seal()
        view = StoreView(tmp_path / "kept" / "monday")
        assert found(view, "a") == {0: 1.0, 10: 2.0}
        assert view.problems() == []
        assert found(store, "a") == {0: 1.0, 10: 2.0, 20: 4.0}
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["monday"]
    linked = {path.stat().st_nlink for path in (tmp_path / "kept" / "monday" / "blocks").iterdir()}
    assert linked == ({1} if isinstance(files, NoLinks) else {2})
    restore(tmp_path / "kept" / "monday", tmp_path / "again")
    with opened(tmp_path / "again") as store:
        assert found(store, "a") == {0: 1.0, 10: 2.0}
        put(store, "a", {0: 8.0})
        assert found(store, "a") == {0: 9.0, 10: 2.0}


def test_settings_that_readers_keep_beside_it_go_where_the_store_goes(tmp_path: Path):
    def setting(directory: str) -> Path:
        return tmp_path / directory / SETTINGS_DIRECTORY / "user.set"

    with opened(tmp_path / "data") as store:
        put(store, "a", {0: 1.0})
        setting("data").parent.mkdir()
        setting("data").write_text("a=1\n")
        (setting("data").parent / "half.set.part").write_text("a=")
        (tmp_path / "data" / STATSD_NAMES_FILE).write_text("a\n")
        take_snapshot(store, tmp_path / "s")
        setting("data").write_text("a=2\n")
    restore(tmp_path / "s", tmp_path / "again")
    assert [setting(place).read_text() for place in ("s", "again")] == ["a=1\n"] * 2
    assert [path.name for path in setting("again").parent.iterdir()] == ["user.set"]
    assert [(tmp_path / place / STATSD_NAMES_FILE).read_text() for place in ("s", "again")] == ["a\n"] * 2


def test_the_store_of_a_snapshot_can_go_without_it(tmp_path: Path):
    with opened(tmp_path / "data") as store:
        put(store, "a", {0: 1.0})
        take_snapshot(store, tmp_path / "s")
        for path in (tmp_path / "data" / "blocks").iterdir():
            path.unlink()
        assert found(StoreView(tmp_path / "s"), "a") == {0: 1.0}


@pytest.mark.parametrize("operation", ["write_whole", "sync_directory"])
def test_a_snapshot_that_fails_leaves_nothing(tmp_path: Path, operation: str):
    files = RefusingFiles()
    with opened(tmp_path / "data", files=files) as store:
        put(store, "a", {0: 1.0})
        store.maintenance.seal()
        (tmp_path / "kept").mkdir()
        files.fail(errno.ENOSPC, operation, only="kept")
        with pytest.raises(StoreError, match=r"cannot make snapshot .*: No space left on device"):
            take_snapshot(store, tmp_path / "kept" / "s")
        assert list((tmp_path / "kept").iterdir()) == []
        files.recover()
        take_snapshot(store, tmp_path / "kept" / "s")
        with pytest.raises(StoreError, match="it is there already"):
            take_snapshot(store, tmp_path / "kept" / "s")


@pytest.mark.parametrize("place", ["blocks", "series", "manifest"])
def test_a_damaged_snapshot_is_not_restored(tmp_path: Path, place: str):
    with opened(tmp_path / "data", files=NoLinks()) as store:
        put(store, "a", {0: 1.0})
        put(store, "b", {0: 1.0})
        take_snapshot(store, tmp_path / "s")
    path = tmp_path / "s" / place
    if path.is_dir():
        (path,) = path.iterdir()
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"cannot restore .*expected it whole"):
        restore(tmp_path / "s", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_only_an_empty_directory_is_restored_to(tmp_path: Path):
    with opened(tmp_path / "data") as store:
        put(store, "a", {0: 1.0})
        take_snapshot(store, tmp_path / "s")
    (tmp_path / "again").mkdir()
    restore(tmp_path / "s", tmp_path / "again")
    with pytest.raises(StoreError, match="it is not empty"):
        restore(tmp_path / "s", tmp_path / "again")
    with pytest.raises(StoreError, match="it has no manifest"):
        restore(tmp_path, tmp_path / "more")


def test_a_directory_copied_from_a_closed_store_is_restored_with_its_log(tmp_path: Path):
    store = open_store(tmp_path / "data")
    wait_durable(store, put(store, "a", {0: 1.0}))
    store.close()
    restore(tmp_path / "data", tmp_path / "again")
    with opened(tmp_path / "again") as store:
        assert found(store, "a") == {0: 1.0}
