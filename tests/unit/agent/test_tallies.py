"""Samples of a host become slots: once each, whatever the clock does, and within bounds."""

import threading

import pytest

from tallystick.agent.tallies import SLOT_MS, Tallies
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.native import Slot
from tallystick.native.accumulate import Distinct, bucket_of

NOW_S = 1_700_000_000
NOW_MS = NOW_S * 1000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(float(NOW_S))


@pytest.fixture
def tallies(clock: ManualClock) -> Tallies:
    return Tallies(clock)


def test_each_kind_becomes_the_statistics_that_it_has(tallies: Tallies) -> None:
    tallies.count("hits")
    tallies.count("hits", 2.0, weight=10.0)
    tallies.gauge("load", 0.5)
    tallies.cumulative("bytes", 900.0)
    tallies.time("took", 20.0)
    tallies.time("took", 30.0)
    for user in ("ann", "bob", "ann"):
        tallies.member("users", user)
    hits, load, sent, took, users = tallies.drain()
    assert hits == Slot("hits", Kind.COUNTER, NOW_MS, 2.0, (11.0, 21.0, pytest.approx(10 / 11), 1.0, 2.0))
    assert load == Slot("load", Kind.GAUGE, NOW_MS, 0.5)
    assert sent == Slot("bytes", Kind.CUMULATIVE, NOW_MS, 900.0)
    assert took[:4] == ("took", Kind.TIMING, NOW_MS, 30.0)
    assert took.spread == (2.0, 50.0, 50.0, 20.0, 30.0)
    assert took.buckets == [(bucket_of(20.0), 1.0), (bucket_of(30.0), 1.0)]
    assert (users.last, users.spread) == (2.0, None)
    assert tallies.drain() == []


def test_a_slot_is_given_when_it_is_over_and_only_once(tallies: Tallies, clock: ManualClock) -> None:
    tallies.count("hits")
    assert tallies.take(NOW_MS + 9_999) == []
    clock.advance(10.0)
    tallies.count("hits")
    assert [slot.at_ms for slot in tallies.take(NOW_MS + SLOT_MS)] == [NOW_MS]
    assert tallies.take(NOW_MS + SLOT_MS) == []
    assert [slot.at_ms for slot in tallies.drain()] == [NOW_MS + SLOT_MS]


@pytest.mark.parametrize("jump_s", [-3600.0, -5.0, 7.0, 3600.0, 86400.0 * 365])
def test_a_clock_that_jumps_loses_and_holds_back_nothing(tallies: Tallies, clock: ManualClock, jump_s: float) -> None:
    tallies.count("hits")
    clock.jump(jump_s)
    tallies.count("hits")
    clock.jump(-jump_s)
    tallies.count("hits")
    clock.advance(10.0)
    given = tallies.take(int(clock.now() * 1000))
    assert sum(slot.spread[1] if slot.spread else slot.last for slot in given) == 3.0
    assert tallies.drain() == []


def test_samples_with_a_time_belong_to_its_slot_and_the_latest_is_the_last(tallies: Tallies) -> None:
    for at_s, value in ((-60, 1.0), (3, 3.0), (2, 2.0), (3, 4.0), (1, 5.0)):
        tallies.gauge("load", value, at_ms=NOW_MS + at_s * 1000)
    older, newer = tallies.drain()
    assert (older.at_ms, older.last, older.spread) == (NOW_MS - 60_000, 1.0, None)
    assert (newer.at_ms, newer.last) == (NOW_MS, 4.0)
    assert newer.spread is not None
    assert newer.spread[0] == 4.0


def test_a_level_is_changed_from_what_it_was_also_in_the_slots_after(tallies: Tallies, clock: ManualClock) -> None:
    tallies.change("jobs", 2.0)
    tallies.gauge("jobs", 10.0)
    clock.advance(60.0)
    tallies.change("jobs", -3.0)
    tallies.change("jobs", 1e308)
    tallies.change("jobs", 1.7e308)
    assert [slot.last for slot in tallies.drain()] == [10.0, 1e308]


def test_names_beyond_the_bound_are_refused_and_counted_and_known_ones_are_not(clock: ManualClock) -> None:
    tallies = Tallies(clock, names_max=2)
    for name in ("a", "b", "c", "a", "d"):
        tallies.count(name)
    assert [(slot.name, slot.spread is not None) for slot in tallies.drain()] == [("a", True), ("b", False)]
    assert tallies.refused == 2
    tallies.count("c")
    assert len(tallies.drain()) == 1


def test_levels_are_remembered_within_the_bound(clock: ManualClock) -> None:
    tallies = Tallies(clock, names_max=8)
    for k in range(100):
        tallies.gauge(f"g{k}", 1.0)
        tallies.drain()
    tallies.change("g99", 1.0)
    tallies.change("g1", 1.0)
    assert [slot.last for slot in tallies.drain()] == [2.0, 1.0]


def test_slots_of_others_merge_with_ours(tallies: Tallies) -> None:
    users = Distinct()
    users.add(b"ann")
    users.add(b"cid")
    tallies.time("took", 20.0)
    tallies.member("users", "ann")
    assert tallies.merge(Slot("took", Kind.TIMING, NOW_MS + 5, 7.0, (2.0, 12.0, 2.0, 5.0, 7.0), [(1, 1.0), (2, 1.0)]))
    assert tallies.merge(Slot("took", Kind.TIMING, NOW_MS + 6, 8.0))
    assert tallies.merge(Slot("users", Kind.SET, NOW_MS, 2.0, sketch=users.sketch()))
    took, members = tallies.drain()
    assert took.last == 8.0
    assert took.spread is not None
    assert took.spread[:2] == (4.0, 40.0)
    assert took.buckets == [(1, 1.0), (2, 1.0), (bucket_of(8.0), 1.0), (bucket_of(20.0), 1.0)]
    assert members.last == 2.0


def test_a_sketch_that_is_none_leaves_nothing_behind(tallies: Tallies) -> None:
    with pytest.raises(ValueError, match="cannot read a sketch"):
        tallies.merge(Slot("users", Kind.SET, NOW_MS, 2.0, sketch=b"no sketch"))
    assert tallies.drain() == []


def test_who_keeps_samples_back_is_asked_before_slots_are_given(tallies: Tallies) -> None:
    asked: list[int | None] = []

    def feed(present: int | None) -> None:
        asked.append(present)
        tallies.count("hits")

    tallies.feed(feed)
    assert tallies.take(NOW_MS) == []
    assert [slot.spread and slot.spread[1] for slot in tallies.drain()] == [2.0]
    assert asked == [NOW_MS // SLOT_MS, None]


def test_threads_lose_no_sample(tallies: Tallies) -> None:
    given: list[Slot] = []

    def add() -> None:
        for k in range(5000):
            tallies.count(f"hits.{k % 7}")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        given += tallies.drain()
    given += tallies.drain()
    assert sum(slot.spread[1] if slot.spread else slot.last for slot in given) == 20_000.0
