"""What instruments keep and what leaves the process, heard by a door of the native protocol."""

import enum
import math
import random
import signal
import statistics
import sys
import threading
import time
from typing import Any

import pytest

from hearing import Hearing, settings_for
from servers import wait_until
from tallystick.model.clock import ManualClock
from tallystick.model.errors import TallystickError
from tallystick.native.accumulate import BUCKETS_MAX, bucket_of
from tallystick.sensors import Sensors
from tallystick.sensors.families import COMBINATIONS_MAX, INSTRUMENTS_MAX
from tallystick.sensors.instruments.instrument import FOLD_AT, WAITING_MAX
from tallystick.sensors.settings import from_environment

REQUESTS = "dev.apps.shop.requests"
ON_HOST = "dev.hosts.web.web1.shop"


def test_increments_leave_as_one_slot_under_the_names_of_cluster_and_host(own: Sensors, door: Hearing) -> None:
    own.counter("requests").increment()
    own.counter("requests").increment(41)
    assert own.flush()
    for name in (REQUESTS, f"{ON_HOST}.requests"):
        [slot] = door.slots[name]
        assert slot["spread"] == {"count": 2.0, "sum": 42.0, "m2": 800.0, "min": 1.0, "max": 41.0}
        assert slot["last"] == 41.0
        assert door.names[name]["kind"] == "counter"
    own.counter("requests").increment(0.5)
    assert own.flush()
    assert own.flush()
    assert [slot["last"] for slot in door.slots[REQUESTS]] == [41.0, 0.5]
    assert door.hellos[0]["agent"] == "shop"


def test_statistics_of_many_samples_are_those_of_all_of_them(own: Sensors, door: Hearing) -> None:
    seconds = [random.Random(5).lognormvariate(0, 2) for _ in range(3 * FOLD_AT + 7)]
    for each in seconds:
        own.timing("render").observe(each)
    own.timing("render").observe(-1)
    own.timing("render").observe(math.inf)
    assert own.flush()
    [slot] = door.slots["dev.apps.shop.render"]
    assert slot["spread"] == {
        "count": len(seconds),
        "sum": pytest.approx(sum(seconds)),
        "m2": pytest.approx(statistics.pvariance(seconds) * len(seconds)),
        "min": min(seconds),
        "max": max(seconds),
    }
    buckets = {bucket["bucket"]: bucket["weight"] for bucket in slot["buckets"]}
    assert sum(buckets.values()) == len(seconds)
    assert buckets[bucket_of(seconds[0])] == sum(bucket_of(each) == bucket_of(seconds[0]) for each in seconds)


def test_times_of_all_magnitudes_have_a_histogram_of_bounded_size(own: Sensors, door: Hearing) -> None:
    seconds = [1.03**number for number in range(-2_500, 2_500)]
    for each in (*seconds, 0.0):
        own.timing("render").observe(each)
    assert own.flush()
    [slot] = door.slots["dev.apps.shop.render"]
    assert len(slot["buckets"]) == BUCKETS_MAX
    assert sum(bucket["weight"] for bucket in slot["buckets"]) == slot["spread"]["count"] == len(seconds) + 1


def test_a_gauge_keeps_its_level_and_the_range_of_it(own: Sensors, door: Hearing) -> None:
    level = own.gauge("queue")
    for value in (7, -2, 3):
        level.set(value)
    level.change(2)
    level.change(-1)
    assert own.flush()
    assert own.flush()
    first, second = door.slots[f"{ON_HOST}.queue"]
    assert (first["last"], first["spread"]["min"], first["spread"]["max"]) == (4.0, -2.0, 7.0)
    assert (second["last"], second["spread"]) == (4.0, None)
    assert "dev.apps.shop.queue" not in door.slots


def test_a_gauge_asks_its_function_at_each_flush_and_leaves_a_gap_where_it_fails(own: Sensors, door: Hearing) -> None:
    answers: list[float | None] = [3, None, 5]

    @own.gauge("queue").ask
    def ask() -> float | None:
        return answers.pop(0)

    for _ in range(4):
        own.counter("beat").increment()
        assert own.flush()
    assert [slot["last"] for slot in door.slots[f"{ON_HOST}.queue"]] == [3.0, 5.0]
    assert len(door.slots["dev.apps.shop.beat"]) == 4


def test_different_members_are_counted_once(own: Sensors, door: Hearing) -> None:
    for number in range(1000):
        own.distinct("users").add(number % 100)
    own.distinct("users").add("ada")
    assert own.flush()
    [slot] = door.slots["dev.apps.shop.users"]
    assert slot["last"] == 101.0
    assert slot["spread"] is None
    assert slot["sketch"]


def test_a_sample_stands_for_many(own: Sensors, door: Hearing) -> None:
    random.seed(3)
    for _ in range(20_000):
        own.counter("hits", sample=0.1).increment()
        own.timing("work", sample=0.25).observe(2)
    assert own.flush()
    [hits], [work] = door.slots["dev.apps.shop.hits"], door.slots["dev.apps.shop.work"]
    assert hits["spread"]["sum"] == hits["spread"]["count"] == pytest.approx(20_000, rel=0.1)
    assert work["spread"]["count"] == pytest.approx(20_000, rel=0.1)
    assert work["spread"]["sum"] == 2 * work["spread"]["count"]
    assert sum(bucket["weight"] for bucket in work["buckets"]) == work["spread"]["count"]


@pytest.mark.parametrize("share", [0, -1, 1.5, math.nan])
def test_a_share_that_is_none_is_refused(own: Sensors, share: float) -> None:
    with pytest.raises(ValueError, match="cannot sample"):
        own.counter("hits", sample=share)


def test_no_sample_is_lost_between_threads_and_flushes(own: Sensors, door: Hearing) -> None:
    counter, timing = own.counter("hits"), own.timing("took")
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def hit() -> None:
        for _ in range(30_000):
            counter.increment()
            timing.observe(1)

    threads = [threading.Thread(target=hit) for _ in range(8)]
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            own.flush()
    finally:
        sys.setswitchinterval(switch_s)
    assert own.flush()
    assert door.sum("dev.apps.shop.hits") == door.sum("dev.apps.shop.took") == 240_000
    assert len(door.slots["dev.apps.shop.hits"]) > 1


def test_threads_that_outrun_the_one_that_folds_wait_for_it(own: Sensors, door: Hearing) -> None:
    timing, most = own.timing("took"), [0]
    seconds = [number * 0.001 for number in range(1, 1001)]

    def work() -> None:
        for _ in range(40):
            for each in seconds:
                timing.observe(each)
            most.append(len(timing._pending))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) < WAITING_MAX + 8 * FOLD_AT
    assert own.flush()
    assert sum(slot["spread"]["count"] for slot in door.slots["dev.apps.shop.took"]) == 8 * 40_000


def test_a_signal_handler_may_count_in_the_middle_of_counting_and_flushing(own: Sensors, door: Hearing) -> None:
    counter = own.counter("hits")
    in_handler = 0

    def handle(*_: object) -> None:
        nonlocal in_handler
        in_handler += 1
        counter.increment()
        own.counter("signals", number=in_handler % 7).increment()

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        done = 0
        while in_handler < 200:
            counter.increment()
            done += 1
            if done % 5000 == 0:
                own.flush()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert own.flush()
    assert door.sum(REQUESTS.replace("requests", "hits")) == done + in_handler
    assert sum(door.sum(f"dev.apps.shop.signals;number={k}") for k in range(7)) == in_handler


def test_labels_are_tags_in_any_order_and_cleaned(own: Sensors, door: Hearing) -> None:
    own.counter("requests", view="home", method="GET").increment()
    own.counter("requests", method="GET", view="home").increment()
    own.counter("requests", view="a;b=c d\n", method="").increment()
    own.counter("requests", view=["no", "hash"]).increment()
    assert own.flush()
    assert door.sum(f"{REQUESTS};method=GET;view=home") == 2
    assert door.sum(f"{REQUESTS};method=none;view=a-b-c-d-") == 1
    assert door.sum(f"{REQUESTS};view=-no-hash-") == 1


def test_labels_that_look_alike_to_a_dictionary_are_told_apart_in_any_order(own: Sensors, door: Hearing) -> None:
    class Colour(enum.StrEnum):
        RED = "red"
        __str__ = enum.Enum.__str__

    values: list[object] = [True, 1, 1.0, "1", "True", False, 0, 200, 200.0, "200", 0.5, None, "red", Colour.RED]
    for order in (values, values[::-1], values):
        for value in order:
            own.counter("requests", value=value).increment()
    assert own.flush()
    found = {name.partition("value=")[2]: door.sum(name) for name in door.slots if name.startswith(REQUESTS)}
    assert found == {"True": 6, "1": 9, "False": 3, "0": 3, "200": 9, "0.5": 3, "None": 3, "red": 6}


def test_what_is_asked_for_in_the_same_words_is_the_same(own: Sensors) -> None:
    assert own.counter("sold", unit="pieces", country="se") is own.counter("sold", country="se")
    assert own.counter("sold", paid=True) is own.counter("sold", paid=True)
    assert own.counter("sold", paid=True) is not own.counter("sold", paid=1)
    with pytest.raises(TallystickError, match="it is a counter already"):
        own.timing("sold", unit="pieces", country="se")


def test_labels_beyond_the_bound_count_as_other(own: Sensors, door: Hearing) -> None:
    for number in range(COMBINATIONS_MAX + 500):
        own.counter("requests", user=number).increment()
    assert own.refused == 500
    assert len(own.members) == COMBINATIONS_MAX + 1
    assert own.flush()
    assert door.sum(f"{REQUESTS};user=other") == 500
    assert door.sum(f"{REQUESTS};user=999") == 1


def test_names_beyond_the_bound_are_counted_and_cost_nothing_more(own: Sensors) -> None:
    for number in range(INSTRUMENTS_MAX + 50):
        own.counter(f"user{number}").increment()
    assert own.refused == 50
    assert len(own.members) == INSTRUMENTS_MAX


@pytest.mark.parametrize("labels", [{"name": "x"}, {f"k{n}": n for n in range(7)}, {"k" * 50: 1}])
def test_labels_that_cannot_be_tags_are_refused(own: Sensors, labels: dict[str, object]) -> None:
    with pytest.raises(TallystickError, match="cannot label 'requests'"):
        own.counter("requests", **labels)


def test_a_name_has_one_kind_and_its_odd_characters_are_replaced(own: Sensors, door: Hearing) -> None:
    own.counter("a:b|c.d e").increment()
    with pytest.raises(TallystickError, match=r"cannot make gauge .* it is a counter already"):
        own.gauge("a:b|c.d e")
    assert own.flush()
    assert door.sum("dev.apps.shop.a-b-c.d-e") == 1


def test_what_is_no_name_is_told(own: Sensors) -> None:
    def lookup() -> None: ...

    names: list[Any] = ["", "...", lookup]
    for name in names:  # the last of them a decorator whose name was forgotten
        with pytest.raises(TallystickError, match=r"cannot name a timing .*: expected words such as"):
            own.timing(name)


@pytest.mark.parametrize("by", [-1, float("nan"), float("inf")])
def test_a_counter_counts_up_only(own: Sensors, by: float) -> None:
    with pytest.raises(ValueError, match="cannot increment by"):
        own.counter("a").increment(by)


def test_numbers_of_any_kind_add_up(own: Sensors, door: Hearing) -> None:
    decimal, fractions, numpy = (pytest.importorskip(name) for name in ("decimal", "fractions", "numpy"))
    for by in (decimal.Decimal("0.5"), fractions.Fraction(1, 4), numpy.float32(2), numpy.int64(3), True):
        own.counter("sum").increment(by)
        own.timing("took").observe(by)
    assert own.flush()
    assert door.sum("dev.apps.shop.sum") == door.sum("dev.apps.shop.took") == 6.75


def test_what_is_said_of_a_metric_travels_with_its_names(own: Sensors, door: Hearing) -> None:
    own.counter("sold", unit="pieces", owner="team-x").increment()
    own.counter("sold", description="What was sold.", alert="none for an hour").increment()
    own.timing("render").observe(1)
    assert own.flush()
    for name in ("dev.apps.shop.sold", f"{ON_HOST}.sold"):
        said = {key: door.names[name][key] for key in ("unit", "owner", "description", "alert")}
        assert said == {
            "unit": "pieces",
            "owner": "team-x",
            "description": "What was sold.",
            "alert": "none for an hour",
        }
    assert door.names["dev.apps.shop.render"]["unit"] == "s"
    own.counter("sold", owner="team-y").increment()
    assert own.flush()
    assert door.names["dev.apps.shop.sold"]["owner"] == "team-y"
    assert door.sum("dev.apps.shop.sold") == 3


def test_what_is_not_collected_stays_in_the_process_until_it_is_asked_for(door: Hearing) -> None:
    for pattern, heard in (("", False), ("debug.*, other", True)):
        own = Sensors(settings_for(door, TALLYSTICK_COLLECT=pattern), ManualClock())
        own.counter("debug.steps", collect=False).increment()
        own.counter("steps").increment()
        assert own.flush()
        assert ("dev.apps.shop.debug.steps" in door.slots) is heard
        own.close()


def test_slots_that_nobody_takes_are_dropped_counted_and_told(door: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.sensors.sending.BUFFER_BYTES_MAX", 1000)
    door.close()
    own = Sensors(settings_for(door), ManualClock())
    for number in range(60):
        own.counter("hits").increment(number)
        assert not own.flush()
    assert 0 < own.dropped < 118
    again = Hearing(door.port)
    wait_until(lambda: own.flush(20), "all that was kept to be heard")
    own.counter("last").increment()
    assert own.flush(20)
    own.close()
    assert again.generated == 122
    assert sum(map(len, again.slots.values())) == again.generated - own.dropped
    again.close()


def test_without_a_listener_nothing_happens_but_a_count(door: Hearing) -> None:
    door.close()
    own = Sensors(settings_for(door), ManualClock())
    own.counter("a").increment()
    began = time.monotonic()
    assert not own.flush(60)  # gives up at once: nobody is there
    own.close()
    assert time.monotonic() - began < 30
    assert own.dropped == 2


def test_the_thread_flushes_on_the_beat_into_the_slot_that_has_ended(door: Hearing) -> None:
    clock = ManualClock(1_700_000_009.98)
    own = Sensors(settings_for(door), clock)
    own.counter("beat").increment()
    clock.advance(0.03)
    [slot] = door.wait("dev.apps.shop.beat")
    assert slot["at_ms"] // 10_000 == 170_000_000
    own.close()


def test_whatever_is_called_at_the_beginning_and_before_a_flush_breaks_neither(own: Sensors, door: Hearing) -> None:
    called: list[str] = []

    def fail() -> None:
        called.append("failed")
        raise KeyError

    for calls in (own.life.when_awake, own.life.before_flush):
        calls.extend([fail, lambda: called.append("after it")])
    own.counter("hits").increment()
    assert own.flush()
    assert door.sum("dev.apps.shop.hits") == 1
    assert called == ["failed", "after it"] * 2


def test_nothing_runs_before_the_first_sample(door: Hearing) -> None:
    threads = threading.active_count()
    own = Sensors(settings_for(door))
    counter = own.counter("hits")
    assert own.flush()
    assert (threading.active_count(), own.life.sending) == (threads, None)
    counter.increment()
    assert threading.active_count() > threads
    own.close()


def test_an_address_that_is_none_costs_a_program_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_AGENT", "http://nonsense")
    own = Sensors()
    own.counter("hits").increment()
    assert own.flush()
    assert own.members[0].instrument.look()[1] == 1
    own.close()
    with pytest.raises(ValueError, match="scheme"):
        own.configure(server="http://nonsense")


def test_a_process_is_named_by_its_environment_or_its_program() -> None:
    place = from_environment({"TALLYSTICK_APP": "my shop", "TALLYSTICK_ENVIRONMENT": "prod"}, "x").place
    assert (place.environment, place.app) == ("prod", "my-shop")
    for environ, server in (
        ({}, "tcp://127.0.0.1:8120"),
        ({"TALLYSTICK_SERVER": "http://central:8080"}, "tcp://127.0.0.1:8120"),
        ({"TALLYSTICK_SERVER": "tcp://central:8120"}, "tcp://central:8120"),
        ({"TALLYSTICK_SERVER": "tcp://central:8120", "TALLYSTICK_AGENT": "unix:///run/x"}, "unix:///run/x"),
        ({"TALLYSTICK_AGENT": "none"}, "None"),
    ):
        assert str(from_environment(environ, "x").server) == server
    own = Sensors()
    own.configure(app="till", environment="stage", version="1.2", server="unix:///run/x.sock")
    settings = own.life.settings()
    assert (settings.place.app, settings.place.environment, settings.place.version) == ("till", "stage", "1_2")
    assert str(settings.server) == "unix:///run/x.sock"
