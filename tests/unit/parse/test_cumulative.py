"""What senders report of histograms, and the tallies that it becomes."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.fold.histogram import bucket_column
from tallystick.kernels.distributions import EXPLICIT, PLACES_MAX, SCALE_MAX, SCALE_MIN, Reports
from tallystick.kernels.histogram import SHIFT
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.tally import TallyBatch, offsets
from tallystick.parse import NameTable
from tallystick.parse.cumulative import NOTHING, Differences

NOW_MS = 1_700_000_000_000
BOUNDS = (1.0, 5.0, 10.0, 100.0)
NAN = math.nan


@dataclass(frozen=True)
class Report:
    """A report by hand; buckets are ``(bucket, weight)`` as `Reports` has them."""

    buckets: tuple[tuple[int, float], ...]
    at_s: float = 0
    start_s: float = -100
    sum: float = NAN
    min: float = NAN
    max: float = NAN
    scale: int = EXPLICIT
    bounds: tuple[float, ...] = BOUNDS
    cumulative: bool = True
    name: bytes = b"latency"
    writer: int = 1


def reports_of(names: NameTable, rows: list[Report]) -> Reports:
    return Reports(
        names.intern_many([row.name for row in rows]),
        np.array([NOW_MS + 1000 * row.at_s for row in rows], np.int64),
        np.array([NOW_MS + 1000 * row.start_s if row.start_s else 0 for row in rows], np.int64),
        np.array([row.writer for row in rows], np.uint64),
        np.array([row.cumulative for row in rows], np.uint8),
        np.array([row.scale for row in rows], np.int8),
        *(np.array([getattr(row, column) for row in rows], np.float64) for column in ("sum", "min", "max")),
        offsets([len(row.bounds) for row in rows]),
        np.array([bound for row in rows for bound in row.bounds], np.float64),
        offsets([len(row.buckets) for row in rows]),
        np.array([bucket for row in rows for bucket, _ in row.buckets], np.int32),
        np.array([weight for row in rows for _, weight in row.buckets], np.float64),
    )


class Looking:
    """Somebody who has looked since a thousand seconds ago."""

    def __init__(self, **limits: int) -> None:
        self.names = NameTable()
        self.differences = Differences(NOW_MS - 1_000_000, **limits)

    def sees(self, *rows: Report, now_s: float = 0) -> tuple[TallyBatch | None, list[int]]:
        now_ms = NOW_MS + int(1000 * now_s)
        batch, reasons = self.differences.tallies(reports_of(self.names, list(rows)), self.names, now_ms)
        return batch, reasons.tolist()

    def counts(self, *rows: Report) -> float:
        batch, reasons = self.sees(*rows)
        assert set(reasons) <= {0}
        return float(batch.spread.count.sum())


def cells(batch: TallyBatch, row: int = 0) -> dict[int, float]:
    h = batch.histograms
    inside = slice(h.offset[row], h.offset[row + 1])
    return dict(zip(h.bucket[inside].tolist(), h.weight[inside].tolist(), strict=True))


def bucket(value: float) -> int:
    return int(bucket_column(np.array([value]))[0])


def exponential(*buckets: tuple[int, float], scale: int, **others: float) -> Report:
    """A report of positive buckets by their index."""
    return Report(tuple((index + SHIFT, w) for index, w in buckets), scale=scale, bounds=(), **others)


def test_a_report_of_what_came_since_the_last_one_is_a_tally():
    row = Report(((0, 2.0), (2, 3.0)), sum=25.0, min=0.5, max=9.0, cumulative=False, at_s=4)
    batch, reasons = Looking().sees(row)
    assert reasons == [0]
    assert batch.kind.tolist() == [Kind.TIMING]
    assert batch.timestamp.tolist() == [NOW_MS + 4000]
    spread = batch.spread
    assert (spread.count[0], spread.sum[0], spread.min[0], spread.max[0]) == (5.0, 25.0, 0.5, 9.0)
    assert batch.last.tolist() == [5.0]
    assert sum(cells(batch).values()) == 5.0
    assert min(cells(batch)) >= bucket(0.5)
    assert max(cells(batch)) <= bucket(9.0)


def test_samples_of_a_wide_bucket_lie_at_even_distances_in_it():
    batch, _ = Looking().sees(Report(((2, 5.0),), cumulative=False))
    assert cells(batch) == {bucket(value): 1.0 for value in (5.5, 6.5, 7.5, 8.5, 9.5)}


def test_many_samples_of_a_wide_bucket_stay_whole():
    batch, _ = Looking().sees(Report(((3, 1000.0),), cumulative=False))
    weights = list(cells(batch).values())
    assert sum(weights) == 1000.0
    assert all(w == int(w) for w in weights)
    assert len(weights) <= PLACES_MAX


def test_what_lies_above_the_last_bound_is_put_at_it_unless_the_greatest_is_told():
    assert cells(Looking().sees(Report(((4, 1.0),), cumulative=False))[0]) == {bucket(100.0): 1.0}
    assert cells(Looking().sees(Report(((4, 1.0),), cumulative=False, max=300.0))[0]) == {bucket(200.0): 1.0}


def test_what_lies_below_the_first_bound_is_put_between_zero_and_it():
    assert cells(Looking().sees(Report(((0, 1.0),), cumulative=False))[0]) == {bucket(0.5): 1.0}
    low = Report(((0, 1.0),), cumulative=False, bounds=(-5.0, 5.0))
    assert cells(Looking().sees(low)[0]) == {bucket(-5.0): 1.0}
    assert cells(Looking().sees(Report(low.buckets, cumulative=False, bounds=low.bounds, min=-7.0))[0]) == {
        bucket(-6.0): 1.0
    }


def test_without_buckets_all_is_at_the_average():
    batch, _ = Looking().sees(Report(((0, 4.0),), cumulative=False, bounds=(), sum=10.0))
    assert cells(batch) == {bucket(2.5): 4.0}


def test_deviations_are_those_of_the_middles_of_buckets():
    batch, _ = Looking().sees(Report(((2, 100.0),), cumulative=False, sum=750.0))
    assert batch.spread.m2[0] == pytest.approx(100 * 5.0**2 / 12, rel=0.1)


def test_a_cumulative_report_adds_its_difference_to_the_one_before():
    looking = Looking()
    assert looking.counts(Report(((0, 2.0), (2, 1.0)), sum=8.0)) == 3.0
    batch, _ = looking.sees(Report(((0, 3.0), (2, 1.0), (3, 4.0)), sum=100.0, at_s=10))
    assert batch.spread.count.tolist() == [5.0]
    assert batch.spread.sum.tolist() == [92.0]
    assert sum(cells(batch).values()) == 5.0


def test_an_extreme_that_moved_is_exact_and_one_that_stayed_a_limit():
    looking = Looking()
    looking.sees(Report(((1, 2.0), (4, 1.0)), min=2.0, max=150.0))
    batch, _ = looking.sees(Report(((1, 3.0), (4, 2.0)), min=1.25, max=150.0, at_s=10))
    assert batch.spread.min.tolist() == [1.25]
    assert batch.spread.max[0] <= 150.0
    assert max(cells(batch)) <= bucket(150.0)


def test_a_first_report_of_a_sender_that_is_older_than_we_is_only_a_beginning():
    looking = Looking()
    assert looking.sees(Report(((0, 7.0),), start_s=-2000)) == (None, [Reason.RESET])
    assert looking.counts(Report(((0, 9.0),), start_s=-2000, at_s=10)) == 2.0


def test_a_first_report_that_does_not_say_when_it_began_is_only_a_beginning():
    assert Looking().sees(Report(((0, 7.0),), start_s=0)) == (None, [Reason.RESET])


def test_a_sender_that_says_that_it_began_anew_is_counted_from_there():
    looking = Looking()
    looking.sees(Report(((0, 7.0),), start_s=-2000))
    assert looking.counts(Report(((0, 9.0),), start_s=-5, at_s=10)) == 9.0


def test_a_sender_whose_bucket_fell_began_anew():
    looking = Looking()
    looking.sees(Report(((0, 7.0), (1, 4.0)), start_s=0))
    assert looking.counts(Report(((0, 8.0), (1, 3.0)), start_s=0, at_s=10)) == 11.0
    assert looking.counts(Report(((0, 9.0),), start_s=0, at_s=20)) == 9.0


def test_a_report_that_is_not_later_is_counted_already():
    looking = Looking()
    looking.sees(Report(((0, 7.0),), at_s=10))
    assert looking.sees(Report(((0, 9.0),), at_s=10))[1] == [Reason.DUPLICATE]
    assert looking.sees(Report(((0, 6.0),), at_s=5))[1] == [Reason.DUPLICATE]
    assert looking.counts(Report(((0, 9.0),), at_s=20)) == 2.0


def test_a_report_of_nothing_new_holds_no_sample():
    looking = Looking()
    looking.sees(Report(((0, 7.0),)))
    assert looking.sees(Report(((0, 7.0),), at_s=10)) == (None, [NOTHING])
    assert Looking().sees(Report((), cumulative=False)) == (None, [NOTHING])


def test_other_bounds_are_a_beginning():
    looking = Looking()
    looking.sees(Report(((0, 7.0),)))
    assert looking.sees(Report(((0, 8.0),), at_s=10, bounds=(1.0, 2.0)))[1] == [Reason.RESET]
    assert looking.counts(Report(((0, 9.0),), at_s=20, bounds=(1.0, 2.0))) == 1.0


def test_two_senders_of_one_series_are_told_apart():
    looking = Looking()
    for at_s in (0, 10):
        rows = [Report(((0, 10.0 + at_s),), writer=1, at_s=at_s), Report(((0, 500.0 + 2 * at_s),), writer=2, at_s=at_s)]
        total = looking.counts(*rows)
    assert total == 30.0


def test_a_scale_that_falls_loses_nothing():
    looking = Looking()
    looking.sees(exponential((-3, 1.0), (10, 2.0), (11, 3.0), scale=5))
    batch, _ = looking.sees(exponential((-2, 1.0), (5, 9.0), (40, 1.0), scale=4, at_s=10))
    assert cells(batch) == {10 + SHIFT: 2.0, 11 + SHIFT: 2.0, 81 + SHIFT: 1.0}
    batch, _ = looking.sees(exponential((-4, 1.0), (10, 4.0), (11, 6.0), (80, 1.0), scale=5, at_s=20))
    assert cells(batch) == {11 + SHIFT: 1.0}  # of one more sample in two buckets of which it is not known in which


def test_buckets_beyond_all_doubles_are_cut():
    batch, _ = Looking().sees(
        Report(((-SHIFT, 2.0), (-1 + SHIFT, 2.0), (SHIFT, 2.0)), scale=SCALE_MIN, bounds=(), cumulative=False)
    )
    assert sum(cells(batch).values()) == 6.0
    assert np.isfinite(batch.spread.sum[0])


def test_of_too_many_histograms_new_ones_are_rejected_until_others_are_silent():
    looking = Looking(series_max=2)
    rows = [Report(((0, 1.0),), name=name) for name in (b"a", b"b", b"c")]
    assert looking.sees(*rows)[1] == [0, 0, Reason.SERIES_LIMIT]
    later = [Report(((0, 2.0),), name=name, at_s=4000) for name in (b"c", b"a")]
    assert looking.sees(*later, now_s=4000)[1] == [Reason.RESET, 0]  # b was silent
    assert len(looking.differences) == 2


def test_of_too_many_buckets_no_more_are_remembered():
    looking = Looking(buckets_max=4)
    many = Report(tuple((k, 1.0) for k in range(5)))
    assert looking.sees(many)[1] == [Reason.SERIES_LIMIT]
    assert looking.sees(Report(((0, 1.0),)))[1] == [0]


SCALES = st.integers(SCALE_MIN, SCALE_MAX)
VALUES = st.one_of(st.just(0.0), st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-9))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.lists(VALUES, max_size=12), SCALES, st.booleans()), min_size=1, max_size=6),
    st.integers(1, 3),
)
def test_whatever_a_sender_measures_is_counted_once(rounds: list[tuple[list[float], int, bool]], senders: int):
    """Senders whose scale changes and that sometimes begin anew; all of them measure the same."""
    looking, seen, measured, counted = Looking(), [], 0, 0.0
    start_s = -100.0
    for k, (values, scale, again) in enumerate(rounds):
        if again:
            seen, start_s = [], 10.0 * k - 5
        seen += values
        measured += senders * len(values)
        buckets: dict[int, float] = {}
        for value in seen:
            fine = bucket(value)
            index = (abs(fine) - SHIFT) >> (SCALE_MAX - scale)
            number = 0 if fine == 0 else int(math.copysign(index + SHIFT, fine))
            buckets[number] = buckets.get(number, 0.0) + 1
        rows = [
            Report(tuple(sorted(buckets.items())), 10.0 * k, start_s, sum(seen), scale=scale, bounds=(), writer=w)
            for w in range(senders)
        ]
        batch, reasons = looking.sees(*rows)
        assert set(reasons) <= {0, NOTHING}
        if batch is not None:
            counted += batch.spread.count.sum()
            assert batch.histograms.weight.sum() == batch.spread.count.sum()
            assert batch.spread.sum == pytest.approx([sum(values)] * senders, rel=1e-6, abs=1e-3)
            for row in range(len(batch)):
                filled = list(cells(batch, row))
                assert filled == sorted(filled)
    assert counted == measured


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=30))
def test_fine_buckets_are_those_of_the_samples_themselves(values: list[float]):
    numbers, counts = np.unique([bucket(value) for value in values], return_counts=True)
    row = Report(
        tuple(zip(numbers.tolist(), counts.tolist(), strict=True)), scale=SCALE_MAX, bounds=(), cumulative=False
    )
    batch, _ = Looking().sees(row)
    assert cells(batch) == dict(row.buckets)
