"""One sender cannot slow another by more than its share: connections take turns, and datagrams have their peers."""

import contextlib
import socket
import threading

import numpy as np
from numpy.typing import NDArray

from tallystick.ledger import Account, Ledger
from tallystick.model.address import Address
from tallystick.model.clock import ManualClock
from tallystick.parse import NameTable, Parsed, Parser, protocols
from tallystick.receive import DatagramDoor, Intake, IntakeLimits, StreamDoor
from tallystick.receive.streams import TURN_BYTES_MIN
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000
TURN_BYTES = 1 << 14


class WatchedIntake(Intake):
    """Remembers whose turn it was."""

    def __init__(self, names: NameTable, store: MemoryStore, clock: ManualClock) -> None:
        router = Router(names, store.create)
        super().__init__(names, router, store, Ledger(clock), clock, IntakeLimits(3600, 86_400))
        self.turns: list[str] = []
        self.lengths: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def parse_stream(
        self, parser: Parser, buffer: NDArray[np.uint8], length: int, account: Account, *, skipping: bool, final: bool
    ) -> tuple[Parsed, int | None]:
        self.gate.wait(30)
        self.turns.append(account.source)
        self.lengths.append(length)
        return super().parse_stream(parser, buffer, length, account, skipping=skipping, final=final)


def intake() -> WatchedIntake:
    return WatchedIntake(NameTable(), MemoryStore(), ManualClock(float(NOW_S)))


def settled(made: Intake, received: int) -> None:
    for _ in range(3000):
        if sum(balance.received for balance in made.ledger.balances()) >= received:
            return
        threading.Event().wait(0.005)
    raise AssertionError(f"never received {received}: {made.ledger.balances()}")


def test_who_has_much_to_send_waits_until_the_others_had_their_turn():
    made = intake()
    door = StreamDoor(made)
    door.turn_bytes_max = TURN_BYTES
    addresses = [door.open(Address("tcp", "127.0.0.1", 0), protocols()["carbon"]()) for _ in range(2)]
    line = f"a.b 1 {NOW_S}\n".encode()
    # Both have all of it in the sockets before anybody reads, so whose turn it is depends on the door alone.
    lines = [15 * TURN_BYTES // len(line), 4 * TURN_BYTES // len(line)]
    with contextlib.ExitStack() as senders:
        made.gate.clear()
        door.start()
        for address, count in zip(addresses, lines, strict=True):
            sender = senders.enter_context(socket.create_connection((address.host, address.port), timeout=10))
            sender.sendall(line * count)
        made.gate.set()
        settled(made, sum(lines))
    door.stop()
    much, little = (f"carbon {address}" for address in addresses)
    turns = made.turns
    assert turns.count(much) >= 15
    assert turns.count(little) >= 4
    until_little_is_done = len(turns) - turns[::-1].index(little)
    both = turns[turns.index(little) : until_little_is_done]
    assert both.count(much) <= both.count(little) + 1, turns


def test_who_is_new_begins_with_a_short_turn_and_has_longer_ones_as_they_turn_out_cheap():
    made = intake()
    door = StreamDoor(made)
    address = door.open(Address("tcp", "127.0.0.1", 0), protocols()["carbon"]())
    text = (b"a" * 8000 + b"\n") * 100  # names that are too long: nothing is cheaper
    door.start()
    with socket.create_connection((address.host, address.port), timeout=10) as sender:
        sender.sendall(text)
        settled(made, text.count(b"\n"))
    door.stop()
    assert made.lengths[0] <= TURN_BYTES_MIN
    assert max(made.lengths) > 2 * TURN_BYTES_MIN


def test_lines_that_cost_much_are_read_fewer_at_a_time():
    made = intake()
    door = StreamDoor(made)
    address = door.open(Address("tcp", "127.0.0.1", 0), protocols()["carbon"]())
    # Numbers of very many digits are read by Python, one by one.
    line = b"a.b 0.1234567890123456789012345678901234567890e-5 %d\n" % NOW_S
    text = line * (2_000_000 // len(line))
    door.start()
    with socket.create_connection((address.host, address.port), timeout=10) as sender:
        sender.sendall(text)
        settled(made, text.count(b"\n"))
    door.stop()
    assert sum(balance.stored for balance in made.ledger.balances()) == text.count(b"\n")


def test_datagrams_are_counted_for_the_host_that_they_came_from():
    made = intake()
    door = DatagramDoor(made, Address("udp", "127.0.0.1", 0), protocols()["statsd"]())
    with contextlib.ExitStack() as senders:
        for k, host in enumerate(("127.0.0.1", "127.0.0.2", "127.0.0.3")):
            sender = senders.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sender.bind((host, 0))
            for n in range(k + 1):
                sender.sendto(b"n%d:1|c\nbad" % n, (door.address.host, door.address.port))
        door.start()
        settled(made, 12)
    door.stop()
    peers = {peer.peer: peer for peer in made.ledger.peers(f"statsd {door.address}") if peer.received}
    assert {name: peer.received for name, peer in peers.items()} == {"127.0.0.1": 2, "127.0.0.2": 4, "127.0.0.3": 6}
    assert all(peer.rejected == {"fields": peer.received // 2} for peer in peers.values())
    assert {offender.peer for offender in made.ledger.offenders()} == set(peers)


def test_hosts_beyond_those_that_are_told_apart_are_the_others():
    made = intake()
    made.ledger.peers_max = 2
    door = DatagramDoor(made, Address("udp", "127.0.0.1", 0), protocols()["statsd"]())
    with contextlib.ExitStack() as senders:
        for k in range(1, 6):
            sender = senders.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sender.bind((f"127.0.0.{k}", 0))
            sender.sendto(b"n:1|c", (door.address.host, door.address.port))
        door.start()
        settled(made, 5)
    door.stop()
    peers = made.ledger.peers(f"statsd {door.address}")
    assert {peer.peer: peer.received for peer in peers if peer.received} == {"127.0.0.1": 1, "127.0.0.2": 1, "other": 3}
