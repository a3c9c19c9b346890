"""The agent's doors, as programs of the host find them: real sockets, and whatever is sent to them."""

import contextlib
import logging
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keeping import ManualKeeper

from tallystick.agent.doors import Counts, Doors
from tallystick.agent.doors.reading import CONNECTIONS_MAX
from tallystick.agent.doors.sockets import drops_of
from tallystick.agent.tallies import Tallies
from tallystick.config.doors import Door
from tallystick.model.address import Address
from tallystick.model.clock import SystemClock
from tallystick.model.reason import Reason
from tallystick.native import Slot
from tallystick.native.names import Place

Opening = Callable[..., "House"]


class House:
    """Open doors, and what came in."""

    def __init__(self, *doors: Door) -> None:
        self.tallies = Tallies(SystemClock())
        self.told: list[bytes] = []
        place = Place("prod", "web", "web1")
        self.doors = Doors(doors, self.tallies, SystemClock(), place, ManualKeeper(), self.told.append)
        self.doors.start()

    @property
    def counts(self) -> Counts:
        return self.doors.open[0].counts

    @property
    def address(self) -> Address:
        return self.doors.listening[0]

    def sums(self) -> dict[str, float]:
        """The sum of each name."""
        found: dict[str, float] = {}
        for slot in self.tallies.drain():
            found[slot.name] = found.get(slot.name, 0.0) + (slot.spread[1] if slot.spread else slot.last)
        return found

    def wait(self, seen: int) -> None:
        """Until so many samples have come in."""
        until = time.monotonic() + 10.0
        slots: list[Slot] = []
        while self.counts.seen < seen and time.monotonic() < until:
            slots += self.tallies.drain()
        for slot in slots:
            self.tallies.merge(slot)
        assert self.counts.seen == seen

    def stop(self) -> None:
        self.doors.stop()


@pytest.fixture
def opening() -> Iterator[Opening]:
    """Opens doors; they are closed after the test."""
    houses: list[House] = []

    def make(*doors: Door) -> House:
        houses.append(House(*doors))
        return houses[-1]

    yield make
    for house in houses:
        house.stop()


def door(protocol: str, scheme: str = "tcp") -> Door:
    return Door(protocol=protocol, address=f"{scheme}://127.0.0.1:0")


def connected(address: Address) -> socket.socket:
    return socket.create_connection((address.host, address.port), timeout=10.0)


def said_to(address: Address, text: bytes) -> bytes:
    """What a connection is answered that says something, and no more."""
    with connected(address) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_statsd_datagrams_of_one_line_and_of_many(opening: Opening) -> None:
    house = opening(door("statsd", "udp"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(b"hits:1|c", (house.address.host, house.address.port))
            sender.sendto(b"hits:2|c|@0.5\ntook:20|ms\ntook:30:40|h\n", (house.address.host, house.address.port))
    house.wait(500)
    assert house.sums() == {"hits": 500.0, "took": 9000.0}
    assert (house.counts.taken, house.counts.datagrams) == (500, 200)


def test_what_came_by_statsd_says_so_and_what_did_not_does_not(opening: Opening) -> None:
    house = opening(door("statsd"), door("carbon"))
    lines = (
        b"hits:1|c\ntook:3:4|ms\nlevel:+2|g\nlevel:7|g|T1700000000\nusers:ann|s\n_sc|up|1\n_e{1,1}:a|b\n^1 own:1|c\n"
    )
    assert said_to(house.address, lines) == b""
    assert said_to(house.doors.listening[1], b"load 1 -1\nhits 1 -1\n") == b""
    origins: dict[str, set[str]] = {}
    for slot in house.tallies.drain():
        origins.setdefault(slot.name, set()).add(slot.origin)
    assert origins.pop("load") == {""}
    assert origins.pop("hits") == {"statsd", ""}, "a counter of StatsD's, and a gauge of carbon's"
    names = {"took", "level", "users", "servicecheck.up", "statsd.events", "prod.hosts.web.web1.own"}
    assert origins == {name: {"statsd"} for name in names}


@pytest.mark.parametrize(
    ("protocol", "text", "sums"),
    [
        ("carbon", b"a.b 1.5 -1\nc;k=v 2 -1\r\n", {"a.b": 1.5, "c;k=v": 2.0}),
        ("statsd", b"a:1|c\na:1|c\nb:3|g", {"a": 2.0, "b": 3.0}),
        ("opentsdb", b"put a.b -1 7 z=1 host=x\n", {"a.b;host=x;z=1": 7.0}),
        ("istatd", b"*a.b^x^ 2\nload -1 30 102 1 5 10\n", {"a.b": 2.0, "a.b.x": 2.0, "load": 30.0}),
    ],
)
def test_lines_over_a_connection(opening: Opening, protocol: str, text: bytes, sums: dict[str, float]) -> None:
    house = opening(door(protocol))
    assert said_to(house.address, text) == b""
    assert house.sums() == sums
    assert house.counts.rejected == {}


@pytest.mark.parametrize("piece", [1, 3, 7])
def test_lines_may_come_in_pieces(opening: Opening, piece: int) -> None:
    house = opening(door("carbon"))
    text = b"a 1 -1\nbb 2 -1\r\nccc 3 -1"
    with connected(house.address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(text), piece):
            connection.sendall(text[at : at + piece])
    house.wait(3)
    assert house.sums() == {"a": 1.0, "bb": 2.0, "ccc": 3.0}


def test_opentsdb_answers_what_it_is_asked(opening: Opening) -> None:
    house = opening(door("opentsdb"))
    answers = said_to(house.address, b"version\nput a 1 x\nput a -1 1\nhelp\nstats\nnonsense\nexit\nput b -1 1\n")
    version, fault, help_, received, *_, unknown = answers.decode().splitlines()
    assert version.startswith("tallystick ")
    assert fault == "put: illegal argument: value: put a 1 x"
    assert help_ == "available commands: put version help stats exit"
    assert received == "tallystick.agent.opentsdb.received 2"
    assert unknown == "unknown command: nonsense.  Try `help'."
    assert house.sums() == {"a": 1.0}


def test_unix_sockets_of_datagrams_and_streams(opening: Opening, tmp_path: Path) -> None:
    path, stream_path = tmp_path / "statsd.sock", tmp_path / "stream.sock"
    house = opening(
        Door(protocol="statsd", address=f"unix://{path}", permissions="0622"),
        Door(protocol="statsd", address=f"unixstream://{stream_path}"),
    )
    assert path.stat().st_mode & 0o777 == 0o622
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"hits:1|c\nhits:1|c", str(path))
    house.wait(2)
    frame = b"framed:1|c\nframed:2|c"
    for text in (struct.pack("<I", len(frame)) + frame, b"plain:1|c\n", b"x:1|c"):
        with socket.socket(socket.AF_UNIX) as sender:
            sender.connect(str(stream_path))
            sender.sendall(text)
            sender.shutdown(socket.SHUT_WR)
            assert sender.recv(10) == b""
    assert house.sums() == {"hits": 2.0, "framed": 3.0, "plain": 1.0, "x": 1.0}
    house.doors.stop()
    assert not path.exists()
    again = opening(Door(protocol="statsd", address=f"unix://{path}"))
    assert len(again.doors.listening) == 1


def test_a_socket_file_that_nobody_listens_on_is_replaced_and_other_files_are_not(
    opening: Opening, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stale, other = tmp_path / "stale.sock", tmp_path / "other"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
        gone.bind(str(stale))
    other.write_text("mine")
    house = opening(*(Door(protocol="statsd", address=f"unix://{path}") for path in (stale, other)))
    assert [address.path for address in house.doors.listening] == [str(stale)]
    assert other.read_text() == "mine"
    assert f"cannot listen on unixgram://{other}: another program uses it" in caplog.text


def test_a_port_that_is_taken_is_left_out_with_a_warning(opening: Opening, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        house = opening(Door(protocol="carbon", address=f"tcp://127.0.0.1:{port}"), door("carbon"))
    assert len(house.doors.listening) == 1
    assert f"cannot listen on tcp://127.0.0.1:{port}: another program uses it" in caplog.text


def test_keys_are_placed_below_host_and_cluster_where_they_ask_for_it(opening: Opening) -> None:
    multiplexed = Door(protocol="statsd", address="tcp://127.0.0.1:0", multiplex=True)
    house = opening(multiplexed, door("statsd"))
    lines = b"shop.sold:1|c\nshop.queue:7|g\n^1 shop.a:1|c\n^2 shop.b;k=v:1|c\n^2 shop.c:1|g\n"
    for address in house.doors.listening:
        assert said_to(address, lines) == b""
    assert house.sums() == {
        "prod.hosts.web.web1.shop.sold": 1.0,
        "prod.apps.shop.sold": 1.0,
        "prod.hosts.web.web1.shop.queue": 7.0,
        "prod.hosts.web.web1.shop.a": 2.0,
        "prod.apps.shop.b;k=v": 2.0,
        "prod.apps.shop.c": 2.0,
        "shop.sold": 1.0,
        "shop.queue": 7.0,
    }


def test_events_are_handed_on_and_counted(opening: Opening) -> None:
    house = opening(door("statsd"))
    event = b"_e{6,3}:deploy|1.2|t:info|#app:shop"
    said_to(house.address, event + b"\n_e{9,9}:too short\n")
    assert house.told == [event]
    assert house.sums() == {"statsd.events;app=shop;type=info": 1.0}
    assert house.counts.rejected == {Reason.FIELDS: 1}


def test_what_is_no_good_is_counted_by_its_reason_and_the_last_of_it_is_kept(opening: Opening) -> None:
    house = opening(door("statsd"))
    said_to(house.address, b"".join(b"bad%d:x|c\n" % k for k in range(100)) + b"nothing\ngood:1|c\n" + b"x" * 40_000)
    assert house.counts.rejected == {Reason.VALUE: 100, Reason.FIELDS: 1, Reason.LINE_LONG: 1}
    assert len(house.counts.offenders) == 20
    assert [(one.reason, one.text[:8]) for one in house.counts.offenders][-3:] == [
        (Reason.VALUE, b"bad99:x|"),
        (Reason.FIELDS, b"nothing"),
        (Reason.LINE_LONG, b"xxxxxxxx"),
    ]
    assert house.sums() == {"good": 1.0}


def test_a_line_without_end_does_not_fill_memory(opening: Opening) -> None:
    house = opening(door("carbon"))
    with connected(house.address) as connection:
        for _ in range(50):
            connection.sendall(b"x" * 100_000)
        connection.sendall(b"\na 1 -1\n")
    house.wait(2)
    assert house.counts.rejected == {Reason.LINE_LONG: 1}
    assert house.sums() == {"a": 1.0}


@pytest.mark.parametrize("protocol", ["carbon", "statsd", "opentsdb", "istatd"])
def test_any_bytes_leave_the_door_open(opening: Opening, protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    house = opening(door(protocol))
    noise = random.Random(1)
    pieces = [
        b"put ",
        b"\n",
        b":",
        b"|",
        b"c",
        b"g",
        b"ms",
        b"@",
        b"#",
        b"^1 ",
        b"_e{1,1}:",
        b"1",
        b" ",
        b"-1",
        b"\xff",
        b"*",
    ]
    for _ in range(30):
        said_to(house.address, b"".join(noise.choices(pieces, k=300)) + noise.randbytes(300) + b"\n")
    good = {"carbon": b"ok 1 -1\n", "statsd": b"ok:1|c\n", "opentsdb": b"put ok -1 1\n", "istatd": b"ok 1\n"}
    house.tallies.drain()
    said_to(house.address, b"\n" + good[protocol])
    assert house.sums()["ok"] == 1.0
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_who_never_reads_his_answers_is_hung_up_on(opening: Opening) -> None:
    house = opening(door("opentsdb"))
    with connected(house.address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(OSError, match=r"reset|Broken"):
            for _ in range(20_000):
                connection.sendall(b"put a b " + b"x" * 180 + b"\n" + b"\n".join([b"w" * 200] * 100))
    assert house.counts.hung_up == 1


def test_connections_beyond_the_limit_are_turned_away_and_room_is_made_again(opening: Opening) -> None:
    house = opening(door("carbon"))
    held = [connected(house.address) for _ in range(CONNECTIONS_MAX)]
    try:
        with connected(house.address) as refused:
            assert refused.recv(10) == b""
        assert house.counts.hung_up == 1
    finally:
        for connection in held:
            connection.close()
    said = b""
    until = time.monotonic() + 10.0
    while not (told := house.sums()) and time.monotonic() < until:
        with contextlib.suppress(ConnectionResetError):  # the room of the others is not there at once
            said = said_to(house.address, b"a 1 -1\n")
    assert said == b"" and told


def test_what_was_sent_before_the_end_is_tallied() -> None:
    house = House(door("statsd", "udp"), door("carbon"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, connected(house.doors.listening[1]) as connection:
        for _ in range(1000):
            sender.sendto(b"hits:1|c", (house.address.host, house.address.port))
        connection.sendall(b"a 1 -1\nb 2 -1")
        house.stop()
    dropped = house.counts.dropped
    assert house.sums() == {"hits": 1000.0 - dropped, "a": 1.0, "b": 2.0}


def test_datagrams_that_the_system_dropped_are_found(tmp_path: Path) -> None:
    net = tmp_path / "net"
    net.mkdir()
    row = "  12: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000  0  0 {} 2 0000000000000000 {}\n"
    (net / "udp").write_text("  sl  local_address ...\n" + row.format(77, 0) + row.format(78, 12))
    (net / "udp6").write_text("  sl  local_address ...\n" + row.format(79, 3))
    assert drops_of({78, 79, 80}, tmp_path) == {78: 12, 79: 3}
    assert drops_of({78}, tmp_path / "nowhere") == {}


def test_the_socket_of_a_door_is_in_the_systems_table(opening: Opening) -> None:
    house = opening(door("statsd", "udp"))
    columns = [line.split() for line in Path("/proc/net/udp").read_text(encoding="utf-8").splitlines()[1:]]
    inode = next(int(row[9]) for row in columns if row[1].endswith(f":{house.address.port:04X}"))
    assert drops_of({inode}) == {inode: 0}
