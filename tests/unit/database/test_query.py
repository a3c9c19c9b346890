"""Queries through a `Database`, on a store in memory."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from filled import NOW_S

from tallystick.database import Database
from tallystick.model.errors import LimitError, QueryError


def test_a_glob_gives_a_row_for_each_series_in_the_order_of_their_names(db: Database) -> None:
    result = db.query("web.*.load", "-5min")
    assert result.names == ("web.a.load", "web.b.load")
    assert result.kinds == ("gauge", "gauge")
    assert result.kept_s == (864_000, 864_000)
    assert result.step_s == 10
    assert result.values.shape == (2, len(result.times))
    assert result.times[0] == np.datetime64(NOW_S - 290, "s")
    assert result.values[0, 0] == 131.0
    assert np.isnan(result.values[0, -1]), "nothing came in the slot that has just begun"


def test_functions_of_graphite_work_as_in_a_graph(db: Database) -> None:
    result = db.query(["aliasByNode(scale(web.*.load, 2), 1)", "sumSeries(web.*.load)"], "-1min")
    assert result.names == ("a", "b", "sumSeries(web.*.load)")
    assert result.kinds == (None,) * 3
    np.testing.assert_array_equal(result.values[0] + result.values[1], 2 * result.values[2])


def test_several_statistics_come_from_one_query(db: Database) -> None:
    result = db.query("web.a.*", "-1min", statistics=["min", "max", "mean", "p99"])
    assert result.statistics == ("min", "max", "avg", "p99")
    load = result.names.index("web.a.load")
    assert result.to_numpy("max")[load, 0] - result.to_numpy("min")[load, 0] == 100.0
    assert result.to_numpy() is result.to_numpy("min") is result.values
    known = ~np.isnan(result.to_numpy("p99")).all(axis=1)
    assert [name for name, has in zip(result.names, known, strict=True) if has] == ["web.a.took"]
    with pytest.raises(QueryError, match="expected one of min, max, avg, p99"):
        result.to_numpy("sum")


def test_a_longer_step_merges_samples_and_never_averages_averages(db: Database) -> None:
    result = db.query("web.a.*", "-5min", step="1m", statistics=["max", "count", "default"])
    assert result.step_s == 60
    assert result.start_s % 60 == 0
    load, hits = result.names.index("web.a.load"), result.names.index("web.a.hits")
    assert result.to_numpy("count")[load, 0] == 12
    fine = db.query("web.a.*", "-5min", statistics=["max", "default"])
    slots = fine.times >= result.times[0]
    np.testing.assert_array_equal(result.to_numpy("max")[load, 0], fine.to_numpy("max")[load, slots][:6].max())
    np.testing.assert_array_equal(result.to_numpy("default")[hits, 0], fine.to_numpy("default")[hits, slots][:6].sum())


@pytest.mark.parametrize("step", [60, "60s", "1m", timedelta(minutes=1), 55])
def test_a_step_is_rounded_up_to_whole_slots(db: Database, step: int | str | timedelta) -> None:
    assert db.query("web.a.load", "-5min", step=step).step_s == 60


def test_what_functions_made_is_joined_to_the_step_too(db: Database) -> None:
    result = db.query(["sumSeries(web.*.load)", "web.a.load"], "-5min", step=60)
    assert result.step_s == 60
    assert not np.isnan(result.values[:, :4]).any()


def test_series_of_different_steps_come_on_the_longer_one_merged_from_samples(db: Database) -> None:
    result = db.query(["web.a.load", "slow.temperature"], "-5min", statistics=["max", "count"])
    assert result.step_s == 60
    assert result.names == ("web.a.load", "slow.temperature")
    np.testing.assert_array_equal(result.to_numpy("count")[:, 0], [12, 12])


def test_points_bound_the_slots(db: Database) -> None:
    assert db.query("web.a.load", "-9min", points=5).slots <= 5


def test_where_a_statistic_chooses_other_series_both_have_rows(db: Database) -> None:
    result = db.query("maximumAbove(web.*.load, 1050)", "-5min", statistics=["min", "max"])
    assert result.names == ("web.b.load",)
    result = db.query("maximumAbove(web.*.load, 150)", "-5min", statistics=["min", "max"])
    assert result.names == ("web.b.load", "web.a.load")
    assert np.isnan(result.to_numpy("min")[1]).all()
    assert result.to_numpy("max")[1, 0] == 131.0


def test_a_name_that_matches_nothing_gives_no_series(db: Database) -> None:
    result = db.query("no.such.*", statistics=["min", "max"])
    assert len(result) == 0
    assert result.values.shape == (0, 0)
    assert result.statistics == ("min", "max")
    assert "no series matches" in repr(result)


@pytest.mark.parametrize(
    "start",
    [
        NOW_S - 60,
        float(NOW_S - 60),
        "-1min",
        datetime.fromtimestamp(NOW_S - 60, UTC),
        datetime.fromtimestamp(NOW_S - 60, UTC).replace(tzinfo=None),
        datetime.fromtimestamp(NOW_S - 60, UTC).astimezone(),
        np.datetime64(NOW_S - 60, "s"),
        np.datetime64((NOW_S - 60) * 10**9, "ns"),
        pd.Timestamp(NOW_S - 60, unit="s", tz="Europe/Vienna"),
    ],
)
def test_a_moment_can_be_told_in_many_ways(db: Database, start: object) -> None:
    assert db.query("web.a.load", start).start_s == NOW_S - 50


def test_a_day_is_a_moment_and_has_a_zone(db: Database) -> None:
    midnight = datetime(2023, 11, 14, tzinfo=UTC).timestamp()
    assert db.query("web.a.load", date(2023, 11, 14)).start_s == midnight + 10
    assert db.query("web.a.load", "midnight").start_s == midnight + 10
    assert db.query("web.a.load", "midnight", tz="Europe/Vienna").start_s == midnight - 3600 + 10


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"targets": []}, "no target"),
        ({"targets": "  "}, "no target"),
        ({"targets": "f("}, "column"),
        ({"start": "yesterdayish"}, "cannot read time"),
        ({"start": "now"}, "range is empty"),
        ({"start": -1}, "cannot use time -1"),
        ({"start": float("nan")}, "cannot use time nan"),
        ({"start": None}, "cannot use time None"),
        ({"start": np.datetime64("NaT")}, "cannot use time None"),
        ({"step": 0}, "cannot use step 0"),
        ({"step": 1.5}, "cannot use step 1.5"),
        ({"step": "soon"}, "cannot read length of time"),
        ({"points": 0}, "cannot use points 0"),
        ({"statistics": "best"}, "cannot use statistic 'best'"),
        ({"statistics": ["p101"]}, "percentile such as p99"),
        ({"tz": "Mars/Olympus"}, "Mars/Olympus"),
    ],
)
def test_a_wrong_query_is_told_in_a_sentence(db: Database, more: dict[str, object], says: str) -> None:
    with pytest.raises(QueryError, match=says.replace("(", r"\(")):
        db.query(**({"targets": "web.a.load"} | more))


def test_limits_hold(db: Database) -> None:
    with pytest.raises(LimitError, match="points_max"):
        db.query("web.a.load", 0, statistics=["min", "max"], step=10)


def test_names_are_found_in_every_way(db: Database) -> None:
    assert db.find("web.*.load") == ["web.a.load", "web.b.load"]
    assert db.find("web.*") == []
    assert db.find(tags=["dc=west"]) == ["disk;dc=west"]
    assert len(db.find()) == 6
    assert db.browse("web.*") == ["web.a", "web.b"]
    assert db.browse() == ["disk;dc=west", "slow", "web"]
    assert db.search("LOAD .b.") == ["web.b.load"]
    (series,) = db.series("web.a.took")
    assert (series.kind, series.retention) == ("timing", ((10, 864_000), (60, 2_592_000)))
    assert series.last_seen_s == NOW_S - 10
    assert db.series(tags=["dc=west"])[0].tags == {"name": "disk", "dc": "west"}
    with pytest.raises(QueryError, match="either a path"):
        db.series()
