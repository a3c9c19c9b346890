"""Samples that we fold, and the same samples tallied by their sender: the store holds the same, read in any way."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores import open_store
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.conformance.basis import member
from tallystick.store.conformance.tallies import NOTHING, tallied_by_sender
from tallystick.store.contract import Store
from tallystick.store.embedded import EmbeddedStore

NOW_S = 1_700_000_400
RULES = (
    RetentionRule("fine.*", Retention.parse("1s:1d,10s:10d,1m:30d")),
    RetentionRule("*", Retention.parse("10s:10d,1m:30d,5m:90d")),
)
NAMES = [f"{place}.{kind.name.lower()}" for place in ("fine", "web") for kind in Kind]
KINDS = np.array([kind for _ in range(2) for kind in Kind], np.uint8)
STATISTICS = tuple(Statistic)
numbers = count()

rows = st.lists(
    st.tuples(
        st.integers(0, len(NAMES) - 1),
        st.integers(-30, 0) | st.integers(-700, 0),
        st.integers(-1000, 1000),
        st.sampled_from([1.0, 1.0, 10.0]),
    ),
    min_size=1,
    max_size=60,
)


def batch_of(drawn: list[tuple[int, int, int, float]]) -> SampleBatch:
    """In the order of time: what of a slot is last is then the same for a slot that is sent whole."""
    drawn = sorted(drawn, key=lambda row: row[1])
    series = np.array([row[0] for row in drawn], np.int32)
    kind = KINDS[series]
    value = np.array([row[2] / 8 for row in drawn])
    sets = kind == Kind.SET
    value[sets] = [member(abs(drawn[k][2]) % 50) for k in np.flatnonzero(sets)]
    weight = np.array([row[3] for row in drawn])
    weight[(kind == Kind.GAUGE) | sets] = 1.0
    return SampleBatch(series, np.array([(NOW_S + row[1]) * 1000 for row in drawn]), value, weight, kind)


def answers(store: Store, ids: np.ndarray, step_s: int, chosen: np.ndarray, *, last: bool) -> list[np.ndarray]:
    kinds = KINDS[chosen]
    start, until = (NOW_S - 900) // 300 * 300, NOW_S + 300
    found = store.read(ids, start, until, step_s, STATISTICS)
    levels = (kinds == Kind.GAUGE) | (kinds == Kind.CUMULATIVE)
    for statistic, values in found.items():
        if statistic not in (Statistic.DEFAULT, Statistic.LAST):
            values[kinds == Kind.SET] = 0.0  # a set has one value
        if statistic is Statistic.LAST and not last:
            values[:] = 0.0  # samples are asked when they were, tallies when they came
        if statistic is Statistic.DEFAULT and not last:
            values[levels] = 0.0
    return [*found.values(), *store.percentiles(ids, start, until, step_s, (0.0, 50.0, 99.0)).values()]


def assert_same(one: EmbeddedStore, other: EmbeddedStore, ids: np.ndarray, *, last: bool = True) -> None:
    fine = np.array([name.startswith("fine") for name in NAMES])
    for step_s, chosen in ((1, fine), (10, fine | ~fine), (60, fine | ~fine)):
        both = (answers(store, ids[chosen], step_s, chosen, last=last) for store in (one, other))
        for values, expected in zip(*both, strict=True):
            np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-6, err_msg=f"{step_s} s")


@contextmanager
def two_stores(root: Path) -> Iterator[tuple[EmbeddedStore, EmbeddedStore, np.ndarray]]:
    stores = [open_store(root / str(next(numbers)), ManualClock(float(NOW_S)), rules=RULES) for _ in range(2)]
    ids = [store.create(NAMES, KINDS) for store in stores]
    try:
        yield stores[0], stores[1], ids[0]
    finally:
        for store in stores:
            store.close()


quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(drawn=rows)
def test_what_senders_tally_is_what_we_fold(tmp_path: Path, drawn: list[tuple[int, int, int, float]]) -> None:
    with two_stores(tmp_path) as (folded, tallied, ids):
        batch = batch_of(drawn)
        batch = batch.with_ids(ids[batch.ids])
        folded.append(batch)
        tallied.append(NOTHING, tallied_by_sender(batch, 1))  # slots of a second, which all others are made of
        assert_same(tallied, folded, ids)
        for store in (tallied, folded):
            store.maintenance.seal()
            store.maintenance.compact()
        assert_same(tallied, folded, ids)


@quick
@given(parts=st.lists(st.tuples(rows, st.booleans(), st.booleans()), min_size=2, max_size=5))
def test_samples_and_tallies_in_any_mixture_are_the_same_samples(
    tmp_path: Path, parts: list[tuple[list[tuple[int, int, int, float]], bool, bool]]
) -> None:
    with two_stores(tmp_path) as (folded, mixed, ids):
        for drawn, by_sender, sealed in parts:
            batch = batch_of(drawn)
            batch = batch.with_ids(ids[batch.ids])
            folded.append(batch)
            mixed.append(*((NOTHING, tallied_by_sender(batch, 1)) if by_sender else (batch,)))
            if sealed:
                mixed.maintenance.seal()
        assert_same(mixed, folded, ids, last=False)
        mixed.maintenance.seal()
        mixed.maintenance.compact()
        assert_same(mixed, folded, ids, last=False)
