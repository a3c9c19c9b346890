"""A bad line in a datagram costs only itself, a bad datagram only its own lines."""

import socket
import time
from collections.abc import Iterator

import pytest
from balances import Balances

from servers import START_S_MAX, Server

pytestmark = pytest.mark.timeout(START_S_MAX + 60)

DATAGRAM_BYTES_MAX = 65_507
NOW = str(int(time.time()))

# What is sent, the reason it is rejected for, and what the ledger shows of it.
BAD_STATSD = {
    "no value": (b"nothing", "fields", "nothing"),
    "no type": (b"a:1", "fields", "a:1"),
    "no key": (b":1|c", "name_empty", ":1|c"),
    "a key without one good byte": (b"%%%:1|c", "name_empty", "%%%"),
    "binary": (b"\x00\xff\x80\x01:\xfe", "name_empty", "\\x00\\xff\\x80\\x01"),
    "no number": (b"a:x|c", "value", "a:x|c"),
    "nan": (b"a:nan|g", "value_not_finite", "a:nan|g"),
    "inf": (b"a:inf|ms", "value_not_finite", "a:inf|ms"),
    "unknown type": (b"a:1|q", "type", "a:1|q"),
    "rate above one": (b"a:1|c|@2", "rate", "a:1|c|@2"),
    "rate of zero": (b"a:1|c|@0", "rate", "a:1|c|@0"),
    "empty tag": (b"a:1|c|#b:", "tag", "a:1|c|#b:"),
    "an event cut short": (b"_e{5,4}:title|te", "fields", "_e{5,4}:title|te"),
}


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        yield made


@pytest.mark.parametrize("line, reason, shown", BAD_STATSD.values(), ids=BAD_STATSD.keys())
def test_a_bad_statsd_line_costs_only_itself(
    shared_server: Server, sender: socket.socket, line: bytes, reason: str, shown: str
) -> None:
    balances = Balances(shared_server, "statsd udp")
    sender.sendto(b"good.before:1|c\n" + line + b"\ngood.after:1|c", ("127.0.0.1", shared_server.port("statsd udp")))
    balances.wait_for(stored=2, rejected={reason: 1})
    assert shown in shared_server.offenders(reason)[0]


def test_an_empty_datagram_is_nothing_and_stops_nothing(shared_server: Server, sender: socket.socket) -> None:
    balances = {door: Balances(shared_server, door) for door in ("carbon udp", "statsd udp")}
    for door, good in (("carbon udp", f"empty.c 1 {NOW}".encode()), ("statsd udp", b"empty.s:1|c")):
        for datagram in (b"", b"", good, b"", b"\n\n"):
            sender.sendto(datagram, ("127.0.0.1", shared_server.port(door)))
        balances[door].wait_for(stored=1, rejected={})


def test_the_largest_datagram_is_read_to_its_end(shared_server: Server, sender: socket.socket) -> None:
    balances = Balances(shared_server, "statsd udp")
    lines = b"".join(b"large.n%04d:%04d|c\n" % (k, k) for k in range(3400)) + b"bad:x|c\n"
    last = b"large.last:7|c"
    blank = DATAGRAM_BYTES_MAX - len(lines) - len(last)
    sender.sendto(lines + blank * b"\n" + last, ("127.0.0.1", shared_server.port("statsd udp")))
    balances.wait_for(stored=3401, rejected={"value": 1})
    assert shared_server.values("sumSeries(large.n*)") == [sum(range(3400))]
    assert shared_server.values("large.last") == [7.0]


def test_the_largest_datagram_without_a_newline_is_one_long_line(shared_server: Server, sender: socket.socket) -> None:
    balances = Balances(shared_server, "carbon udp")
    address = ("127.0.0.1", shared_server.port("carbon udp"))
    sender.sendto(DATAGRAM_BYTES_MAX * b"x", address)
    sender.sendto(bytes(range(256)) * 200, address)  # 200 newlines part 201 lines of nonsense
    sender.sendto(f"after.large 1 {NOW}".encode(), address)
    balances.wait_for(stored=1, rejected={"line_long": 1, "fields": 201})
