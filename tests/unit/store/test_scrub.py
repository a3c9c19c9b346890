"""Scrubbing: damage is found before anybody reads it, by reading the disk and not the system's memory of it."""

from pathlib import Path

import pytest

from faults import FailingReads
from stores import NOW_S, found, open_store, opened, put, wait_durable
from tallystick.files import Files
from tallystick.model.clock import ManualClock
from tallystick.store.disk.manifest_file import find_manifest
from tallystick.store.upkeep.scrub import Scrub

DAY = 86400.0


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A store with two blocks of several extents and something in its log."""
    with opened(tmp_path) as store:
        for name in ("first", "second"):
            for k in range(40):
                put(store, f"{name}.{k}", {slot * 10: float(slot) for slot in range(-200, 200)})
            store.maintenance.seal()
        for k in range(5):
            wait_durable(store, put(store, "third", {10 * k: 1.0}))
    return tmp_path


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


def scrub(directory: Path, files: Files | None = None) -> list[str]:
    manifest = find_manifest(directory, Files()).manifest
    assert manifest is not None
    look = Scrub(directory, manifest, files)
    total = look.total_bytes()
    assert sum(look) == total
    return look.problems


def test_a_store_without_damage_is_read_whole(directory: Path):
    assert scrub(directory) == []


@pytest.mark.parametrize("place", ["blocks", "series", "log", "manifest", "manifest.copy"])
@pytest.mark.parametrize("part", [0.01, 0.3, 0.6])
def test_a_flipped_bit_in_any_file_is_named_with_the_file(directory: Path, place: str, part: float):
    path = directory / place
    if path.is_dir():
        path = sorted(path.iterdir())[0]
    flip(path, int(part * path.stat().st_size))
    manifest = find_manifest(directory, Files()).manifest
    assert manifest is not None
    look = Scrub(directory, manifest)
    for _ in look:
        pass
    (problem,) = look.problems
    assert str(path) in problem or "its format is version" in problem


def test_a_block_that_is_gone_and_one_that_cannot_be_read_are_named(directory: Path):
    first, second = sorted((directory / "blocks").iterdir())
    first.unlink()
    files = FailingReads()
    files.fail(second.name, 20_000, 30_000)
    manifest = find_manifest(directory, Files()).manifest
    assert manifest is not None
    look = Scrub(directory, manifest, files)
    for _ in look:
        pass
    assert look.problems == [
        f"cannot read block {first}: there is no such file",
        f"cannot read block {second}: Input/output error",
    ]


def test_a_server_scrubs_once_a_week_a_bit_each_second(directory: Path):
    clock = ManualClock(NOW_S + 1.0)
    store = open_store(directory, clock)
    try:
        tick = store.maintenance._tick
        for _ in range(3):
            tick()
        scrubbed_s = store.block_set.manifest.scrubbed_s
        assert scrubbed_s == int(clock.now())
        for _ in range(6):
            clock.advance(DAY)
            tick()
            assert store.problems() == []
        assert store.block_set.manifest.scrubbed_s == scrubbed_s
        (path,) = [b.block.path for b in store.block_set.snapshot() if b.entry.step_s == 10]
        assert len(found(store, "first.0")) == 400  # verified, and still: what was verified is read again
        flip(path, 50)
        clock.advance(DAY)
        for _ in range(3):
            tick()
        assert [path.name for path in (directory / "damaged").iterdir()] == [path.name]
        assert str(path) in store.problems()[0]
        assert len(found(store, "second.0", step_s=60)) > 60  # rolled up in time
        assert find_manifest(directory, Files()).manifest == store.block_set.manifest
    finally:
        store.close()


def test_a_scrub_is_no_faster_than_it_may_be(directory: Path):
    clock = ManualClock(NOW_S + 1.0)
    store = open_store(directory, clock, scrub_bytes_per_s=100_000)
    total = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    try:
        ticks = 0
        while not store.block_set.manifest.scrubbed_s:
            store.maintenance._tick()
            ticks += 1
        assert ticks >= 2
        assert ticks <= total / 100_000 + 2
    finally:
        store.close()


def test_a_damaged_manifest_is_mended_by_a_scrub(directory: Path):
    store = open_store(directory, ManualClock(NOW_S + 1.0))
    try:
        flip(directory / "manifest", 200)
        for _ in range(3):
            store.maintenance._tick()
        assert "manifest: it does not match its checksum" in store.problems()[0]
    finally:
        store.close()
    with opened(directory) as store:
        assert store.problems() == []


def test_damage_to_what_was_verified_long_ago_does_not_get_a_new_checksum_by_compaction(directory: Path):
    clock = ManualClock(NOW_S + 1.0)
    store = open_store(directory, clock)
    try:
        assert len(found(store, "first.0")) == 400
        path = sorted((directory / "blocks").iterdir())[0]
        flip(path, 50)
        clock.advance(3 * 3600.0)
        store.maintenance.compact()
        assert [path.name for path in (directory / "damaged").iterdir()] == [path.name]
        assert found(store, "first.0") == {}
        assert len(found(store, "second.0")) == 400
    finally:
        store.close()
