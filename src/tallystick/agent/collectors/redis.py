"""Redis and Valkey by ``INFO``: ``redis.commands``, ``redis.memory.used_bytes``, ``redis.keys.hit_percent`` ...

Over TCP, TLS or a Unix socket. Those that run here without a password are found.
"""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Annotated

from tallystick.agent.collecting.collector import Found, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host, Surroundings
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.finding import Candidate, answering, by_path, by_port, near
from tallystick.agent.services.reading import Looks, Metric, Ratio, Reading
from tallystick.agent.services.settings import SocketAddress, SocketSettings
from tallystick.agent.services.stream import Stream
from tallystick.config.table import key
from tallystick.model.point import Point
from tallystick.native.names import component

METRICS = (
    Metric("uptime_s", "uptime_in_seconds", "Seconds since it was started"),
    Metric("clients.connected", "connected_clients", "Clients"),
    Metric("clients.blocked", "blocked_clients", "Clients that wait in BLPOP and its like"),
    Metric("clients.max", "maxclients", "Clients that there may be"),
    Metric("clients.accepted", "total_connections_received", "Connections, per second", rate=True),
    Metric("clients.rejected", "rejected_connections", "Connections refused for want of room, per second", rate=True),
    Metric("commands", "total_commands_processed", "Commands, per second; each look of ours is one or two", rate=True),
    Metric("errors", "total_error_replies", "Errors answered, per second", rate=True),
    Metric("received_bytes", "total_net_input_bytes", "Bytes of clients, per second", rate=True),
    Metric("sent_bytes", "total_net_output_bytes", "Bytes to clients, per second", rate=True),
    Metric("memory.used_bytes", "used_memory", "Memory of data and buffers"),
    Metric("memory.resident_bytes", "used_memory_rss", "Memory as the kernel sees it"),
    Metric("memory.peak_bytes", "used_memory_peak", "Most that data and buffers ever took"),
    Metric("memory.max_bytes", "maxmemory", "Memory that data may take; 0 is no limit"),
    Metric("memory.fragmentation_ratio", "mem_fragmentation_ratio", "Resident by used memory"),
    Metric("keys.expired", "expired_keys", "Keys whose time was over, per second", rate=True),
    Metric("keys.evicted", "evicted_keys", "Keys thrown out for want of memory, per second", rate=True),
    Metric("keys.hits", "keyspace_hits", "Look-ups that found their key, per second", rate=True),
    Metric("keys.misses", "keyspace_misses", "Look-ups that did not, per second", rate=True),
    Metric("cpu.user_percent", "used_cpu_user", "Processor time, of one core", rate=True, scale=100),
    Metric("cpu.system_percent", "used_cpu_sys", "Processor time in the kernel, of one core", rate=True, scale=100),
    Metric("pubsub.channels", "pubsub_channels", "Channels with subscribers"),
    Metric("persistence.changes", "rdb_changes_since_last_save", "Changes since the last snapshot"),
    Metric("persistence.fork_ms", "latest_fork_usec", "How long the last fork held everybody up", scale=0.001),
    Metric("replication.replicas", "connected_slaves", "Replicas that are connected"),
    Metric("replication.written_bytes", "master_repl_offset", "Bytes replicated, per second", rate=True),
    Metric("replication.primary_silent_s", "master_last_io_seconds_ago", "Of a replica: since it heard of its primary"),
)
STATES = (
    Metric("persistence.snapshot_ok", "rdb_last_bgsave_status", "1 if the last snapshot succeeded, else 0"),
    Metric("persistence.aof_ok", "aof_last_write_status", "1 if the append-only file can be written, else 0"),
    Metric("replication.link_up", "master_link_status", "Of a replica: 1 if it is connected to its primary, else 0"),
)
AGE = Metric("persistence.snapshot_age_s", "rdb_last_save_time", "Seconds since the last snapshot")
LAG = Metric("replication.lag_bytes", "slaveN offset", "Bytes that the replica furthest behind has not acknowledged")
DATABASES = (
    Metric("database.<database>.keys", "keys", "Keys"),
    Metric("database.<database>.expiring", "expires", "of these: with a time to live"),
)
RATIOS = (
    Ratio("keys.hit_percent", ("keys.hits",), ("keys.hits", "keys.misses"), "Look-ups that found their key, of all"),
)
_TITLE = re.compile(r"\s(unixsocket:/\S+|\S*:(\d+))(?:\s|$)", re.ASCII)
_USUAL = tuple(f"{run}/redis/{name}.sock" for run in ("/run", "/var/run") for name in ("redis", "redis-server"))
_DATABASES_MAX = 64
_DATABASE = re.compile(r"db\d{1,6}", re.ASCII)
_REPLICA = re.compile(r"slave\d{1,4}", re.ASCII)


class Settings(SocketSettings, frozen=True):
    """A Redis that is asked."""

    address: SocketAddress = "tcp://127.0.0.1:6379"
    user: Annotated[str, key("Of ACLs; empty for the default user.")] = ""


@collector("redis", Settings)
class Redis(Service[Settings]):
    """What a server tells of itself."""

    TELLS = (*METRICS, *STATES, AGE, LAG, *DATABASES, *RATIOS)

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)

    @classmethod
    def discover(cls, around: Surroundings) -> Iterator[Found[Settings]]:
        """By the titles of processes, which tell where they listen: ``redis-server 127.0.0.1:6379``."""
        return answering(cls, around, candidates(around), lambda place: Settings(address=place))

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        with self.settings.connected(self.limit_s) as stream:
            if password := self.settings.password:
                words = (self.settings.user, password) if self.settings.user else (password,)
                command(stream, "AUTH", *words)
            info = command(stream, "INFO")
        yield from self._looks.points(read(info, time.time()), monotonic_s)


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """All that run; one without a port is called by its socket."""
    for process in around.running("redis-server", "valkey-server"):
        told = _TITLE.search(" ".join(process.arguments))
        if told and told[2]:
            for place in near(told[1].rpartition(":")[0], told[2]):
                yield Candidate(process.pid, f"tcp://{place}", by_port(told[2], "6379"))
        elif told:
            path = told[1].partition(":")[2]
            yield Candidate(process.pid, f"unix://{path}", by_path(path, *_USUAL))


def command(stream: Stream, *words: str) -> str:
    """Say a command in RESP; the answer is a line or a bulk string.

    Raises
    ------
    ServiceError
        If it is an error, or neither; the words, which may be secret, are not in the text.
    """
    encoded = [word.encode() for word in words]
    stream.send(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
    line = stream.line()
    if line[:1] == b"$" and line[1:].isdigit():
        return stream.exactly(int(line[1:]) + 2)[:-2].decode("utf-8", "replace")
    text = line.decode("utf-8", "replace")
    if text[:1] == "+":
        return text[1:]
    if text[:1] == "-":
        # What it was told may stand in what it answers; its first word is the kind of error.
        raise ServiceError(f"cannot ask {stream.address} for {words[0]}: it answers {text[1:].split(' ')[0]}")
    raise ServiceError(f"cannot read {stream.address}: {text[:40]!r} is no answer of Redis; expected RESP")


def read(info: str, now_s: float) -> Reading:
    """What ``INFO`` says, a ``name:value`` a line."""
    lines = (line.partition(":") for line in info.splitlines())
    fields = {name: value for name, colon, value in lines if colon and not name.startswith("#")}
    if "uptime_in_seconds" not in fields:
        raise ServiceError("cannot read Redis: its answer does not tell its uptime; expected that of INFO")
    reading = Reading(fields.get("run_id", ""))
    reading.take(METRICS, fields)
    for state in STATES:
        if state.source in fields:
            reading.levels[state.name] = float(fields[state.source] in ("ok", "up"))
    saved = fields.get(AGE.source, "")
    if saved.isdigit() and len(saved) < 15:
        reading.levels[AGE.name] = max(0.0, round(now_s - int(saved), 1))
    databases = [name for name in fields if _DATABASE.fullmatch(name)]
    for name in databases[:_DATABASES_MAX]:
        reading.take(DATABASES, _pairs(fields[name]), f"database.{component(name)}")
    _lag(reading, fields)
    return reading


def _lag(reading: Reading, fields: Mapping[str, str]) -> None:
    offsets = [_pairs(value).get("offset", "") for name, value in fields.items() if _REPLICA.fullmatch(name)]
    heard = [int(offset) for offset in offsets if offset.isdigit() and len(offset) < 20]
    ours = fields.get("master_repl_offset", "")
    if heard and ours.isdigit() and len(ours) < 20:
        reading.levels[LAG.name] = float(max(0, int(ours) - min(heard)))


def _pairs(text: str) -> dict[str, str]:
    """``a=1,b=2``."""
    return {name: value for name, _, value in (pair.partition("=") for pair in text.split(","))}
