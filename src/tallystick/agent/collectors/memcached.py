"""memcached by ``stats``: ``memcached.commands.get``, ``memcached.get.hit_percent`` ...; and what is counted in it.

What an application counts by ``incr`` is there for whoever knows the key: ``counters`` lists the keys of those that
only grow (told per second), ``gauges`` those of levels. Those that run here are found.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

from tallystick.agent.collecting.collector import Found, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host, Surroundings
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.finding import Candidate, answering, by_path, by_port, near, option
from tallystick.agent.services.reading import Looks, Metric, Ratio, Reading, number
from tallystick.agent.services.settings import SocketAddress, SocketSettings
from tallystick.agent.services.stream import Stream
from tallystick.config.table import key
from tallystick.model.point import Point
from tallystick.native.names import dotted

METRICS = (
    Metric("uptime_s", "uptime", "Seconds since it was started"),
    Metric("connections.open", "curr_connections", "Connections"),
    Metric("connections.max", "max_connections", "Connections that there may be"),
    Metric("connections.accepted", "total_connections", "Connections, per second", rate=True),
    Metric("connections.rejected", "rejected_connections", "Connections refused for want of room", rate=True),
    Metric("commands.get", "cmd_get", "Keys asked for, per second", rate=True),
    Metric("commands.set", "cmd_set", "Keys set, per second", rate=True),
    Metric("commands.touch", "cmd_touch", "Keys touched, per second", rate=True),
    Metric("commands.flush", "cmd_flush", "Times that everything was thrown away, per second", rate=True),
    Metric("get.hits", "get_hits", "Keys found, per second", rate=True),
    Metric("get.misses", "get_misses", "Keys not found, per second", rate=True),
    Metric("get.expired", "get_expired", "of these: their time was over", rate=True),
    Metric("delete.hits", "delete_hits", "Keys deleted, per second", rate=True),
    Metric("incr.hits", "incr_hits", "Counters raised, per second", rate=True),
    Metric("incr.misses", "incr_misses", "Counters to be raised that were not there, per second", rate=True),
    Metric("decr.hits", "decr_hits", "Counters lowered, per second", rate=True),
    Metric("cas.hits", "cas_hits", "Keys set that were as they had been read, per second", rate=True),
    Metric("cas.conflicts", "cas_badval", "Keys not set as somebody else had, per second", rate=True),
    Metric("received_bytes", "bytes_read", "Bytes of clients, per second", rate=True),
    Metric("sent_bytes", "bytes_written", "Bytes to clients, per second", rate=True),
    Metric("memory.used_bytes", "bytes", "Memory of items"),
    Metric("memory.max_bytes", "limit_maxbytes", "Memory that items may take"),
    Metric("items.stored", "curr_items", "Items"),
    Metric("items.added", "total_items", "Items stored, per second", rate=True),
    Metric("items.evicted", "evictions", "Items thrown out for want of memory, per second", rate=True),
    Metric("items.expired_unread", "expired_unfetched", "Items never read before their time was over", rate=True),
    Metric("items.reclaimed", "reclaimed", "Items whose room was taken as their time was over", rate=True),
    Metric("cpu.user_percent", "rusage_user", "Processor time, of one core", rate=True, scale=100),
    Metric("cpu.system_percent", "rusage_system", "Processor time in the kernel, of one core", rate=True, scale=100),
    Metric("threads", "threads", "Threads that serve"),
)
USED = Metric("memory.used_percent", "bytes", "Memory of items, of what they may take")
RATIOS = (Ratio("get.hit_percent", ("get.hits",), ("get.hits", "get.misses"), "Keys found, of those asked for"),)
SLABS = (
    Metric("slab.<bytes>.pages", "total_pages", "Pages of the chunks of a size"),
    Metric("slab.<bytes>.used", "used_chunks", "Chunks that hold an item"),
    Metric("slab.<bytes>.free", "free_chunks", "Chunks that hold none"),
    Metric("slab.<bytes>.evicted", "evicted", "Items of a size thrown out for want of memory, per second", rate=True),
)
COUNTERS = Metric("counters.<key>", "counters", "A counter of an application, per second", rate=True)
GAUGES = Metric("gauges.<key>", "gauges", "A level that an application keeps")

_PORT = "11211"
_USUAL = ("/run/memcached/memcached.sock", "/var/run/memcached/memcached.sock")
_SLABS_MAX = 64
_LINES_MAX = 5000
_KEYS_MAX = 1000
_VALUE_BYTES_MAX = 1 << 16
_STAT = re.compile(r"STAT (\S+) (.*)", re.ASCII)
_SLAB = re.compile(r"(?:items:)?(\d{1,4}):(\w+)", re.ASCII)
_HOST_PORT = re.compile(r"(\[[^\]]*\]|[^:]*):(\d+)", re.ASCII)
_HEAD = re.compile(rb"VALUE (\S+) \d+ (\d{1,9})(?: \d+)?")


def _keys(keys: tuple[str, ...]) -> None:
    for text in keys:
        if not 0 < len(text.encode()) <= 250 or any(c.isspace() or not c.isprintable() for c in text):
            raise ValueError(f"{text!r} is no key of memcached; expected up to 250 bytes without blanks")


class Settings(SocketSettings, frozen=True):
    """A memcached that is asked."""

    address: SocketAddress = "tcp://127.0.0.1:11211"
    user: Annotated[str, key("Sent with the password, for those that were started with an auth-file.")] = ""
    slabs: Annotated[bool, key("Whether the chunks of each size are told.")] = False
    counters: Annotated[
        tuple[str, ...], key("Keys of counters that applications keep there.", _keys, max_length=_KEYS_MAX)
    ] = ()
    gauges: Annotated[
        tuple[str, ...], key("Keys of levels that applications keep there.", _keys, max_length=_KEYS_MAX)
    ] = ()


@collector("memcached", Settings)
class Memcached(Service[Settings]):
    """What a server tells of itself, and what applications count in it."""

    TELLS = (*METRICS, USED, *RATIOS, *SLABS, COUNTERS, GAUGES)

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)

    @classmethod
    def discover(cls, around: Surroundings) -> Iterator[Found[Settings]]:
        """By the options that processes were started with."""
        return answering(cls, around, candidates(around), lambda place: Settings(address=place))

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        settings = self.settings
        with settings.connected(self.limit_s) as stream:
            if password := settings.password:
                sign_in(stream, settings.user, password)
            reading = read(asked(stream, "stats"))
            if settings.slabs:
                read_slabs(reading, asked(stream, "stats slabs"), asked(stream, "stats items"))
            read_keys(reading, values(stream, settings.counters), values(stream, settings.gauges))
        yield from self._looks.points(reading, monotonic_s)


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """All that run; one with a socket is called by it."""
    for process in around.running("memcached"):
        file = option(process, "-s", "--unix-socket")
        host, port = _listened(option(process, "-l", "--listen"), option(process, "-p", "--port") or _PORT)
        if file.startswith("/"):
            yield Candidate(process.pid, f"unix://{file}", by_path(file, *_USUAL))
        elif port.isdigit() and int(port):
            for place in near(host, port):
                yield Candidate(process.pid, f"tcp://{place}", by_port(port, _PORT))


def _listened(told: str, port: str) -> tuple[str, str]:
    """Host and port of the first of ``10.0.0.5:11212,127.0.0.1``."""
    first = told.partition(",")[0]
    found = _HOST_PORT.fullmatch(first)
    return (found[1], found[2]) if found else (first, port)


def sign_in(stream: Stream, user: str, password: str) -> None:
    """Say who we are, as those that were started with ``-Y`` want it."""
    said = f"{user} {password}".encode()
    stream.send(b"set auth 0 0 %d\r\n%s\r\n" % (len(said), said))
    if (line := stream.line()) != b"STORED":
        raise ServiceError(f"cannot sign in at {stream.address}: it answers {line[:40]!r}; expected STORED")


def asked(stream: Stream, command: str) -> str:
    """The lines of an answer of statistics."""
    stream.send(f"{command}\r\n".encode())
    lines: list[str] = []
    while (line := stream.line()) != b"END":
        if not line.startswith(b"STAT ") or len(lines) >= _LINES_MAX:
            raise ServiceError(f"cannot ask {stream.address} for {command}: it answers {line[:40]!r}; expected STAT")
        lines.append(line.decode("utf-8", "replace"))
    return "\n".join(lines)


def values(stream: Stream, keys: Sequence[str]) -> dict[str, str]:
    """What is kept under keys; of those that are not there nothing."""
    found: dict[str, str] = {}
    for first in range(0, len(keys), 50):
        stream.send(f"get {' '.join(keys[first : first + 50])}\r\n".encode())
        while (line := stream.line()) != b"END":
            head = _HEAD.fullmatch(line)
            if not head or int(head[2]) > _VALUE_BYTES_MAX:
                raise ServiceError(f"cannot read {stream.address}: it answers {line[:40]!r}; expected a small VALUE")
            data = stream.exactly(int(head[2]) + 2)[:-2]
            found[head[1].decode("utf-8", "replace")] = data.decode("utf-8", "replace")
    return found


def read(stats: str) -> Reading:
    """What ``stats`` says, ``STAT name value`` a line."""
    fields = {found[1]: found[2] for line in stats.splitlines() if (found := _STAT.fullmatch(line))}
    if "uptime" not in fields:
        raise ServiceError("cannot read memcached: its answer does not tell its uptime; expected that of stats")
    # Since two may have the same process id, one after the other in containers, the id is not enough.
    began = number(fields.get("time", "")), number(fields["uptime"])
    reading = Reading(f"{fields.get('pid')} {round(((began[0] or 0) - (began[1] or 0)) / 10)}")
    reading.take(METRICS, fields)
    if room := reading.levels.get("memory.max_bytes"):
        reading.levels[USED.name] = round(100 * reading.levels.get("memory.used_bytes", 0.0) / room, 3)
    return reading


def read_slabs(reading: Reading, slabs: str, items: str) -> None:
    """Take what ``stats slabs`` and ``stats items`` say, by the size of chunks."""
    classes: dict[str, dict[str, str]] = {}
    for line in [*slabs.splitlines(), *items.splitlines()]:
        told = _STAT.fullmatch(line)
        place = _SLAB.fullmatch(told[1]) if told else None
        if told and place:
            classes.setdefault(place[1], {})[place[2]] = told[2]
    for fields in list(classes.values())[:_SLABS_MAX]:
        if fields.get("chunk_size", "").isdigit():
            reading.take(SLABS, fields, f"slab.{fields['chunk_size'][:12]}")


def read_keys(reading: Reading, counters: dict[str, str], gauges: dict[str, str]) -> None:
    """Take what applications keep; what is no number is left out."""
    for name, text in counters.items():
        if (value := number(text)) is not None:
            # Each for itself: one that was deleted and begun anew costs the others nothing.
            reading.count(f"counters.{dotted(name)}", value, f"counters.{name}")
    for name, text in gauges.items():
        if (value := number(text)) is not None:
            reading.levels[f"gauges.{dotted(name)}"] = value
