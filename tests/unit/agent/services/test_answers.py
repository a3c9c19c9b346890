"""What services answer, read into numbers: a folder of ``tests/golden/collectors`` a case.

A case holds what a real service answered, and ``points.txt`` with what is read out of it: ``name value`` a line, and
behind what only grows ``counted``. Cases of services that are not packaged are of their makers' documentation
(``nginx/plus``, ``nginx/tengine``).
"""

import contextlib
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.agent.collectors import apache, haproxy, jmx, memcached, mysql, nginx, postgresql, redis
from tallystick.agent.collectors.exec import read_lines
from tallystick.agent.delivery.repeats import number
from tallystick.agent.services import nagios
from tallystick.agent.services.exposition import Scrape
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.munin import Said
from tallystick.agent.services.postgres import Postgres
from tallystick.agent.services.reading import Reading
from tallystick.agent.services.stream import Stream
from tallystick.model.address import Address
from tallystick.model.kind import Kind
from watched import undocumented

GOLDEN = Path(__file__).parents[3] / "golden" / "collectors"
NOW_S = 1_800_000_000.0
BEANS = (
    jmx.Bean(
        mbean="java.lang:type=Compilation", attribute="TotalCompilationTime", name="compilation_ms", kind="counter"
    ),
    jmx.Bean(mbean="java.lang:type=Memory", attribute="HeapMemoryUsage/init", name="heap_at_start_bytes"),
)


def memcached_reading(*texts: str) -> Reading:
    stats, slabs, items = texts
    reading = memcached.read(stats)
    memcached.read_slabs(reading, slabs, items)
    return reading


def mysql_reading(text: str) -> Reading:
    return mysql.read({name: value for name, _, value in (line.partition("\t") for line in text.splitlines())}, [])


def munin_reading(config: str, values: str) -> Reading:
    reading, types = Reading(), Said("plugin", config).types
    for name, kind, value in Said("plugin", values).told(types):
        if kind == "GAUGE":
            reading.levels[name] = value
        else:
            reading.count(name, value)
    return reading


def postgresql_reading(said: str) -> Reading:
    """What is read of a session with a server that says all at once what it once said to the same questions."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(said.encode("latin-1", "replace"))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass

    server = threading.Thread(target=serve)
    server.start()
    try:
        with listener, Stream(Address("tcp", "127.0.0.1", port), 20) as stream:
            session = Postgres(stream, "tallystick", "postgres", "")
            return postgresql.read(postgresql.Asking(session), with_sizes=True)
    finally:
        server.join(20)


def prometheus_reading(text: str) -> Reading:
    reading = Reading()
    for point in Scrape(text, 10_000).points():
        if point.kind is Kind.GAUGE:
            reading.levels[point.name] = point.value
        else:
            reading.count(point.name, point.value)
    return reading


READ: dict[str, tuple[tuple[str, ...], Callable[..., Reading]]] = {
    "apache": (("answer.txt",), apache.read),
    "exec": (("answer.txt",), lambda text: read_lines(text, NOW_S, ("*.growing",))[0]),
    "haproxy": (("stat.txt", "info.txt"), haproxy.read),
    "jmx": (("answer.json",), lambda text: jmx.read(text, BEANS)),
    "memcached": (("stats.txt", "slabs.txt", "items.txt"), memcached_reading),
    "munin": (("config.txt", "values.txt"), munin_reading),
    "mysql": (("answer.txt",), mysql_reading),
    "nagios": (("answer.txt",), nagios.read),
    "nginx": (("answer.txt",), nginx.read_stub),
    "nginx-api": (("connections.json", "requests.json", "zones.json"), nginx.read_api),
    "postgresql": (("session.latin-1",), postgresql_reading),
    "prometheus": (("answer.txt",), prometheus_reading),
    "redis": (("answer.txt",), lambda text: redis.read(text, NOW_S)),
}
"""By the folder: the files of a case, and what reads their texts."""

CASES = sorted(file.parent for file in GOLDEN.glob("*/*/points.txt"))


def told(reading: Reading) -> str:
    """What was read, as ``points.txt`` has it."""
    levels = [f"{name} {number(value)}" for name, value in reading.levels.items()]
    counted = [
        f"{name} {number(value)} counted" for thing in reading.counters.values() for name, value in thing.items()
    ]
    return "".join(f"{line}\n" for line in sorted(levels + counted))


def texts(case: Path) -> list[str]:
    files = [case / name for name in READ[case.parent.name][0]]
    return [file.read_bytes().decode(file.suffix[1:] if file.suffix == ".latin-1" else "utf-8") for file in files]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_an_answer_is_read_as_the_case_says(case: Path) -> None:
    reading = READ[case.parent.name][1](*texts(case))
    assert not undocumented(*names(case, reading))
    assert told(reading) == (case / "points.txt").read_text(encoding="utf-8")


def names(case: Path, reading: Reading) -> tuple[str, list[str]]:
    """The collector of a case, and the names that it read."""
    collector = {"nagios": "exec", "nginx-api": "nginx"}.get(case.parent.name, case.parent.name)
    return collector, [line.split()[0] for line in told(reading).splitlines() if not line.startswith("_")]


def test_each_reader_has_a_case() -> None:
    assert {case.parent.name for case in CASES} == set(READ)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_damaged_answer_is_read_or_refused_and_nothing_else(case: Path) -> None:
    dice = random.Random(7)
    read = READ[case.parent.name][1]
    for _ in range(60):
        damaged = [damage(text, dice) for text in texts(case)]
        try:
            reading = read(*damaged)
        except ServiceError as error:
            assert "cannot " in str(error)
        else:
            told(reading)


@pytest.mark.parametrize("name", sorted(READ))
def test_random_bytes_are_read_or_refused_and_nothing_else(name: str) -> None:
    dice = random.Random(11)
    files, read = READ[name]
    for size in (0, 1, 7, 300, 20_000) * 8:
        answers = [dice.randbytes(size).decode("utf-8", "replace") for _ in files]
        try:
            reading = read(*answers)
        except ServiceError as error:
            assert "cannot " in str(error)
        else:
            told(reading)


@pytest.mark.parametrize("name", sorted(READ))
@pytest.mark.parametrize("piece", ["9", "a", "'", " ", "=", ":", "a=", "{", '"', "\t.", "<Location", "a b", "STAT "])
def test_a_long_answer_of_one_piece_takes_no_longer_than_a_long_answer(name: str, piece: str) -> None:
    files, read = READ[name]
    answer = piece * (400_000 // len(piece))  # were it looked at from each of its places, that would take an hour
    with contextlib.suppress(ServiceError):
        told(read(*[answer] * len(files)))


def damage(text: str, dice: random.Random) -> str:
    """Some bytes changed, cut out, doubled; numbers made huge; or the end missing."""
    data = bytearray(text.encode())
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(data) + 1)
        what = dice.randrange(5)
        if what == 0:
            data[at : at + 1] = dice.randbytes(1)
        elif what == 1:
            del data[at : at + dice.randint(1, 40)]
        elif what == 2:
            data[at:at] = data[max(0, at - 30) : at]
        elif what == 3:
            data[at:at] = b"9" * dice.choice((30, 400, 5000))
        else:
            del data[at:]
    return data.decode("utf-8", "replace")
