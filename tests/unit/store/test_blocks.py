"""Blocks on disk: damage is found, set aside and named, and everything else is served."""

import errno
import json
import random
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faults import RefusingFiles
from stores import NOW_S, found, open_store, opened, put, wait_durable
from tallystick.model.clock import ManualClock
from tallystick.model.errors import DamageError, StartError, StoreError
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.accumulator import Accumulator
from tallystick.store.blocks.anatomy import TRAILER
from tallystick.store.blocks.block import Block

SERIES = 40


def two_blocks(directory: Path) -> list[Path]:
    """A store with ``first.*`` in one block and ``second.*`` in another."""
    with opened(directory) as store:
        for name in ("first", "second"):
            for k in range(SERIES):
                put(store, f"{name}.{k}", {slot * 10: float(k + slot) for slot in range(-100, 100, 1 + k % 3)})
            store.maintenance.seal()
    paths = sorted((directory / "blocks").iterdir())
    assert len(paths) == 2
    return paths


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


def regions(path: Path) -> dict[str, tuple[int, int]]:
    """Where each part of a block is."""
    data = path.read_bytes()
    size, _, _ = TRAILER.unpack_from(data, len(data) - TRAILER.size)
    footer_at = len(data) - TRAILER.size - size
    index_at = 8 + json.loads(data[footer_at : footer_at + size])["page_bytes"]
    return {
        "magic": (0, 8),
        "pages": (8, index_at),
        "index": (index_at, footer_at),
        "footer": (footer_at, footer_at + size),
        "trailer": (footer_at + size, len(data)),
    }


def test_a_block_holds_what_was_written_for_one_series_and_for_many(tmp_path: Path):
    path, _ = two_blocks(tmp_path)
    block = Block(path)
    assert block.series.tolist() == list(range(SERIES))
    every = np.concatenate([np.stack([t.series, t.slot, t.last]) for t in block.tallies(block.series)], axis=1)
    for k in range(SERIES):
        slots = np.arange(-100, 100, 1 + k % 3)
        mine = block.tallies(np.array([k], np.int32))
        assert sum(len(t) for t in mine) == len(slots)
        np.testing.assert_array_equal(np.concatenate([t.slot for t in mine]), NOW_S // 10 + slots)
        np.testing.assert_array_equal(np.concatenate([t.last for t in mine]), k + slots)
        np.testing.assert_array_equal(every[1, every[0] == k], NOW_S // 10 + slots)
        np.testing.assert_array_equal(every[2, every[0] == k], k + slots)
    assert block.tallies(np.array([SERIES, SERIES + 1], np.int32)) == []


@pytest.mark.parametrize("compacted", [False, True])
def test_a_few_series_are_read_as_they_are_among_many(tmp_path: Path, compacted: bool):
    random, clock = np.random.default_rng(7), ManualClock(float(NOW_S))
    with opened(tmp_path, clock) as store:
        for kind in (Kind.GAUGE, Kind.COUNTER, Kind.TIMING, Kind.SET):
            for samples in (1, 3):
                for k in range(4):
                    seconds = (-10 * np.sort(random.choice(300, 200, replace=False))).tolist()
                    for _ in range(samples):
                        values = random.integers(1, 100, 200).astype(float).tolist()
                        put(store, f"{kind.name}.{samples}.{k}", dict(zip(seconds, values, strict=True)), kind)
        store.maintenance.seal()
        if compacted:
            clock.advance(13 * 3600)
            store.maintenance.compact()
        for block in (one.block for one in store.block_set.snapshot()):
            together = by_series(block, block.series)
            for series in block.series[::3].tolist():
                assert by_series(block, np.array([series], np.int32)) == {series: together[series]}
            few = block.series[1:8:3]
            assert by_series(block, few) == {series: together[series] for series in few.tolist()}


def by_series(block: Block, ids: NDArray[np.int32]) -> dict[int, bytes]:
    """All that a block holds of each series, merged, as bytes."""
    tallies = block.tallies(ids)
    first, end = block.footer.start_slot, 1 + max(int(tally.slot.max()) for tally in tallies)
    found = {}
    for position, series in enumerate(ids.tolist()):
        cells = Accumulator(1, first, end - first, block.step_s, histograms=True)
        for tally in tallies:
            mine = tally.take(np.flatnonzero(tally.series == position))
            cells.add(mine, np.zeros(len(mine), np.int32), np.array([True]))
        merged = cells.tally()
        parts = [merged.slot, merged.last, merged.spread.count, merged.spread.sum, merged.spread.m2, merged.spread.min]
        parts += [merged.spread.max, merged.histograms.offset, merged.histograms.bucket, merged.histograms.weight]
        parts += [] if merged.sketches is None else [merged.sketches.offset, merged.sketches.data]
        found[series] = b"|".join(part.tobytes() for part in parts)
    return found


@pytest.mark.parametrize("region", ["magic", "pages", "index", "footer", "trailer"])
def test_a_flipped_bit_anywhere_is_found_and_the_others_are_served(tmp_path: Path, region: str):
    path, _ = two_blocks(tmp_path)
    begin, end = regions(path)[region]
    position = random.Random(region).randrange(begin, end)
    flip(path, position)
    with opened(tmp_path) as store:
        ids = store.catalog.find("first.*")
        values = store.read(ids, NOW_S - 7200, NOW_S + 7200, 10, [Statistic.SUM])[Statistic.SUM]
        if region != "pages":
            assert np.isnan(values).all()
        else:
            # A page that was verified before stays served until the damaged one is touched; then the block is gone.
            assert len(found(store, "second.0")) == 200
        (problem,) = store.problems()
        assert str(path) in problem
        assert str(tmp_path / "damaged") in problem
        assert [p.name for p in (tmp_path / "damaged").iterdir()] == [path.name]
        for k in range(SERIES):
            assert found(store, f"first.{k}") == {}
            assert len(found(store, f"second.{k}")) == len(range(-100, 100, 1 + k % 3))
    with opened(tmp_path) as store:
        assert store.problems() == []
        assert len(found(store, "second.0")) == 200


@pytest.mark.parametrize("size", [0, 7, 100])
def test_a_block_that_was_cut_off_does_not_stop_the_start(tmp_path: Path, size: int):
    path, _ = two_blocks(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with opened(tmp_path) as store:
        assert [str(path) in problem for problem in store.problems()] == [True]
        assert len(found(store, "second.0")) == 200


def test_a_block_that_is_gone_is_named_and_does_not_stop_the_start(tmp_path: Path):
    path, _ = two_blocks(tmp_path)
    path.unlink()
    with opened(tmp_path) as store:
        assert store.problems() == [f"cannot read block {path}: there is no such file"]
        assert len(found(store, "second.0")) == 200


def test_damage_on_a_disk_that_takes_no_writes_keeps_nobody_from_reading_the_rest(tmp_path: Path):
    path, _ = two_blocks(tmp_path)
    flip(path, regions(path)["pages"][0] + 100)
    files = RefusingFiles()
    with opened(tmp_path, files=files) as store:
        files.fail(errno.ENOSPC, "write_whole")
        for _ in range(2):
            assert found(store, "first.0") == {}
            assert len(found(store, "second.0")) == 200
        assert len(store.problems()) == 1
        files.recover()
        put(store, "third.0", {0: 1.0})
        store.maintenance.seal()
    with opened(tmp_path) as store:
        assert store.problems() == []
        assert len(store.block_set.snapshot()) == 2


def test_verifying_reads_every_page(tmp_path: Path):
    path, _ = two_blocks(tmp_path)
    Block(path).verify()
    _, end = regions(path)["pages"]
    flip(path, end - 1)
    with pytest.raises(DamageError, match="of its pages changed"):
        Block(path).verify()


def test_a_damaged_source_of_a_compaction_is_set_aside_and_the_rest_is_compacted(tmp_path: Path):
    path, _ = two_blocks(tmp_path)
    flip(path, regions(path)["pages"][0] + 50)
    with opened(tmp_path, ManualClock(NOW_S + 3 * 7200.0)) as store:
        store.maintenance.compact()
        assert len(store.problems()) == 1
        assert [b.entry.compressed for b in store.block_set.snapshot()] == [True]
        assert len(found(store, "second.0")) == 200
        assert sorted(p.name for p in (tmp_path / "blocks").iterdir()) == [
            b.entry.file_name for b in store.block_set.snapshot()
        ]


def test_what_a_crash_left_is_removed_at_start(tmp_path: Path):
    two_blocks(tmp_path)
    leftovers = [tmp_path / "blocks" / "0000000009.block", tmp_path / "blocks" / "0000000010.block.part"]
    leftovers.append(tmp_path / "manifest.part")
    for path in leftovers:
        path.write_bytes(b"half")
    with opened(tmp_path) as store:
        assert not any(path.exists() for path in leftovers)
        assert store.problems() == []
        assert len(found(store, "first.0")) == 200


def test_one_directory_has_one_store(tmp_path: Path):
    with opened(tmp_path), pytest.raises(StartError, match="another process has it open"):
        open_store(tmp_path)
    open_store(tmp_path).close()


def test_a_store_that_did_not_open_lets_go_of_its_directory(tmp_path: Path):
    with opened(tmp_path) as store:
        put(store, "a", {0: 1.0})
        store.maintenance.seal()
    manifests = [tmp_path / "manifest", tmp_path / "manifest.copy"]
    good = [manifest.read_bytes() for manifest in manifests]
    for manifest in manifests:
        manifest.write_text('{"version": 7}')
    with pytest.raises(StoreError):
        open_store(tmp_path)
    for manifest, content in zip(manifests, good, strict=True):
        manifest.write_bytes(content)
    with opened(tmp_path) as store:
        assert found(store, "a") == {0: 1.0}


class TestSeriesFile:
    """Samples are known by number: with a definition missing they would be shown under wrong names."""

    def damaged(self, directory: Path, position: int, *, sealed: bool) -> None:
        with opened(directory) as store:
            for k in range(5):
                wait_durable(store, put(store, f"name.{k}", {0: float(k)}))
            if sealed:
                store.maintenance.seal()
        flip(directory / "series", position)

    @pytest.mark.parametrize("sealed", [False, True])
    @pytest.mark.parametrize("where", [3, 20, 45, 200])  # five definitions of 45 bytes, then the mark of the end
    def test_a_series_whose_definition_is_damaged_is_found_under_a_name_of_its_own(
        self, tmp_path: Path, where: int, sealed: bool
    ):
        self.damaged(tmp_path, where, sealed=sealed)
        lost = where // 45
        names = [f"name.{k}" for k in range(5)]
        names[lost] = f"recovered.series.{lost}"
        for opening in ("first", "second"):
            with opened(tmp_path) as store:
                assert {name: found(store, name) for name in names} == {n: {0: float(k)} for k, n in enumerate(names)}
                assert len(store.catalog) == 5
                problems = "; ".join(store.problems())
                assert ("cannot tell the names of 1 series" in problems) == (opening == "first"), problems
                wait_durable(store, put(store, f"new.{opening}", {0: 9.0}))
                assert found(store, names[lost]) == {0: float(lost)}, "its number went to somebody else"
                store.delete(store.catalog.find(f"new.{opening}"))

    def test_what_is_known_of_a_recovered_series_is_its_kind(self, tmp_path: Path):
        with opened(tmp_path) as store:
            for name, kind in (("t", Kind.TIMING), ("s", Kind.SET), ("c", Kind.COUNTER)):
                ids = store.create([name], [kind])
                times = [(NOW_S + 10 * k) * 1000 for k in (0, 0, 1, 1)]
                wait_durable(
                    store, store.append(SampleBatch.of(np.repeat(ids, 4), times, [1.0, 2.0, 3.0, 4.0], kind=kind))
                )
            store.maintenance.seal()
        (tmp_path / "series").write_bytes(b"")
        with opened(tmp_path) as store:
            assert store.catalog.names(store.catalog.ids()) == [f"recovered.series.{k}" for k in range(3)]
            assert store.catalog.kinds(store.catalog.ids()).tolist() == [Kind.TIMING, Kind.SET, Kind.GAUGE]
            store.rename(0, "t")
        with opened(tmp_path) as store:
            assert store.read(store.catalog.find("t"), NOW_S, NOW_S + 20, 10)[Statistic.DEFAULT].tolist() == [
                [1.5, 3.5]
            ]

    def test_a_definition_that_was_never_acknowledged_may_be_torn(self, tmp_path: Path):
        with opened(tmp_path) as store:
            wait_durable(store, put(store, "name.0", {0: 1.0}))
        with (tmp_path / "series").open("ab") as file:
            file.write((tmp_path / "series").read_bytes()[:-3])
        with opened(tmp_path) as store:
            wait_durable(store, put(store, "name.1", {0: 2.0}))
        with opened(tmp_path) as store:
            assert found(store, "name.0") == {0: 1.0}
            assert found(store, "name.1") == {0: 2.0}


def test_samples_refused_by_a_full_queue_are_not_taken_and_their_names_survive(tmp_path: Path):
    files = RefusingFiles()
    store = open_store(tmp_path, files=files, queue_bytes_max=2000)
    files.fail(errno.ENOSPC)
    taken = {}
    with pytest.raises(StoreError, match="cannot take samples"):
        for k in range(200):
            ids = store.create([f"n.{k}"], [Kind.COUNTER])
            last = store.append(SampleBatch.of(ids, [NOW_S * 1000], [1.0], kind=Kind.COUNTER))
            taken[f"n.{k}"] = {0: 1.0}
    refused = f"n.{len(taken)}"
    assert len(store.catalog) == len(taken) + 1
    files.recover()
    wait_durable(store, last)  # tried again every second
    wait_durable(store, put(store, refused, {0: 5.0}))
    store.close()
    with opened(tmp_path) as store:
        assert {name: found(store, name) for name in taken} == taken
        assert found(store, refused) == {0: 5.0}
