"""A view shows what the store shows, while it is open elsewhere, and writes nothing."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from faults import FailingReads
from stores import NOW_S, RULES, STEP_S, found, open_store, opened, put, wait_durable
from tallystick.files import Files
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.store import view as view_module
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.view import StoreView

NAMES = [f"web.h{k}.{kind.name.lower()}" for k in range(5) for kind in (Kind.COUNTER, Kind.GAUGE, Kind.TIMING)]


def fill(store: EmbeddedStore, seed: int) -> int:
    """Samples of all kinds in the hours around now; what comes later is later in its slot, too."""
    random = np.random.default_rng(seed)
    for name in NAMES:
        slots = random.choice(600, 40, replace=False) - 300
        values = {10 * int(slot) + seed: float(v) for slot, v in zip(slots, random.random(40), strict=True)}
        ticket = put(store, name, values, Kind[name.rpartition(".")[2].upper()])
    return ticket


def answers(store: EmbeddedStore | StoreView) -> list[np.ndarray]:
    ids = store.catalog.find("web.*.*")
    matrices = [store.read(ids, NOW_S - 7200, NOW_S + 7200, s, list(Statistic)) for s in (10, 60, 300)]
    ranks = store.percentiles(ids, NOW_S - 7200, NOW_S + 7200, 60, [50.0, 99.0])
    ages = store.steps(ids, NOW_S - 20 * 86400, NOW_S).astype(float)
    return [ages, *(m for by in matrices for m in by.values()), *ranks.values()]


def assert_the_same(view: StoreView, store: EmbeddedStore) -> None:
    assert view.catalog.names(view.catalog.find("web.*.*")) == store.catalog.names(store.catalog.find("web.*.*"))
    for a, b in zip(answers(view), answers(store), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def everything(directory: Path) -> dict[Path, tuple[int, bytes]]:
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in directory.rglob("*") if p.is_file()}


def test_a_view_answers_as_the_store_that_is_open(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock) as store:
        wait_durable(store, fill(store, 1))
        view = StoreView(tmp_path, RULES, clock)
        assert_the_same(view, store)
        store.maintenance.seal()
        assert_the_same(view, store)
        wait_durable(store, fill(store, 2))
        assert view.refresh()
        assert_the_same(view, store)
        clock.advance(3 * 3600.0)  # merged, and not yet rolled up
        store.maintenance.compact()
        assert_the_same(view, store)  # the blocks it has open are deleted
        assert view.refresh()
        assert_the_same(view, store)
        assert not view.refresh()
        assert view.problems() == []


def test_a_view_writes_nothing_and_takes_no_lock(tmp_path: Path):
    with opened(tmp_path) as store:
        fill(store, 1)
        store.maintenance.seal()
        wait_durable(store, fill(store, 2))
        (tmp_path / "blocks" / "0000000099.block").write_bytes(b"not yet named")
        before = everything(tmp_path)
        answers(StoreView(tmp_path, RULES, ManualClock(float(NOW_S))))
        assert everything(tmp_path) == before
    StoreView(tmp_path, RULES, ManualClock(float(NOW_S)))


def test_a_torn_end_of_the_log_is_left_to_its_writer(tmp_path: Path):
    with opened(tmp_path) as store:
        wait_durable(store, put(store, "web.a.b", {0: 1.0}))
        (segment,) = (tmp_path / "log").iterdir()
        with segment.open("ab") as file:
            file.write(segment.read_bytes()[:-4])
        view = StoreView(tmp_path, RULES, ManualClock(float(NOW_S)))
        assert found(view, "web.a.b") == {0: 1.0}
        assert view.problems() == []


@pytest.mark.parametrize("stumbles", [3, 1000])
def test_a_store_that_changes_while_it_is_opened_is_opened_again(
    tmp_path: Path, stumbles: int, monkeypatch: pytest.MonkeyPatch
):
    with opened(tmp_path) as store:
        fill(store, 1)
        store.maintenance.seal()
        left = [stumbles]

        def busy(directory: Path, files: Files) -> object:
            if left[0]:
                left[0] -= 1
                put(store, "web.a.b", {0: 1.0})
                store.maintenance.seal()
            return view_module_find(directory, files)

        view_module_find = view_module.find_manifest
        monkeypatch.setattr(view_module, "find_manifest", busy)
        if stumbles > 100:
            with pytest.raises(StoreError, match=r"it changed 10 times while it was opened \(its manifest was number"):
                StoreView(tmp_path, RULES, ManualClock(float(NOW_S)))
        else:
            assert_the_same(StoreView(tmp_path, RULES, ManualClock(float(NOW_S))), store)


def test_views_see_every_sample_once_while_the_store_seals_and_compacts(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock) as store:
        wait_durable(store, put(store, "web.a.b", {0: 1.0}))
        ids = store.catalog.find("web.a.b")
        stopped = threading.Event()
        written = [1]

        def write() -> None:
            while not stopped.is_set():
                wait_durable(store, put(store, "web.a.b", {0: 1.0}))
                written[0] += 1
                store.maintenance.seal()
                if written[0] % 7 == 0:
                    store.maintenance.compact()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            counts = []
            for _ in range(30):
                low = written[0]
                try:
                    view = StoreView(tmp_path, RULES, clock)
                except StoreError:
                    continue  # it never stands still here
                count = view.read(ids, NOW_S, NOW_S + STEP_S, STEP_S, [Statistic.COUNT])[Statistic.COUNT][0, 0]
                counts.append(count)
                assert low <= count <= written[0] + 1
        finally:
            stopped.set()
            writer.join()
        assert StoreView(tmp_path, RULES, clock).problems() == []


def test_damage_is_named_and_the_rest_is_shown(tmp_path: Path):
    with opened(tmp_path) as store:
        for name in ("web.a.b", "web.c.d", "web.e.f"):
            put(store, name, {0: 1.0})
            store.maintenance.seal()
    first, second, third = sorted((tmp_path / "blocks").iterdir())
    data = bytearray(first.read_bytes())
    data[20] ^= 1  # a page
    first.write_bytes(data)
    second.write_bytes(second.read_bytes()[:-3])
    view = StoreView(tmp_path, RULES, ManualClock(float(NOW_S)))
    assert [found(view, name) for name in ("web.a.b", "web.c.d", "web.e.f")] == [{}, {}, {0: 1.0}]
    assert [str(path) in problem for path, problem in zip((second, first), view.problems(), strict=True)] == [True] * 2
    third.unlink()
    third_problem = f"cannot read block {third}: there is no such file"
    assert third_problem in StoreView(tmp_path, RULES).problems()
    assert list((tmp_path / "damaged").iterdir()) == []


def test_a_copy_of_a_live_store_shows_what_was_in_it(tmp_path: Path):
    store = open_store(tmp_path / "live")
    try:
        fill(store, 1)
        store.maintenance.seal()
        wait_durable(store, fill(store, 2))
        shutil.copytree(tmp_path / "live", tmp_path / "copy")
        assert_the_same(StoreView(tmp_path / "copy", RULES, ManualClock(float(NOW_S))), store)
    finally:
        store.close()


def test_a_directory_without_a_store_is_refused(tmp_path: Path):
    with pytest.raises(StoreError, match="it has no manifest; expected a store's directory"):
        StoreView(tmp_path)
    with pytest.raises(StoreError, match="it has no manifest"):
        StoreView(tmp_path / "missing")


def test_a_disk_that_cannot_read_the_log_shows_the_rest(tmp_path: Path):
    with opened(tmp_path) as store:
        put(store, "web.a.b", {0: 1.0})
        store.maintenance.seal()
        put(store, "web.a.b", {10: 1.0})
    files = FailingReads()
    files.fail(".log")
    view = StoreView(tmp_path, RULES, files=files)
    assert found(view, "web.a.b") == {0: 1.0}
    assert "Input/output error" in view.problems()[0]
