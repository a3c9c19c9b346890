"""What sensors tallied is merged on its way, answered when it is safe, and counts once whoever is killed."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keeping import ManualKeeper

from native_senders import conversation
from tallystick.agent.doors import Doors, native
from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.lines import Answer
from tallystick.agent.doors.native import Inbox, NativeStream
from tallystick.agent.tallies import Tallies
from tallystick.config.doors import Door
from tallystick.model.address import Address
from tallystick.model.clock import ManualClock, SystemClock
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.native import NativeClient, Slot, messages
from tallystick.native.accumulate import Distinct, bucket_of
from tallystick.native.blocking import Blocking
from tallystick.native.messages import Name
from tallystick.native.names import Place
from tallystick.native.reading import read_batch, read_names, read_origin

NOW_MS = 1_700_000_000_000
NAMED = [("hits", Kind.COUNTER), ("took", Kind.TIMING), ("users", Kind.SET), ("load", Kind.GAUGE)]
HITS = Slot("hits", Kind.COUNTER, NOW_MS, 1.0, (3.0, 4.0, 0.5, 1.0, 2.0))
TOOK = Slot(
    "took", Kind.TIMING, NOW_MS, 30.0, (2.0, 50.0, 50.0, 20.0, 30.0), [(bucket_of(20.0), 1.0), (bucket_of(30.0), 1.0)]
)


class Bench:
    """A door without a socket."""

    def __init__(self, keeper: ManualKeeper | None = None) -> None:
        self.keeper = keeper or ManualKeeper()
        self.counts = Counts()
        self.soon: list[Callable[[], object]] = []
        self.inbox = Inbox(self.keeper, ManualClock(), self.soon.append)
        self.sent: list[bytes] = []

    def stream(self) -> NativeStream:
        return NativeStream(self.inbox, self.counts, self.sent.append)

    def hand_on(self) -> None:
        self.inbox.hand_on()
        while self.soon:
            self.soon.pop(0)()


def sketch_of(*members: bytes) -> bytes:
    distinct = Distinct()
    for member in members:
        distinct.add(member)
    return distinct.sketch()


def batch(number: int, *slots: tuple[int, Slot]) -> bytes:
    return messages.batch(number, len(slots), NOW_MS, slots)


def test_a_batch_is_answered_when_it_is_safe_and_not_before() -> None:
    bench = Bench(ManualKeeper(is_quick=False))
    answer = bench.stream().feed(conversation("shop", "r1", NAMED, batch(1, (0, HITS)), batch(4, (0, HITS))), NOW_MS)
    assert answer == Answer(messages.framed(messages.welcome(1 << 20)))
    bench.hand_on()
    assert bench.sent == []
    bench.keeper.make_safe()
    bench.hand_on()
    assert bench.sent == [messages.framed(messages.taken(4))]
    assert bench.keeper.cursors == {"native:shop/r1": "4"}
    (slot,) = bench.keeper.slots
    assert slot == Slot("hits", Kind.COUNTER, NOW_MS, 1.0, (6.0, 8.0, 1.0, 1.0, 2.0))


def test_slots_of_many_processes_become_one() -> None:
    bench = Bench()
    for k in range(5):
        users = Slot("users", Kind.SET, NOW_MS, 2.0, sketch=sketch_of(b"ann", b"user%d" % k))
        text = conversation("shop", f"r{k}", NAMED, batch(1, (0, HITS), (1, TOOK), (2, users)))
        bench.stream().feed(text, NOW_MS)
    bench.hand_on()
    hits, took, users = bench.keeper.slots
    assert hits.spread is not None and hits.spread[:2] == (15.0, 20.0)
    assert took.buckets == [(bucket_of(20.0), 5.0), (bucket_of(30.0), 5.0)]
    assert users.last == 6.0
    assert bench.counts.taken == 15


def test_a_number_that_was_taken_counts_nothing_also_after_a_restart() -> None:
    bench = Bench()
    bench.stream().feed(conversation("shop", "r1", NAMED, batch(1, (0, HITS)), batch(2, (0, HITS))), NOW_MS)
    bench.hand_on()
    again = Bench(ManualKeeper(bench.keeper.records))
    answer = again.stream().feed(
        conversation("shop", "r1", NAMED, batch(2, (0, HITS), (0, HITS)), batch(3, (0, HITS))), NOW_MS
    )
    assert answer.text.endswith(messages.framed(messages.taken(2)))
    again.hand_on()
    assert again.counts.rejected == {Reason.DUPLICATE: 2}
    assert [slot.spread for slot in again.keeper.slots] == [(6.0, 8.0, 1.0, 1.0, 2.0), HITS.spread]


def test_what_was_not_safe_at_a_kill_is_sent_and_counted_again() -> None:
    bench = Bench(ManualKeeper(is_quick=False))
    text = conversation("shop", "r1", NAMED, batch(1, (0, HITS)))
    bench.stream().feed(text, NOW_MS)
    bench.hand_on()
    again = Bench(ManualKeeper(bench.keeper.records))
    again.stream().feed(text, NOW_MS)
    again.hand_on()
    assert [slot.spread for slot in again.keeper.slots] == [HITS.spread]


def test_a_sender_without_a_run_is_taken_and_not_answered() -> None:
    bench = Bench()
    bench.stream().feed(conversation("shop", "", NAMED, batch(0, (0, HITS)), batch(0, (0, HITS))), NOW_MS)
    bench.hand_on()
    assert (bench.counts.taken, bench.sent, bench.keeper.cursors) == (2, [], {})


def test_what_a_sender_had_to_give_up_is_told() -> None:
    bench = Bench()
    told = messages.batch(1, 10, NOW_MS, [(0, HITS)], blocked=3)
    bench.stream().feed(conversation("shop", "r1", NAMED, told), NOW_MS)
    bench.hand_on()
    assert bench.keeper.lost == 6


def test_while_the_disk_is_full_slots_are_merged_on_and_nobody_is_answered() -> None:
    bench = Bench()
    bench.keeper.is_writable = False
    bench.stream().feed(conversation("shop", "r1", NAMED, batch(1, (0, HITS))), NOW_MS)
    bench.hand_on()
    bench.stream().feed(conversation("shop", "r1", NAMED, batch(1, (0, HITS)), batch(2, (0, HITS))), NOW_MS)
    bench.hand_on()
    assert (bench.keeper.records, bench.sent) == ([], [])
    bench.keeper.is_writable = True
    bench.hand_on()
    assert bench.keeper.cursors == {"native:shop/r1": "2"}
    assert [slot.spread for slot in bench.keeper.slots] == [(6.0, 8.0, 1.0, 1.0, 2.0)]


def test_what_finds_no_room_stays_with_its_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "SLOTS_MAX", 3)
    bench = Bench()
    bench.keeper.is_writable = False
    first, second = batch(1, (0, HITS), (1, TOOK)), batch(2, (1, TOOK), (3, Slot("load", Kind.GAUGE, NOW_MS, 1.0)))
    answer = bench.stream().feed(conversation("shop", "r1", NAMED, first, second), NOW_MS)
    assert answer.leaving and (bench.counts.taken, bench.counts.refused) == (2, 0)
    bench.keeper.is_writable = True
    bench.hand_on()
    assert not bench.stream().feed(conversation("shop", "r1", NAMED, first, second), NOW_MS).leaving
    bench.hand_on()
    assert bench.keeper.cursors == {"native:shop/r1": "2"}
    assert sorted(slot.name for slot in bench.keeper.slots) == ["hits", "load", "took", "took"]


def test_slots_that_cannot_be_cost_only_themselves() -> None:
    bench = Bench()
    wrong = [
        (0, HITS._replace(spread=(0.0, 4.0, 0.5, 1.0, 2.0))),
        (0, HITS._replace(spread=(3.0, 4.0, -0.5, 1.0, 2.0))),
        (0, HITS._replace(spread=(3.0, 4.0, 0.5, 3.0, 2.0))),
        (0, HITS._replace(last=float("nan"))),
        (0, HITS._replace(buckets=[(40_000, 1.0)])),
        (0, HITS._replace(sketch=sketch_of(b"a"))),
        (1, TOOK._replace(buckets=[(40_001, 1.0), (40_000, 1.0)])),
        (1, TOOK._replace(buckets=[(1_000_000, 1.0)])),
        (1, TOOK._replace(buckets=[(40_001, 0.0)])),
        (2, Slot("users", Kind.SET, NOW_MS, 1.0)),
        (2, Slot("users", Kind.SET, NOW_MS, 1.0, sketch=b"no sketch at all")),
        (4, Slot("bad name", Kind.GAUGE, NOW_MS, 1.0)),
    ]
    named = [*NAMED, ("bad name", Kind.GAUGE)]
    answer = bench.stream().feed(conversation("shop", "r1", named, batch(1, *wrong, (0, HITS))), NOW_MS)
    bench.hand_on()
    assert not answer.leaving
    assert bench.counts.rejected == {Reason.VALUE: 11, Reason.NAME_BYTES: 1}
    assert [slot.spread for slot in bench.keeper.slots] == [HITS.spread]


def test_what_is_said_of_names_is_handed_on_and_what_is_not_wanted_is_told() -> None:
    bench = Bench()
    name = Name("took", Kind.TIMING, "ms", "team-x", "Time of a request", "> 500")
    stream = bench.stream()
    frames = messages.framed(messages.hello("shop", "r1")) + messages.framed(messages.names(0, [name]))
    stream.feed(frames, NOW_MS)
    assert bench.keeper.described == [name]
    bench.keeper.block(Blocking(3, ["took*"]))
    bench.hand_on()
    told = messages.framed(messages.blocked(3, ["took*"]))
    assert bench.sent == [told]
    assert bench.stream().feed(frames, NOW_MS).text == messages.framed(messages.welcome(1 << 20)) + told


def test_where_slots_came_from_is_handed_on() -> None:
    bench = Bench()
    stream = bench.stream()
    stream.feed(conversation("web2", "r1", NAMED, messages.origin("statsd", [1, 0]), batch(1, (0, HITS))), NOW_MS)
    bench.stream().feed(conversation("shop", "r1", NAMED, batch(1, (0, HITS), (3, HITS))), NOW_MS)
    bench.hand_on()
    assert {slot.name: slot.origin for slot in bench.keeper.slots} == {"hits": "statsd", "load": ""}
    assert stream.feed(messages.framed(messages.origin("statsd", [4])), NOW_MS).leaving, "there is no such name"


def test_another_version_is_told_ours() -> None:
    bench = Bench()
    hello = bytearray(messages.hello("shop", "r1"))
    hello[2] ^= 0xFF
    assert bench.stream().feed(messages.framed(bytes(hello)), NOW_MS).leaving
    assert bench.sent == [messages.framed(messages.welcome(1 << 20))]


@given(st.integers(1, 400), st.binary(min_size=1, max_size=8), st.integers(1, 50))
def test_bytes_that_cannot_be_read_end_the_connection_and_take_nothing_of_their_frame(
    at: int, noise: bytes, piece: int
) -> None:
    text = conversation("shop", "r1", NAMED, batch(1, (0, HITS), (1, TOOK)), batch(2, (3, HITS)))
    spoilt = text[:at] + noise + text[at + len(noise) :]
    bench, leaving = Bench(), False
    stream = bench.stream()
    for begin in range(0, len(spoilt), piece):
        leaving = leaving or stream.feed(spoilt[begin : begin + piece], NOW_MS).leaving
        if leaving:
            break
    stream.end(NOW_MS)
    is_whole = spoilt.startswith(text)
    assert bench.counts.taken in ({3} if is_whole else {0, 2})
    assert is_whole or leaving or Reason.TRUNCATED in bench.counts.rejected


@given(st.binary(max_size=60))
def test_any_message_is_read_or_refused(message: bytes) -> None:
    named = [Name("a", Kind.GAUGE)]
    for read in (
        lambda: read_names(message, 0),
        lambda: read_origin(message, 0, len(named)),
        lambda: read_batch(message, 0, named),
    ):
        try:
            read()
        except ValueError as error:
            assert str(error)


@pytest.fixture
def doors() -> Iterator[tuple[Doors, ManualKeeper]]:
    keeper = ManualKeeper()
    opened = Doors(
        [Door(protocol="native", address="tcp://127.0.0.1:0")],
        Tallies(SystemClock()),
        SystemClock(),
        Place("prod", "web", "web1"),
        keeper,
    )
    opened.start()
    yield opened, keeper
    opened.stop()


def test_a_client_is_answered_over_a_socket(doors: tuple[Doors, ManualKeeper]) -> None:
    opened, keeper = doors
    client = NativeClient(opened.listening[0], "shop")
    client.start()
    for _ in range(3):
        client.offer([HITS, TOOK])
    assert client.wait_acknowledged(10.0)
    client.stop()
    assert sum(slot.spread[1] for slot in keeper.slots if slot.spread and slot.name == "hits") == 12.0
    assert client.counts.acknowledged == 6


def test_a_connection_that_breaks_is_forgotten(doors: tuple[Doors, ManualKeeper]) -> None:
    opened, _ = doors
    address: Address = opened.listening[0]
    with socket.create_connection((address.host, address.port), 10.0) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(100) == b""
    until = time.monotonic() + 10.0
    while not opened.open[0].counts.rejected and time.monotonic() < until:
        pass
    assert opened.open[0].counts.rejected == {Reason.FRAME_LONG: 1}
