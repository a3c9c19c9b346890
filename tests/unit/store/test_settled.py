"""Clocks that jump: nothing is deleted because of one, and nothing is lost."""

from pathlib import Path

import pytest

from stores import NOW_S, found, opened, put
from tallystick.model.clock import ManualClock
from tallystick.model.retention import Retention, RetentionRule
from tallystick.store.rules.settled import SettledClock

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0
SHORT = (RetentionRule("*", Retention.parse("10s:6h,1m:12h")),)


def test_a_clock_that_runs_is_believed():
    clock = ManualClock(float(NOW_S))
    settled = SettledClock(clock, 0.0)
    for _ in range(100):
        clock.advance(7 * HOUR)
        assert (settled.now(), settled.problem) == (clock.now(), "")
        clock.jump(30.0)
        assert settled.now() == clock.now()


@pytest.mark.parametrize("jump", [DAY, YEAR])
def test_a_jump_ahead_counts_when_it_has_held_for_an_hour(jump: float):
    clock = ManualClock(float(NOW_S))
    settled = SettledClock(clock, 0.0)
    clock.jump(jump)
    for minute in range(60):
        assert settled.now() == NOW_S + 60 * minute
        assert f"it is {jump / DAY:.1f} days ahead" in settled.problem
        clock.advance(60)
    assert (settled.now(), settled.problem) == (clock.now(), "")


@pytest.mark.parametrize("jump", [DAY, YEAR])
def test_a_jump_back_counts_at_once_and_the_way_back_is_a_jump_ahead(jump: float):
    clock = ManualClock(float(NOW_S))
    settled = SettledClock(clock, 0.0)
    clock.jump(-jump)
    assert (settled.now(), settled.problem) == (NOW_S - jump, "")
    clock.jump(jump)
    assert settled.now() == NOW_S - jump
    clock.advance(HOUR)
    assert settled.now() == NOW_S + HOUR


def test_a_clock_that_jumps_again_has_to_hold_anew():
    clock = ManualClock(float(NOW_S))
    settled = SettledClock(clock, 0.0)
    clock.jump(YEAR)
    settled.now()
    clock.advance(0.9 * HOUR)
    assert settled.now() == NOW_S + 0.9 * HOUR
    clock.jump(YEAR)
    settled.now()
    clock.advance(0.9 * HOUR)
    assert settled.now() == NOW_S + 1.8 * HOUR
    clock.jump(-2 * YEAR)
    assert (settled.now(), settled.problem) == (NOW_S + 1.8 * HOUR, "")


def test_at_a_start_what_was_known_last_is_believed_for_an_hour():
    clock = ManualClock(NOW_S + YEAR)
    settled = SettledClock(clock, float(NOW_S))
    assert settled.now() == NOW_S
    clock.advance(HOUR)
    assert settled.now() == clock.now()
    assert SettledClock(clock, clock.now() - 0.9 * DAY).now() == clock.now()
    assert SettledClock(clock, clock.now() + YEAR).now() == clock.now()


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("jump", [DAY, YEAR])
def test_a_jump_ahead_deletes_nothing_and_when_it_holds_what_is_old_goes(tmp_path: Path, jump: float, restart: bool):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock, rules=SHORT) as store:
        put(store, "a", {0: 1.0})
        store.maintenance.seal()
        if not restart:
            clock.jump(jump + 100.0)
            store.maintenance.compact()
            assert found(store, "a") == {0: 1.0}
            assert "days ahead" in store.problems()[0]
            put(store, "a", {int(jump) + 100: 1.0})
            store.maintenance.seal()  # the manifest is written by a clock that is wrong
    if restart:
        clock.jump(jump + 100.0)
    for _ in range(3):
        with opened(tmp_path, clock, rules=SHORT) as store:
            store.maintenance.compact()
            assert found(store, "a") == {0: 1.0}
            assert "nothing is deleted for its age" in store.problems()[0]
    with opened(tmp_path, clock, rules=SHORT) as store:
        clock.advance(HOUR + 1)
        store.maintenance.compact()
        assert store.problems() == []
        assert found(store, "a") == {}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("jump", [DAY, YEAR])
def test_a_jump_back_loses_no_sample(tmp_path: Path, jump: float, restart: bool):
    clock = ManualClock(float(NOW_S))
    store_of = opened(tmp_path, clock, rules=SHORT)
    with store_of as store:
        put(store, "a", {0: 1.0, 10: 1.0})
        clock.jump(-jump)
        put(store, "a", {10: 1.0, 20: 1.0})
        put(store, "b", {-int(jump): 7.0})
        if not restart:
            store.maintenance.seal()
            store.maintenance.compact()
            put(store, "a", {20: 1.0})
            assert found(store, "a") == {0: 1.0, 10: 2.0, 20: 2.0}
    with opened(tmp_path, clock, rules=SHORT) as store:
        assert store.problems() == []
        put(store, "a", {30: 1.0})
        expected = {0: 1.0, 10: 2.0, 20: 1.0 if restart else 2.0, 30: 1.0}
        assert found(store, "a") == expected
        assert found(store, "b", span_s=int(jump) + 7200)[-int(jump)] == 7.0
        clock.jump(jump)
        store.maintenance.seal()
        store.maintenance.compact()
        assert found(store, "a") == expected
