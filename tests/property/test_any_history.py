"""Loading history gives the answers that appending its samples would have given, and those of the plain model."""

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stores import NOW_S, open_store
from tallystick.fold import fold_batch
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.contract import Store
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.history import History, Loaded, Overlap
from tallystick.store.memory import MemoryStore

RULES = (
    RetentionRule("fine.*", Retention.parse("1s:1d,10s:10d,1m:30d,5m:90d")),
    RetentionRule("*", Retention.parse("10s:10d,1m:30d,5m:90d")),
)
NAMES = [f"{place}.{kind.name.lower()}" for place in ("fine", "web") for kind in Kind]
KINDS = [kind for _ in range(2) for kind in Kind]
KIND_OF = np.array(KINDS, np.uint8)
IS_SET = KIND_OF == Kind.SET
IS_COARSE = np.array([name.startswith("web.") for name in NAMES])
STEPS = (1, 10, 20, 60, 90, 300)
STATISTICS = (Statistic.LAST, Statistic.SUM, Statistic.COUNT, Statistic.MIN, Statistic.MAX, Statistic.SDEV)
directories = count()

rows = st.lists(
    st.tuples(
        st.integers(0, len(NAMES) - 1),
        st.integers(-900, 0),
        st.integers(-1000, 1000),
        st.sampled_from([1.0, 1.0, 10.0]),
    ),
    min_size=1,
    max_size=60,
)
# Younger and older than each resolution is kept.
ages = st.sampled_from([0, 3600, 9 * 86_400, 10 * 86_400 + 300, 29 * 86_400, 60 * 86_400, 89 * 86_400])


def batch_of(drawn: list[tuple[int, int, int, float]], age_s: int) -> SampleBatch:
    ids = np.array([series for series, *_ in drawn], np.int32)
    kind = KIND_OF[ids]
    value = np.array([v / 8 for _, _, v, _ in drawn])
    sets = kind == Kind.SET
    value[sets] = np.array([abs(v) % 50 + 1 for _, _, v, _ in drawn], np.int64).view(np.float64)[sets]
    weight = np.array([w for *_, w in drawn])
    weight[(kind == Kind.GAUGE) | sets] = 1.0
    timestamp = (NOW_S - age_s + np.array([second for _, second, *_ in drawn])) * 1000
    return SampleBatch(ids, timestamp, value, weight, kind)


def histories(batch: SampleBatch, step_s: int) -> list[History]:
    return [History(NAMES, KINDS, tally) for tally in fold_batch(batch, step_s)]


def assert_same(
    one: Store, other: Store, age_s: int, steps: tuple[int, ...], last_unsure: np.ndarray | bool = False
) -> None:
    ids = one.create(NAMES, KINDS)
    assert (other.create(NAMES, KINDS) == ids).all()
    for step_s in steps:
        start = (NOW_S - age_s - 1000) // step_s * step_s
        until = (NOW_S - age_s + 300) // step_s * step_s
        found = one.read(ids, start, until, step_s, STATISTICS)
        expected = other.read(ids, start, until, step_s, STATISTICS)
        for statistic in STATISTICS:
            # A set has one value, the number of its members.
            passed = IS_SET if statistic is not Statistic.LAST else last_unsure
            found[statistic][passed] = expected[statistic][passed] = 0.0
            np.testing.assert_allclose(
                found[statistic], expected[statistic], rtol=1e-9, atol=1e-6, err_msg=f"{statistic} at {step_s} s"
            )
        timings = ids[KIND_OF == Kind.TIMING]
        ranks = (50.0, 99.0)
        percentiles = one.percentiles(timings, start, until, step_s, ranks)
        expected_percentiles = other.percentiles(timings, start, until, step_s, ranks)
        for rank in ranks:
            np.testing.assert_allclose(percentiles[rank], expected_percentiles[rank], rtol=0.025)


def new_store(directory: Path) -> EmbeddedStore:
    return open_store(directory / str(next(directories)), ManualClock(float(NOW_S)), rules=RULES)


quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)


@quick
@given(drawn=rows)
@example(drawn=[(6, -661, 1, 1.0), (6, -662, 0, 10.0)])
def test_loading_is_appending(tmp_path: Path, drawn: list[tuple[int, int, int, float]]):
    batch = batch_of(drawn, 3600)
    loaded, appended = new_store(tmp_path), new_store(tmp_path)
    try:
        for store in (loaded, appended):
            store.create(NAMES, KINDS)
        appended.append(batch)
        with loaded.loading() as loading:
            pieces = histories(batch, 1)
            for history in pieces:
                assert loading.add(history) == Loaded(taken=len(history))
        # A second of `web` is coarser in the store: which sample of a slot was the last, the seconds say within a
        # piece; of several pieces the last is the one that came last.
        unsure = IS_COARSE & (len(pieces) > 1)
        assert_same(loaded, appended, 3600, (10, 60, 300), unsure)
        loaded.maintenance.compact()
        assert_same(loaded, appended, 3600, (60, 300), unsure)
    finally:
        loaded.close()
        appended.close()


@quick
@given(drawn=rows, step_s=st.sampled_from(STEPS), age_s=ages, again=rows)
def test_loading_is_what_the_plain_model_does(
    tmp_path: Path,
    drawn: list[tuple[int, int, int, float]],
    step_s: int,
    age_s: int,
    again: list[tuple[int, int, int, float]],
):
    memory, store = MemoryStore(RULES, ManualClock(float(NOW_S))), new_store(tmp_path)
    try:
        for one in (memory, store):
            one.create(NAMES, KINDS)
        for rows_drawn, overlap in ((drawn, Overlap.SKIP), (again, Overlap.SKIP), (drawn, Overlap.MERGE)):
            for history in histories(batch_of(rows_drawn, age_s), step_s):
                assert store.load(history, overlap) == memory.load(history, overlap)
            assert_same(store, memory, age_s, (300, 600))
    finally:
        store.close()


@quick
@given(drawn=rows, step_s=st.sampled_from(STEPS), age_s=ages, live=rows, sealed=st.booleans())
def test_a_repeated_import_changes_nothing(
    tmp_path: Path,
    drawn: list[tuple[int, int, int, float]],
    step_s: int,
    age_s: int,
    live: list[tuple[int, int, int, float]],
    sealed: bool,
):
    store, once = new_store(tmp_path), new_store(tmp_path)
    try:
        for one in (store, once):
            one.create(NAMES, KINDS)
            one.append(batch_of(live, 0))
            if sealed:
                one.maintenance.seal()
        pieces = histories(batch_of(drawn, age_s), step_s)
        for one in (store, once):
            with one.loading() as loading:
                first = [loading.add(piece) for piece in pieces]
        with store.loading() as loading:
            second = [loading.add(piece) for piece in pieces]
        total = sum(first, Loaded())
        assert sum(second, Loaded()) == Loaded(present=total.taken + total.present, out_of_time=total.out_of_time)
        assert_same(store, once, age_s, (10, 60, 300))
    finally:
        store.close()
        once.close()


def test_a_clock_that_is_handed_in_says_what_is_old():
    memory = MemoryStore(RULES, ManualClock(float(NOW_S)))
    batch = batch_of([(0, 0, 1, 1.0)], 91 * 86_400)
    assert memory.load(histories(batch, 10)[0]) == Loaded(out_of_time=1)
    with pytest.raises(ValueError, match="tags are not in order"):
        memory.create(["a;b=1;a=1"], [Kind.GAUGE])
