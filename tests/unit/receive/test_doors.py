"""Sockets, the way into the store, and the account of it: whatever comes, received = stored + rejected."""

import resource
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tallystick.kernels.packed import padded
from tallystick.kernels.recvmmsg import DatagramBuffers
from tallystick.ledger import Balance, Ledger
from tallystick.model.address import Address
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StartError, StoreError
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.point import Point
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.model.tally import TallyBatch
from tallystick.parse import NameTable, protocols
from tallystick.receive import DatagramDoor, Intake, IntakeLimits, StreamDoor
from tallystick.receive.points import take_points
from tallystick.route import Router
from tallystick.sockets import bind
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000
LINE_BYTES_LIMIT = 1 << 20
"""The most that a config may ask for."""


class FragileStore(MemoryStore):
    """Takes samples until it is told what to raise instead."""

    error: Exception | None = None

    def __init__(self) -> None:
        super().__init__()
        self.refused = threading.Event()

    def append(self, batch: SampleBatch, tallies: TallyBatch | None = None, numbered: Numbered | None = None) -> int:
        if self.error is not None:
            self.refused.set()
            raise self.error
        return super().append(batch, tallies, numbered)


@dataclass
class Way:
    """An intake and what it leads to."""

    store: FragileStore
    ledger: Ledger
    intake: Intake

    def settled(self, lines: int, source: str = "") -> Balance:
        """The balance once so many lines have come in and nothing is in flight."""
        for _ in range(3000):
            for balance in self.ledger.balances():
                if balance.source.startswith(source) and balance.received >= lines and balance.in_flight == 0:
                    return balance
            threading.Event().wait(0.005)
        raise AssertionError(f"never received {lines} lines: {self.ledger.balances()}")

    def arrives(self, name: str, total: float) -> None:
        """Wait until the series has this total."""
        for _ in range(3000):
            if self.total(name) == total:
                return
            threading.Event().wait(0.005)
        raise AssertionError(f"{name} never came to {total}: it is {self.total(name)}")

    def total(self, name: str) -> float:
        ids = self.store.catalog.find(name)
        start_s = NOW_S - 7200
        return float(np.nansum(self.store.read(ids, start_s, NOW_S + 7200, 10, [Statistic.SUM])[Statistic.SUM]))


@pytest.fixture
def way() -> Way:
    clock = ManualClock(float(NOW_S))
    store, ledger, names = FragileStore(), Ledger(clock), NameTable()
    intake = Intake(names, Router(names, store.create), store, ledger, clock, IntakeLimits(3600, 86400))
    return Way(store, ledger, intake)


@pytest.fixture
def carbon(way: Way) -> Iterator[Address]:
    door = StreamDoor(way.intake)
    address = door.open(Address("tcp", "127.0.0.1", 0), protocols()["carbon"](line_bytes_max=1000))
    door.start()
    yield address
    door.stop()


@pytest.fixture
def statsd(way: Way) -> Iterator[DatagramDoor]:
    door = DatagramDoor(way.intake, Address("udp", "127.0.0.1", 0), protocols()["statsd"]())
    door.start()
    yield door
    door.stop()


def connect(address: Address) -> socket.socket:
    return socket.create_connection((address.host, address.port), timeout=10)


def line(name: str, value: float, at_s: int = NOW_S) -> bytes:
    return f"{name} {value} {at_s}\n".encode()


class TestStreams:
    def test_lines_in_pieces_of_any_size_are_whole_again(self, way: Way, carbon: Address):
        text = b"".join(line(f"a.{k % 7}", k) for k in range(300))
        with connect(carbon) as sender:
            sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            at = 0
            for k in range(10_000):
                piece = text[at : at + 1 + k % 13]
                if not piece:
                    break
                sender.sendall(piece)
                at += len(piece)
            balance = way.settled(300)
        assert (balance.stored, balance.rejected, balance.received_bytes) == (300, {}, len(text))
        assert way.total("a.*") == sum(range(300))

    def test_lines_of_many_connections_do_not_mix(self, way: Way, carbon: Address):
        senders = [connect(carbon) for _ in range(40)]
        for part in range(3):
            for k, sender in enumerate(senders):
                whole = line(f"c.{k}", k)
                sender.sendall([whole[:4], whole[4:9], whole[9:]][part])
        way.settled(40)
        assert [way.total(f"c.{k}") for k in range(40)] == [float(k) for k in range(40)]
        for sender in senders:
            sender.close()

    def test_a_bad_line_costs_only_itself(self, way: Way, carbon: Address):
        bad = b"no value\n\xff\x00binary 1 2\na nan 1\n" + b"long." * 300 + b" 1 1\n"
        with connect(carbon) as sender:
            sender.sendall(line("good", 1) + bad + line("good", 2))
            balance = way.settled(6)
        assert balance.stored == 2
        assert sum(balance.rejected.values()) == 4
        assert balance.rejected["line_long"] == 1
        assert way.total("good") == 3.0

    def test_a_sender_that_goes_away_in_mid_line_is_counted(self, way: Way, carbon: Address):
        with connect(carbon) as sender:
            sender.sendall(line("a", 1) + b"half 4")
        balance = way.settled(2)
        assert (balance.stored, balance.rejected) == (1, {"truncated": 1})
        assert [o.text for o in way.ledger.offenders()] == ["half 4"]

    def test_a_line_without_an_end_costs_no_memory_and_only_itself(self, way: Way, carbon: Address):
        with connect(carbon) as sender:
            for _ in range(40):
                sender.sendall(b"x" * 100_000)
            sender.sendall(b"\n" + line("after", 1))
            balance = way.settled(2)
        assert (balance.stored, balance.rejected) == (1, {"line_long": 1})

    def test_an_error_in_the_store_ends_that_connection_and_no_other(self, way: Way, carbon: Address):
        with connect(carbon) as first, connect(carbon) as second:
            way.store.error = RuntimeError("a mistake of ours")
            first.sendall(line("a", 1))
            assert first.recv(1) == b""
            way.store.error = None
            second.sendall(line("b", 2))
            way.arrives("b", 2.0)

    def test_a_port_that_is_taken_is_one_clear_sentence(self, carbon: Address):
        with pytest.raises(StartError, match=rf"cannot listen on {carbon}: another program uses it"):
            bind(carbon, socket.SOCK_STREAM)

    def test_a_socket_file_that_nobody_listens_on_is_replaced(self, way: Way, tmp_path: Path):
        address = Address("unix", path=str(tmp_path / "carbon.sock"))
        bind(address, socket.SOCK_STREAM).close()
        door = StreamDoor(way.intake)
        door.open(address, protocols()["carbon"]())
        door.start()
        with socket.socket(socket.AF_UNIX) as sender:
            sender.connect(address.path)
            sender.sendall(line("a", 3))
            way.settled(1)
        door.stop()
        assert way.total("a") == 3.0
        assert not Path(address.path).exists()


class TestDatagrams:
    def send(self, door: DatagramDoor, *datagrams: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for datagram in datagrams:
                sender.sendto(datagram, (door.address.host, door.address.port))

    def test_every_datagram_is_taken_by_itself(self, way: Way, statsd: DatagramDoor):
        self.send(statsd, *[b"hits:%d|c" % k for k in range(100)], b"hits:1|c\nhits:2|c\n")
        balance = way.settled(102)
        assert (balance.stored, balance.rejected) == (102, {})
        assert way.total("hits") == sum(range(100)) + 3

    def test_the_empty_and_the_largest_datagram_are_taken(self, way: Way, statsd: DatagramDoor):
        lines = b"\n".join(b"big.%06d:1|c" % k for k in range(4000))
        self.send(statsd, b"", b"x" * 65_507, lines[:65_500], b"after:1|c")
        way.settled(3)
        way.arrives("after", 1.0)
        balance = way.settled(3)
        assert balance.received == balance.stored + sum(balance.rejected.values())
        assert balance.stored >= 3_500

    def test_an_error_in_the_store_does_not_end_the_thread(self, way: Way, statsd: DatagramDoor):
        way.store.error = RuntimeError("a mistake of ours")
        self.send(statsd, b"a:1|c")
        assert way.store.refused.wait(10)
        way.store.error = None
        self.send(statsd, b"b:5|c")
        way.arrives("b", 5.0)

    def test_what_the_kernel_dropped_is_counted(self, way: Way):
        door = DatagramDoor(way.intake, Address("udp", "127.0.0.1", 0), protocols()["statsd"]())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            door._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # nobody empties it: not started
            for _ in range(200):
                sender.sendto(b"x" * 1000, (door.address.host, door.address.port))
        door.count_drops()
        assert way.ledger.balances()[0].kernel_drops > 100
        door.stop()


class TestIntake:
    def parse(self, way: Way, text: bytes) -> int | None:
        buffer = padded(text)
        account = way.ledger.account("test")
        parser = protocols()["carbon"]()
        return way.intake.parse_stream(parser, buffer, len(text), account, skipping=False, final=True)[1]

    def test_samples_too_far_ahead_or_too_old_are_rejected_by_name(self, way: Way):
        text = line("a", 1) + line("future", 2, NOW_S + 3700) + line("past", 3, NOW_S - 90_000)
        assert self.parse(way, text) is not None
        balance = way.settled(3)
        assert (balance.stored, balance.rejected) == (1, {"future": 1, "past": 1})
        assert {o.text.split()[0] for o in way.ledger.offenders()} == {"future", "past"}
        assert len(way.store.catalog) == 1, "a sender whose clock is wrong made series"

    def test_a_store_that_takes_nothing_is_a_reason(self, way: Way):
        way.store.error = StoreError("cannot take samples: No space left on device")
        assert self.parse(way, line("a", 1) + line("b", 1)) is None
        assert way.settled(2).rejected == {"store_full": 2}

    def test_a_name_that_is_of_another_kind_is_rejected(self, way: Way):
        account = way.ledger.account("own")
        take_points(way.intake, [Point("a", 1.0, Kind.COUNTER), Point("b", 2.0, Kind.GAUGE)], NOW_S, account)
        take_points(way.intake, [Point("a", 1.0, Kind.GAUGE), Point("b", 3.0, Kind.GAUGE)], NOW_S, account)
        balance = way.settled(4)
        assert (balance.stored, balance.rejected) == (3, {"kind": 1})

    def test_no_points_are_nothing(self, way: Way):
        take_points(way.intake, [], NOW_S, way.ledger.account("own"))
        assert way.ledger.balances()[0].received == 0


class TestReceivingManyAtOnce:
    def pair(self) -> tuple[socket.socket, socket.socket]:
        receiver, sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.settimeout(None)
        return receiver, sender

    def test_all_that_are_there_are_taken_up_to_the_number_of_buffers(self):
        receiver, sender = self.pair()
        buffers = DatagramBuffers.of(4, 100, 8)
        with receiver, sender:
            sent = [b"one", b"", b"x" * 100, b"four", b"five"]
            for datagram in sent:
                sender.send(datagram)
            found = []
            for expected in (4, 1):
                assert buffers.receive(receiver.fileno()) == expected
                for k in range(expected):
                    begin = int(buffers.offsets[k])
                    found.append(buffers.data[begin : begin + int(buffers.lengths[k])].tobytes())
        assert found == sent

    def test_a_datagram_larger_than_its_buffer_is_cut_and_touches_no_other(self):
        receiver, sender = self.pair()
        buffers = DatagramBuffers.of(2, 10, 8)
        buffers.data[:] = 7
        with receiver, sender:
            sender.send(b"a" * 50)
            assert buffers.receive(receiver.fileno()) == 1
        assert buffers.lengths[0] == 10
        assert buffers.data[10:].tobytes() == b"\7" * (len(buffers.data) - 10)

    def test_an_error_is_minus_one(self):
        assert DatagramBuffers.of(2, 10, 8).receive(-1) == -1


class TestLimits:
    def test_points_of_our_own_beyond_the_limit_of_names_cost_only_themselves(self, way: Way):
        names = NameTable(entries_max=2)
        router = Router(names, way.store.create)
        intake = Intake(names, router, way.store, way.ledger, way.intake.clock, IntakeLimits(3600, 86400))
        account = way.ledger.account("own")
        for k in range(3):
            take_points(intake, [Point(name, 1.0, Kind.COUNTER) for name in "abcd"[: k + 2]], NOW_S, account)
        balance = account.snapshot()
        assert (balance.stored, balance.rejected, balance.in_flight) == (6, {"series_limit": 3}, 0)
        assert [way.total(name) for name in "abcd"] == [3.0, 3.0, 0.0, 0.0]

    def test_the_longest_line_that_can_be_configured_is_rejected_and_not_its_sender(self, way: Way):
        door = StreamDoor(way.intake)
        address = door.open(Address("tcp", "127.0.0.1", 0), protocols()["carbon"](line_bytes_max=LINE_BYTES_LIMIT))
        door.start()
        with connect(address) as sender:
            sender.sendall(b"x" * (LINE_BYTES_LIMIT + 100_000) + b"\n" + line("a", 1.0))
            balance = way.settled(2)
        door.stop()
        assert (balance.stored, balance.rejected) == (1, {"line_long": 1})

    def test_connections_leave_descriptors_for_the_store(self, way: Way):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
        door = StreamDoor(way.intake)
        address = door.open(Address("tcp", "127.0.0.1", 0), protocols()["carbon"]())
        door.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        senders = [connect(address) for _ in range(120)]
        refused = [sender for sender in senders[100:] if _is_closed(sender)]
        door.stop()
        for sender in senders:
            sender.close()
        assert len(refused) == 20


def _is_closed(sender: socket.socket) -> bool:
    try:
        return sender.recv(1) == b""
    except ConnectionResetError:
        return True
