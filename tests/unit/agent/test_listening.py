"""The doors as a part of the agent: what is over is handed on, and what was no good is told."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from keeping import ManualKeeper

from tallystick.agent.doors import Events, Listening
from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.feed import read_report
from tallystick.agent.doors.losses import Losses
from tallystick.cli.verbs import verbs
from tallystick.config.doors import Door
from tallystick.model.clock import ManualClock
from tallystick.native.names import Place


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture
def keeper() -> ManualKeeper:
    return ManualKeeper()


@pytest.fixture
def listening(clock: ManualClock, keeper: ManualKeeper, tmp_path: Path) -> Iterator[Listening]:
    doors = [Door(protocol="statsd", address="tcp://127.0.0.1:0")]
    events = Events("http://127.0.0.1:9", "", tmp_path, clock)
    made = Listening(doors, keeper, clock, Place("prod", "web", "web1"), tmp_path, events)
    events.start()
    made.start()
    yield made
    made.stop()
    events.stop()


def say(listening: Listening, text: bytes) -> None:
    address = listening.doors.listening[0]
    with socket.create_connection((address.host, address.port), 10.0) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(10) == b""


def test_a_slot_is_handed_on_when_it_is_over(listening: Listening, clock: ManualClock, keeper: ManualKeeper) -> None:
    say(listening, b"hits:1|c\nhits:1|c\n")
    assert keeper.slots == []
    clock.advance(10.0)
    until = time.monotonic() + 10.0
    while not keeper.slots and time.monotonic() < until:
        pass
    assert [(slot.name, slot.at_ms, slot.spread and slot.spread[1]) for slot in keeper.slots] == [
        ("hits", 1_700_000_000_000, 2.0)
    ]


def test_what_is_left_at_the_end_is_handed_on_and_what_was_no_good_is_told(
    listening: Listening, keeper: ManualKeeper, tmp_path: Path
) -> None:
    say(listening, b"hits:1|c\nbad\nworse:x|c\n_e{1,0}:a|\n")
    listening.stop()
    assert [slot.name for slot in keeper.slots] == ["statsd.events", "hits"]
    (told,) = read_report(tmp_path).values()
    assert told["rejected"] == {"fields": 1, "value": 1}
    assert [one["text"] for one in told["last"]] == ["bad", "worse:x|c"]
    numbers = {point.name: point.value for point in listening.points()}
    assert numbers["doors.statsd-tcp.taken"] == 2.0
    assert numbers["doors.statsd-tcp.rejected"] == 2.0
    assert numbers["events.waiting"] == 1.0


def test_nothing_is_told_where_all_was_good(listening: Listening, tmp_path: Path) -> None:
    say(listening, b"hits:1|c\n")
    listening.stop()
    assert read_report(tmp_path) == {}


def test_whoever_prints_the_agent_sees_what_was_no_good(listening: Listening, tmp_path: Path) -> None:
    say(listening, b"bad\x1b[31m\nworse:x|c\n")
    listening.stop()
    config = tmp_path / "agent.toml"
    config.write_text(f"[agent]\nspool = '{tmp_path}'\ndiscover = false\ndoors = []\n[[collectors]]\nname = 'load'\n")
    result = CliRunner().invoke(verbs, ["agent", "--print", "--config", str(config)])
    assert result.exit_code == 0, result.output
    head, first, second = result.stderr.strip().splitlines()
    assert head.endswith("rejected 1 fields, 1 value; dropped by the system 0")
    assert first.endswith("bad\\x1b[31m")
    assert second.split()[-2:] == ["value", "worse:x|c"]


@dataclass(frozen=True)
class Counted:
    """A door that was read before."""

    name: str
    counts: Counts


def test_servers_are_told_what_doors_lost_as_a_share_of_slots() -> None:
    counts, native = Counts(taken=900, datagrams=100, dropped=10, refused=10), Counts(taken=5, refused=5)
    losses = Losses([Counted("statsd-udp", counts), Counted("native-tcp", native)])
    assert losses.in_slots(90) == round(90 * (10 + 10 * 910 / 100) / 900)
    assert losses.in_slots(90) == 0
    counts.taken, counts.datagrams = 90_000, 10_000
    counts.dropped += 1
    assert losses.in_slots(90) == 1


def test_nothing_is_lost_again_when_later_datagrams_hold_more() -> None:
    counts = Counts(taken=100, datagrams=100, dropped=10)
    losses = Losses([Counted("statsd-udp", counts)])
    assert losses.in_slots(100) == 10
    for _ in range(3):
        counts.datagrams += 100
        counts.taken += 3000
        assert losses.in_slots(100) == 0


def test_what_was_lost_is_told_though_nothing_came_through() -> None:
    counts = Counts()
    losses = Losses([Counted("statsd-udp", counts)])
    assert losses.in_slots(0) == 0
    counts.dropped = 7
    assert losses.in_slots(0) == 7


def test_an_agent_tells_the_samples_for_which_there_was_no_room(listening: Listening, keeper: ManualKeeper) -> None:
    listening.tallies._names_max = 4
    say(listening, b"".join(b"key%d:1|g\n" % k for k in range(8)))
    listening.stop()
    assert len(keeper.slots) == 4
    assert keeper.lost == 4
