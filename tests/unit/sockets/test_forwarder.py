"""The forwarder against a real TCP server that goes away, comes back and hangs up."""

import socket
from collections.abc import Iterator

import pytest

from line_server import LineServer, line_server
from servers import wait_until
from tallystick.model.address import Address
from tallystick.sockets import Backoff, Forwarder, forwarder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarder, "Backoff", lambda: Backoff(most_s=0.1))


@pytest.fixture
def server() -> Iterator[LineServer]:
    with line_server() as opened:
        yield opened


def test_lines_arrive_in_their_order(server: LineServer) -> None:
    sender = Forwarder(server.address, 1 << 20)
    sender.start()
    expected = [b"a.b %d 60\n" % number for number in range(1000)]
    for line in expected:
        sender.offer(line, 1)
    assert server.wait_for(1000) == expected
    sender.stop()
    standing = sender.standing()
    assert (standing.sent, standing.dropped, standing.waiting, standing.waiting_bytes) == (1000, 0, 0, 0)


def test_what_came_while_the_server_was_away_arrives_once_it_is_back(server: LineServer) -> None:
    server.close()
    sender = Forwarder(server.address, 1 << 20)
    sender.start()
    sender.offer(b"a 1 60\nb 2 60\n", 2)
    sender.offer(b"a 3 70\n", 1)
    wait_until(lambda: sender.is_away, "the server to be missed")
    assert "refused" in sender.standing().error
    server.open()
    assert server.wait_for(3) == [b"a 1 60\n", b"b 2 60\n", b"a 3 70\n"]
    wait_until(lambda: sender.standing().sent == 3, "the last piece to be counted")
    assert not sender.is_away
    assert sender.standing().connected
    sender.stop()
    assert sender.standing().dropped == 0


def test_a_server_that_hangs_up_between_pieces_loses_nothing(server: LineServer) -> None:
    sender = Forwarder(server.address, 1 << 20)
    sender.start()
    for number in range(1, 6):
        sender.offer(b"a %d 60\n" % number, 1)
        server.wait_for(number)
        server.hang_up()
    sender.stop()
    assert server.accepted == 5
    assert sender.standing().sent == 5


def test_beyond_the_limit_the_oldest_gives_way_and_is_counted(server: LineServer) -> None:
    server.close()
    told: list[int] = []
    sender = Forwarder(server.address, 100, told.append)
    for number in range(10):
        sender.offer(b"%019d\n" % number, 1)
    standing = sender.standing()
    assert (standing.waiting, standing.waiting_bytes, standing.dropped, sum(told)) == (5, 100, 5, 5)
    server.open()
    sender.start()
    assert server.wait_for(5) == [b"%019d\n" % number for number in range(5, 10)]
    sender.stop()
    standing = sender.standing()
    assert (standing.sent, standing.dropped, sum(told)) == (5, 5, 5)


def test_a_piece_that_is_under_way_does_not_give_way_and_counts_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts, and reads nothing for a while
        large = b"x" * 99 + b"\n"
        sender = Forwarder(Address("tcp", *listener.getsockname()), 20_000_000)
        sender.start()
        sender.offer(large * 150_000, 150_000)  # more than the system's buffers hold
        connection, _ = listener.accept()
        for _ in range(3):
            sender.offer(large * 100_000, 100_000)
        assert sender.standing().dropped == 300_000
        with connection:
            left = len(large) * 150_000
            while left:
                left -= len(connection.recv(1 << 20))
            wait_until(lambda: sender.standing().sent == 150_000, "the piece to be counted")
            sender.stop()
    assert sender.standing().dropped == 300_000


def test_a_stop_while_the_server_is_away_counts_what_is_lost_and_ends(server: LineServer) -> None:
    server.close()
    told: list[int] = []
    sender = Forwarder(server.address, 1 << 20, told.append)
    sender.start()
    sender.offer(b"a 1 60\n" * 3, 3)
    sender.stop()
    assert sender.standing().dropped == sum(told) == 3


def test_a_stop_sends_what_still_waits(server: LineServer) -> None:
    sender = Forwarder(server.address, 1 << 20)
    for number in range(100):
        sender.offer(b"a %d 60\n" % number, 1)
    sender.start()
    sender.stop(drain_s=20)
    assert len(server.wait_for(100)) == 100
