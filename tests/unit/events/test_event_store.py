"""Events are kept, found by time and tags, bounded, and survive whatever ends the process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.dogstatsd import Event as Told
from tallystick.events import FILE_NAME, Event, EventStore, Forwarding, copy_events
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError

NOW_S = 1_700_000_000


@pytest.fixture
def store() -> EventStore:
    return EventStore(None, ManualClock(float(NOW_S)))


def whats(events: list[Event]) -> list[str]:
    return [event.what for event in events]


def test_an_event_without_a_time_happened_now(store: EventStore) -> None:
    event = store.add("deploy", ["shop", "web", "shop"], "by ann")
    assert event == Event(1, NOW_S, "deploy", ("shop", "web"), "by ann")
    assert store.get(1) == event
    assert store.get(2) is None


def test_events_are_found_by_time_and_tags(store: EventStore) -> None:
    store.add("third", ["a"], time_s=30)
    store.add("first", ["a", "b"], time_s=10)
    store.add("second", ["b"], time_s=20)
    assert whats(store.find()) == ["first", "second", "third"]
    assert whats(store.find(10, 20)) == ["first", "second"]
    assert whats(store.find(tags=["a", "b"])) == ["first"]
    assert whats(store.find(tags=["a", "b"], any_tag=True)) == ["first", "second", "third"]
    assert whats(store.find(tags=["none"])) == []
    assert whats(store.find(limit=2)) == ["second", "third"]
    assert store.moments(10, 30, ["b"]).tolist() == [10, 20]
    assert store.moments(11, 31, []).tolist() == [20, 30]


def test_the_oldest_go_when_there_are_too_many_or_too_much_text() -> None:
    store = EventStore(None, ManualClock(), events_max=3, bytes_max=2000)
    for number in range(5):
        store.add(f"e{number}", ["t"], time_s=number)
    assert whats(store.find()) == ["e2", "e3", "e4"]
    assert whats(store.find(tags=["t"])) == ["e2", "e3", "e4"]
    store.add("large", data="x" * 1700, time_s=9)
    assert whats(store.find()) == ["e4", "large"]
    assert store.count == 2


def test_an_event_can_be_removed_once(store: EventStore) -> None:
    store.add("deploy", ["shop"])
    assert store.remove(1)
    assert not store.remove(1)
    assert store.find(tags=["shop"]) == []
    assert store.add("another").id == 2


def test_an_event_that_is_told_again_by_the_same_word_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    store = EventStore(path, ManualClock(float(NOW_S)))
    first = store.add("deploy", ["shop"], once="a1")
    assert store.add("deploy", ["shop"], once="b2").id == 2
    store.close()
    again = EventStore(path, ManualClock(NOW_S + 60.0))
    assert again.add("deploy", ["shop"], once="a1") == first
    assert [again.add("deploy").id for _ in range(2)] == [3, 4], "events without a word are all kept"
    assert again.count == 4
    assert again.remove(1)
    assert again.add("deploy", once="a1").id == 5, "with the event its word is forgotten"


def test_words_are_forgotten_with_the_oldest_events() -> None:
    store = EventStore(None, ManualClock(), events_max=2)
    for number in range(5):
        store.add("e", time_s=number, once=f"w{number}")
    store.add("too old", time_s=0, once="old")
    assert store._file.connection.execute("select count(*) from event_once").fetchone() == (2,)


def test_the_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    store = EventStore(path, ManualClock())
    store.add("deploy", ["shop"])
    store._file.connection.executescript("drop table event_once; pragma user_version = 1;")
    store.close()
    for _ in range(2):
        again = EventStore(path, ManualClock())
        again.add("another", once="a1")
        assert whats(again.find()) == ["deploy", "another"]
        again.close()


def test_whatever_is_too_long_or_no_text_is_kept_as_far_as_it_can_be(store: EventStore) -> None:
    event = store.add("x" * 9999, ["two words", "\udc80", "y" * 999], "\ud800 data", 1 << 60)
    assert len(event.what) == 1024
    assert event.tags == ("two", "words", "?", "y" * 255)
    assert (event.data, event.time_s) == ("? data", 253402300799)
    assert store.get(event.id) == event


def test_what_was_answered_survives_being_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tallystick.events import EventStore;"
        "from tallystick.model.clock import SystemClock;"
        "store = EventStore(Path(sys.argv[1]), SystemClock());"
        "[print(store.add(f'e{n}', ['t']).id, flush=True) for n in range(100_000)]"
    )
    path = tmp_path / FILE_NAME
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        answered = [process.stdout.readline() for _ in range(20)]
        os.kill(process.pid, signal.SIGKILL)
        answered += process.stdout.readlines()
    last = int([line for line in answered if line.endswith(b"\n")][-1])
    kept = [event.id for event in EventStore(path, ManualClock()).find(tags=["t"])]
    assert kept[:last] == list(range(1, last + 1))


def test_a_damaged_file_is_set_aside_and_named(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"no database " * 1000)
    store = EventStore(path, ManualClock(float(NOW_S)))
    assert store.find() == []
    (problem,) = store.problems()
    assert f"{FILE_NAME}.damaged-{NOW_S}" in problem
    assert (tmp_path / f"{FILE_NAME}.damaged-{NOW_S}").exists()


def test_the_file_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    store = EventStore(path, ManualClock())
    store._file.connection.execute("pragma user_version = 99")
    store.close()
    with pytest.raises(StoreError, match="format 99"):
        EventStore(path, ManualClock())


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot open"):
        EventStore(tmp_path / "missing" / FILE_NAME, ManualClock())


def test_a_store_that_is_open_can_be_copied(tmp_path: Path) -> None:
    store = EventStore(tmp_path / FILE_NAME, ManualClock())
    store.add("deploy", ["shop"])
    (tmp_path / "copy").mkdir()
    assert copy_events(tmp_path, tmp_path / "copy") > 0
    assert whats(EventStore(tmp_path / "copy" / FILE_NAME, ManualClock()).find(tags=["shop"])) == ["deploy"]
    assert copy_events(tmp_path / "copy" / "none", tmp_path) == 0


def test_what_dogstatsd_tells_is_kept_when_the_server_ends(store: EventStore) -> None:
    forwarding = Forwarding(store, ManualClock(float(NOW_S)))
    forwarding.start()
    forwarding.note(Told("deploy", "of shop", None, "web1", "error", tags=("app:shop", "v 2")))
    forwarding.note(Told("earlier", "", 5))
    forwarding.stop()
    assert store.find() == [
        Event(2, 5, "earlier"),
        Event(1, NOW_S, "deploy", ("app:shop", "v", "2", "host:web1", "alert_type:error"), "of shop"),
    ]


def test_while_the_disk_refuses_what_is_told_waits(tmp_path: Path) -> None:
    clock = ManualClock(float(NOW_S))
    store = EventStore(tmp_path / FILE_NAME, clock)
    store._file.connection.execute("pragma query_only = on")
    forwarding = Forwarding(store, clock)
    forwarding.note(Told("first", ""))
    forwarding.start()
    forwarding.note(Told("second", ""))
    store._file.connection.execute("pragma query_only = off")
    forwarding.stop()
    assert whats(store.find()) == ["first", "second"]
