"""Two years through all roll-ups: extremes are real, sums are whole, percentiles are within the histogram's error."""

from pathlib import Path

import numpy as np

from stores import NOW_S, opened
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic

DAY_S = 86400
HISTOGRAM_ERROR = 0.011


def test_statistics_of_two_years_are_those_of_all_samples(tmp_path: Path):
    random = np.random.default_rng(11)
    clock = ManualClock(float(NOW_S - 720 * DAY_S))
    values, times = [], []
    with opened(tmp_path, clock) as store:
        ids = store.create(["shop.took"], [Kind.TIMING])
        for _ in range(8):  # a quarter at a time, some of it late
            clock.advance(90.0 * DAY_S)
            hours = np.repeat(random.choice(95 * 24, 5, replace=False) * 3600, 80)
            ages = np.sort(hours + random.integers(0, 360, 400) * 10)[::-1]
            took = np.round(random.lognormal(3.0, 1.2, 400), 3)
            when = int(clock.now()) - ages
            store.append(SampleBatch.of(np.repeat(ids, 400), when * 1000, took, kind=Kind.TIMING))
            values.append(took)
            times.append(when)
            store.maintenance.seal()
            store.maintenance.compact()
        every, when = np.concatenate(values), np.concatenate(times)
        start_s, until_s = (NOW_S - 725 * DAY_S) // 3600 * 3600, NOW_S // 3600 * 3600 + 3600
        parts = store.parts(ids, start_s, until_s)
        assert [part.step_s for part in parts] == [3600, 300, 60, 10]
        wanted = (Statistic.MIN, Statistic.MAX, Statistic.COUNT, Statistic.SUM)
        for step_s in (3600, DAY_S):
            first, end = start_s // step_s * step_s, -(-until_s // step_s) * step_s
            found = store.read(ids, first, end, step_s, wanted)
            ranks = store.percentiles(ids, first, end, step_s, (50.0, 99.0))
            slot = (when - first) // step_s
            for k in np.unique(slot).tolist():
                mine = np.sort(every[slot == k])
                assert found[Statistic.MIN][0, k] == mine[0]
                assert found[Statistic.MAX][0, k] == mine[-1]
                assert found[Statistic.COUNT][0, k] == len(mine)
                np.testing.assert_allclose(found[Statistic.SUM][0, k], mine.sum())
                for rank, percentiles in ranks.items():
                    expected = mine[max(int(np.ceil(rank / 100 * len(mine))) - 1, 0)]
                    np.testing.assert_allclose(percentiles[0, k], expected, rtol=HISTOGRAM_ERROR)
            assert np.nanmax(found[Statistic.MAX]) == every.max()
            assert np.nansum(found[Statistic.COUNT]) == len(every)
