"""The forwarder against a real TCP server that goes away, comes back and hangs up."""

import pytest
from door import Door

from tallystick.agent.delivery import forward
from tallystick.agent.delivery.forward import Forwarder
from tallystick.sockets import Backoff


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "Backoff", lambda: Backoff(most_s=0.1))


def test_lines_arrive_in_their_order(door: Door) -> None:
    forwarder = Forwarder(door.address, 1 << 20)
    forwarder.start()
    expected = [b"a.b %d 60\n" % number for number in range(1000)]
    for line in expected:
        forwarder.offer(line)
    assert door.wait_for(1000) == expected
    forwarder.stop()
    assert (forwarder.counts.given, forwarder.counts.sent, forwarder.counts.dropped) == (1000, 1000, 0)


def test_what_came_while_the_server_was_away_arrives_once_it_is_back(door: Door) -> None:
    door.close()
    forwarder = Forwarder(door.address, 1 << 20)
    forwarder.start()
    forwarder.offer(b"a 1 60\nb 2 60\n")
    forwarder.offer(b"a 3 70\n")
    door.open()
    assert door.wait_for(3) == [b"a 1 60\n", b"b 2 60\n", b"a 3 70\n"]
    forwarder.stop()
    assert forwarder.counts.dropped == 0


def test_a_server_that_hangs_up_between_chunks_loses_nothing(door: Door) -> None:
    forwarder = Forwarder(door.address, 1 << 20)
    forwarder.start()
    for number in range(1, 6):
        forwarder.offer(b"a %d 60\n" % number)
        door.wait_for(number)
        door.hang_up()
    forwarder.stop()
    assert forwarder.counts.connects == 5
    assert forwarder.counts.sent == 5


def test_beyond_the_limit_the_oldest_is_dropped_and_counted(door: Door) -> None:
    door.close()
    forwarder = Forwarder(door.address, 100)
    for number in range(10):
        forwarder.offer(b"%019d\n" % number)
    assert forwarder.counts.dropped == 5
    door.open()
    forwarder.start()
    assert door.wait_for(5) == [b"%019d\n" % number for number in range(5, 10)]
    forwarder.stop()
    counts = forwarder.counts
    assert counts.given == counts.sent + counts.dropped == 10


def test_a_stop_while_the_server_is_away_counts_what_is_lost_and_ends(door: Door) -> None:
    door.close()
    forwarder = Forwarder(door.address, 1 << 20)
    forwarder.start()
    forwarder.offer(b"a 1 60\n" * 3)
    forwarder.stop()
    assert forwarder.counts.dropped == 3
    door.open()


def test_a_stop_sends_what_is_still_buffered(door: Door) -> None:
    forwarder = Forwarder(door.address, 1 << 20)
    for number in range(100):
        forwarder.offer(b"a %d 60\n" % number)
    forwarder.start()
    forwarder.stop(drain_s=20)
    assert len(door.wait_for(100)) == 100
