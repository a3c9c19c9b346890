"""Who sends and never reads its receipts is hung up on: what waits to be read must not fill our memory."""

import socket
import threading

import pytest

from native_senders import conversation
from posting import House
from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native import messages
from tallystick.native.messages import Slot
from tallystick.parse import protocols
from tallystick.receive import StreamDoor, streams

UNREAD_BYTES_MAX = 256
BATCHES_MAX = 1000


def test_a_sender_that_never_reads_its_receipts_is_hung_up_on_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_UNREAD_BYTES_MAX", UNREAD_BYTES_MAX)
    house = House()
    door = StreamDoor(house.intake)
    address = door.open(Address("tcp", "127.0.0.1", 0), protocols()["native"]())
    # Connections have it from who listens: so little the system keeps for a reader.
    door._listening[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    door.start()
    try:
        with socket.socket() as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            sender.connect((address.host, address.port))
            with pytest.raises(ConnectionError):
                send_without_reading(sender, house)
        (balance,) = house.ledger.balances()
        assert balance.queue_drops == 1
        assert balance.received == balance.stored
    finally:
        door.stop()


def send_without_reading(sender: socket.socket, house: House) -> None:
    """Send batches of one slot, each once the one before was taken: each has a receipt of its own."""
    sender.sendall(conversation("reader", "never", [("a", Kind.GAUGE)]))
    now_ms = int(house.intake.clock.now() * 1000)
    for number in range(1, BATCHES_MAX):
        sender.sendall(messages.framed(messages.batch(number, 1, now_ms, [(0, Slot("", Kind.GAUGE, now_ms, 1.0))])))
        while not gone(sender) and stored(house) < number:
            threading.Event().wait(0.0005)


def stored(house: House) -> int:
    return sum(balance.stored for balance in house.ledger.balances())


def gone(sender: socket.socket) -> bool:
    """Whether the other end hung up; looking reads nothing."""
    return sender.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x01"
