"""The keys of the config file: one struct for each table, one annotated field for each key.

The description of a field is the comment that ``tallystick config sample`` prints; its check is run by `load`. Nothing
about a key is written anywhere else.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

from tallystick.config.address import Address, Group, host_port, is_everywhere, is_group, is_loopback
from tallystick.config.collectd import SECURITY_LEVELS, WriteGraphite
from tallystick.config.polls import Poll
from tallystick.config.statsd import Statsd
from tallystick.config.storage_aggregation import read_aggregation
from tallystick.config.storage_schemas import read_schemas
from tallystick.config.table import Conflict, Table, key, one_of, start_of_names
from tallystick.model.retention import DEFAULT_KEEP, AggregationRule, Retention, RetentionRule
from tallystick.model.statistic import Statistic

PROTOCOLS = {
    "carbon": ("tcp", "udp", "unix"),
    "carbon-pickle": ("tcp", "unix"),
    "carbon-protobuf": ("tcp", "unix"),
    "collectd": ("udp",),
    "ganglia": ("udp",),
    "influx": ("tcp", "udp", "unix"),
    "istatd": ("tcp", "udp", "unix"),
    "native": ("tcp", "unix"),
    "opentsdb": ("tcp", "unix"),
    "statsd": ("tcp", "udp", "unix", "unixgram", "unixstream"),
}
"""Protocols that a listener may speak, and over what."""

OPTIONS: dict[str, tuple[str, ...]] = {
    "auth_file": ("collectd",),
    "precision": ("influx",),
    "multicast": ("carbon", "collectd", "ganglia", "influx", "statsd"),
    "prefix": ("ganglia",),
    "security": ("collectd",),
    "types_db": ("collectd",),
    "write_graphite": ("collectd",),
    "strict": ("statsd",),
}
"""Keys of a listener that only some protocols have, and which; every other key goes for all."""

INFLUX_PRECISIONS = ("ns", "n", "us", "u", "ms", "s", "m", "h")
"""What a timestamp of InfluxDB's lines may count."""

COLLECTORS = ("cpu", "disk", "filesystem", "load", "memory", "network")
"""Collectors that there are; a test holds this to what `tallystick.agent.collectors` registers."""

_LINE_BYTES_MIN = 64


def split_rename(text: str) -> tuple[str, str]:
    """Regular expression and replacement of ``pattern -> replacement``.

    Raises
    ------
    ValueError
        If there is no arrow or the expression cannot be compiled.
    """
    pattern, arrow, replacement = text.partition("->")
    if not arrow or not pattern.strip():
        raise ValueError(f"{text!r} is no rename; expected 'regular expression -> replacement'")
    try:
        re.compile(pattern.strip())
    except re.error as error:
        raise ValueError(f"{pattern.strip()!r} is broken: {error}; expected a regular expression") from error
    return pattern.strip(), replacement.strip()


def _server(text: str) -> Address:
    return Address.parse(text, ("tcp",))


def _servers(texts: tuple[str, ...]) -> None:
    for text in texts:
        _server(text)


def _prefix(text: str) -> None:
    unknown = [word for word in re.findall(r"{([^}]*)}", text) if word != "host"]
    if unknown or "{" in text.replace("{host}", "") or not text.strip("."):
        raise ValueError(f"{text!r} is no prefix of names; expected words and dots, and {{host}} for the host")


def _group(text: str) -> None:
    if text:
        Group.parse(text)


def _tag_name(name: str) -> None:
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
        raise ValueError(f"{name!r} is no name of a tag; expected a letter, then letters, digits, dots, - and _")


def _line_limit(size: int) -> None:
    if 0 < size < _LINE_BYTES_MIN:
        raise ValueError(f"{size} bytes are too few for a line; expected at least {_LINE_BYTES_MIN}, or 0")


def _readable(path: str) -> None:
    if path:
        try:
            Path(path).expanduser().open("rb").close()
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}; expected a file") from None


def _all_readable(paths: tuple[str, ...]) -> None:
    for path in paths:
        _readable(path)


def _schemas(path: str) -> tuple[RetentionRule, ...]:
    return read_schemas(Path(path).expanduser()) if path else ()


def _aggregation(path: str) -> tuple[AggregationRule, ...]:
    return read_aggregation(Path(path).expanduser()) if path else ()


def _statistic(word: str) -> Statistic:
    statistic = Statistic.parse(word)
    if statistic is Statistic.DEFAULT:
        raise ValueError("'default' is what the rule is to say; expected one of avg, sum, last, min, max, count, sdev")
    return statistic


class Http(Table, frozen=True):
    """Pages, queries and everything else that is asked over HTTP."""

    address: Annotated[
        str, key("Host and port. To open it to the network set 0.0.0.0:8080 and a token.", host_port)
    ] = "127.0.0.1:8080"
    token: Annotated[str, key("What a client has to send as 'Authorization: Bearer ...'; needed beyond loopback.")] = ""

    influx_database_tag: Annotated[
        str,
        key(
            "Name of a tag that InfluxDB's senders give their series by the database or bucket that they name; empty "
            "for none: the database is not part of the name.",
            _tag_name,
        ),
    ] = ""
    otlp_resource_attributes: Annotated[
        tuple[str, ...],
        key("Attributes of OpenTelemetry's resources that become tags: what tells senders apart, and where they run."),
    ] = ("service.namespace", "service.name", "service.instance.id", "host.name", "deployment.environment.name")
    otlp_scope_name: Annotated[
        bool, key("Whether the name of the instrumentation scope becomes a tag, too: otel.scope.name.")
    ] = False

    @property
    def host(self) -> str:
        """Host to bind to."""
        return host_port(self.address)[0]

    @property
    def port(self) -> int:
        """Port to bind to; 0 lets the system choose."""
        return host_port(self.address)[1]

    def conflicts(self) -> Iterator[Conflict]:
        if not self.token and not is_loopback(self.host):
            yield ("address",), f"{self.address} is open to the network without a token; expected http.token beside it"


class Listener(Table, frozen=True):
    """A door for senders. Without any, those below are opened on loopback, but for ports that another program has."""

    protocol: Annotated[str, key(f"What is spoken: {', '.join(PROTOCOLS)}.", one_of("protocol", tuple(PROTOCOLS)))]
    address: Annotated[
        str,
        key(
            "tcp://host:port, udp://host:port or unix:///path. unix:// is a socket for streams, for StatsD one for "
            "datagrams; unixstream:// and unixgram:// say which.",
            Address.parse,
        ),
    ]
    line_bytes_max: Annotated[
        int,
        key(
            "A longer line, or frame, is rejected and counted; 0 is what the protocol has: 16384 for lines, 1048576 "
            "for frames.",
            _line_limit,
            ge=0,
            le=1 << 20,
        ),
    ] = 0

    multicast: Annotated[
        str,
        key(
            "A group to join, as 239.2.11.71 or, on one interface, 239.2.11.71%eth0; the address is udp:// and that of "
            "the group, which needs no such key where the interface does not matter, or 0.0.0.0 or [::].",
            _group,
        ),
    ] = ""
    prefix: Annotated[
        str,
        key(
            "Stands before each name; empty is 'ganglia'. 'ganglia.web' gives the names that gmetad gives to Graphite "
            "for a cluster named web.",
            start_of_names,
            max_length=200,
        ),
    ] = ""

    precision: Annotated[
        str,
        key(
            f"What a timestamp of InfluxDB's lines counts: {', '.join(INFLUX_PRECISIONS)}.",
            one_of("precision", INFLUX_PRECISIONS),
        ),
    ] = "ns"
    security: Annotated[
        str,
        key(
            f"What packets must be: {', '.join(SECURITY_LEVELS)}; each takes what the next ones do, as well.",
            one_of("level", SECURITY_LEVELS),
        ),
    ] = "none"
    auth_file: Annotated[
        str, key("Lines of 'user: password' of those who sign and encrypt; read again when it changes.", _readable)
    ] = ""
    types_db: Annotated[
        tuple[str, ...], key("Files that say what values types have, beside that of the system.", _all_readable)
    ] = ()
    write_graphite: Annotated[
        WriteGraphite,
        key(
            "Names are made as collectd's plugin of that name makes them; its options, with its defaults: prefix, "
            "postfix, escape_character, separate_instances, always_append_ds, preserve_separator, "
            "drop_duplicate_fields, use_tags."
        ),
    ] = WriteGraphite()

    strict: Annotated[
        bool,
        key("Whether unknown types, numbers such as 0x10 and rates above 1 are rejected; else read as StatsD does."),
    ] = True

    @property
    def endpoint(self) -> Address:
        """The address, taken apart; ``unix`` is what the protocol's senders take it for."""
        address = Address.parse(self.address)
        datagrams = self.protocol == "statsd" and address.scheme == "unix"
        return replace(address, scheme="unixgram") if datagrams else address

    @property
    def group(self) -> Group | None:
        """The multicast group that the listener joins."""
        if self.multicast:
            return Group.parse(self.multicast)
        return Group(self.endpoint.host) if is_group(self.endpoint.host) else None

    @classmethod
    def keys_of(cls, protocol: str) -> tuple[str, ...]:
        """The keys that a listener of this protocol may have."""
        return tuple(field for field in cls.__struct_fields__ if protocol in OPTIONS.get(field, (protocol,)))

    def conflicts(self) -> Iterator[Conflict]:
        unset = type(self)(protocol=self.protocol, address=self.address)
        for option in sorted(set(self.__struct_fields__) - set(self.keys_of(self.protocol))):
            if getattr(self, option) != getattr(unset, option):
                yield (option,), f"{self.protocol} has no such key; expected it for {' or '.join(OPTIONS[option])}"
        if self.security != "none" and not self.auth_file:
            yield ("security",), f"nobody can {self.security} for it without passwords; expected auth_file beside it"
        schemes = PROTOCOLS[self.protocol]
        if self.group is not None:
            yield from self._group_conflicts(self.group)
        if Address.parse(self.address).scheme not in schemes:
            yield (
                ("address",),
                f"{self.protocol} is not spoken over {self.endpoint.scheme}; expected {' or '.join(schemes)}",
            )

    def _group_conflicts(self, group: Group) -> Iterator[Conflict]:
        """A socket receives what is sent to the address that it is bound to, whatever groups it joined."""
        host = self.endpoint.host
        reached = host == group.address or (is_everywhere(host) and (":" in host) == (group.version == 6))
        if self.endpoint.scheme != "udp" or not reached:
            everywhere = "0.0.0.0" if group.version == 4 else "[::]"
            yield (
                ("address",),
                f"what is sent to {group.address} does not reach it; expected udp:// with that host or {everywhere}",
            )


class Collector(Table, frozen=True):
    """Something about this host that is looked at. A file without this table collects nothing by itself."""

    name: Annotated[str, key(f"One of {', '.join(COLLECTORS)}.", one_of("collector", COLLECTORS))]
    interval_s: Annotated[int, key("Seconds between two looks.", ge=1, le=3600)] = 10


class Keep(Table, frozen=True):
    """How long the series are kept that a glob matches."""

    match: Annotated[str, key("Glob over whole names; * crosses dots.", min_length=1)] = "*"
    keep: Annotated[str, key("step:length pairs, finest first.", Retention.parse)] = DEFAULT_KEEP


class Coarse(Table, frozen=True):
    """What the gauges that a glob matches are in slots coarser than their finest."""

    match: Annotated[str, key("Glob over whole names; * crosses dots.", min_length=1)]
    statistic: Annotated[str, key("One of avg, sum, last, min, max, count, sdev.", _statistic)]


class Store(Table, frozen=True):
    """Where and how long data is kept."""

    directory: Annotated[
        str, key("Data lives here; the user that runs the server must be able to write it.", min_length=1)
    ] = "/var/lib/tallystick"
    retention: Annotated[tuple[Keep, ...], key("The first rule that matches a name counts.", min_length=1)] = (Keep(),)
    storage_schemas: Annotated[
        str, key("A storage-schemas.conf of Graphite, whose sections follow the rules above; empty for none.", _schemas)
    ] = ""
    aggregation: Annotated[
        tuple[Coarse, ...],
        key(
            'What gauges are in coarser slots, as in { match = "*.peak", statistic = "max" }; the first rule that '
            "matches a name counts, else it is the average."
        ),
    ] = ()
    storage_aggregation: Annotated[
        str,
        key(
            "A storage-aggregation.conf of Graphite, whose sections follow the rules above; empty for none.",
            _aggregation,
        ),
    ] = ""
    commit_interval_ms: Annotated[int, key("The log is on disk at most this much later.", ge=1, le=1000)] = 200
    seal_interval_s: Annotated[int, key("How often the head is made into blocks.", ge=10, le=86400)] = 600
    future_limit_s: Annotated[int, key("Samples further ahead than this are rejected.", ge=0)] = 600
    series_max: Annotated[int, key("Names beyond this number are rejected.", ge=1)] = 2_000_000
    queue_bytes_max: Annotated[int, key("What may wait for the log before senders have to wait.", ge=1 << 20)] = (
        256 << 20
    )
    scrub_days: Annotated[int, key("So often all checksums are verified; 0 for never.", ge=0, le=3650)] = 7
    scrub_bytes_per_s: Annotated[int, key("How much of the disk's time that may take.", ge=1 << 16)] = 4 << 20
    snapshots: Annotated[
        str, key("Where 'store snapshot --server' may write; empty for below the directory, in snapshots.")
    ] = ""

    @property
    def snapshots_path(self) -> Path:
        """Where snapshots that are asked for over HTTP go."""
        return Path(self.snapshots).expanduser() if self.snapshots else self.path / "snapshots"

    @property
    def path(self) -> Path:
        """The directory, with ``~`` resolved."""
        return Path(self.directory).expanduser()

    @property
    def retention_rules(self) -> tuple[RetentionRule, ...]:
        """The rules in their order, ours before those of Graphite; the default takes what none of them matches.

        Raises
        ------
        ValueError
            If the file of `storage_schemas` changed since the config was checked and cannot be used.
        """
        ours = [] if self.storage_schemas and self.retention == (Keep(),) else self.retention
        rules = [RetentionRule(rule.match, Retention.parse(rule.keep)) for rule in ours]
        return (*rules, *_schemas(self.storage_schemas), RetentionRule("*", Retention.parse(DEFAULT_KEEP)))

    @property
    def aggregation_rules(self) -> tuple[AggregationRule, ...]:
        """What gauges are in coarser slots, ours before those of Graphite; the average where none matches.

        Raises
        ------
        ValueError
            If the file of `storage_aggregation` changed since the config was checked and cannot be used.
        """
        ours = [AggregationRule(rule.match, _statistic(rule.statistic)) for rule in self.aggregation]
        return (*ours, *_aggregation(self.storage_aggregation))


class Senders(Table, frozen=True):
    """What a sender may do to the others: each peer of each listener has limits of its own."""

    names_per_s: Annotated[
        int, key("New names a second that a peer may go on bringing, others are throttled; 0 for no limit.", ge=0)
    ] = 20_000
    names_burst: Annotated[int, key("New names that it may bring at once: those of a whole fleet.", ge=1)] = 1_000_000


class Books(Table, frozen=True):
    """What the ledger tells apart; beyond these limits it counts under 'other'."""

    prefix_depth: Annotated[
        int, key("Components of the prefixes of names: 2 is hosts.web1 of hosts.web1.cpu.user.", ge=1, le=8)
    ] = 2
    prefixes_max: Annotated[int, key("Prefixes that are told apart.", ge=1, le=10_000)] = 500
    peers_max: Annotated[int, key("Peers of each listener that are told apart.", ge=1, le=1000)] = 100
    windows_max: Annotated[int, key("Windows of ten seconds that are kept in memory; 360 are an hour.", ge=6)] = 360


class Query(Table, frozen=True):
    """Limits of a single query; one that would exceed them is refused with a sentence that names the limit."""

    series_max: Annotated[int, key("Series that a query may read.", ge=1)] = 50_000
    points_max: Annotated[int, key("Points that a query may read.", ge=1)] = 40_000_000
    bytes_max: Annotated[int, key("Memory that the values of a query may take at a time, in bytes.", ge=1 << 20)] = (
        2_147_483_648
    )
    time_s_max: Annotated[int, key("Seconds that a query may take.", ge=1)] = 30
    workers: Annotated[int, key("Threads that decode and compute.", ge=1, le=256)] = 2


class Rule(Table, frozen=True):
    """What is done to names on their way in: rules apply in their order, each to what the one before it made."""

    match: Annotated[str, key("Glob over whole names; * crosses dots.", min_length=1)]
    block: Annotated[bool, key("Drop the samples and count them as blocked.")] = False
    rename: Annotated[str | None, key("'regular expression -> replacement', with \\1 for groups.", split_rename)] = None

    @property
    def renaming(self) -> tuple[str, str] | None:
        """Regular expression and replacement, or None."""
        return split_rename(self.rename) if self.rename else None

    def conflicts(self) -> Iterator[Conflict]:
        if self.block == bool(self.rename):
            yield (), "it has to do one thing; expected either block = true or a rename"


class Agent(Table, frozen=True):
    """How 'tallystick agent' forwards what it collects, and how collected series are named."""

    servers: Annotated[
        tuple[str, ...], key("Addresses of servers that speak carbon; each is sent everything.", _servers, min_length=1)
    ] = ("tcp://127.0.0.1:2003",)
    prefix: Annotated[str, key("Stands before each name; {host} is the host's short name.", _prefix)] = "hosts.{host}"
    buffer_bytes_max: Annotated[
        int,
        key("Kept in memory for each server that is away; beyond it the oldest is dropped and counted.", ge=1 << 16),
    ] = 8 << 20

    @property
    def endpoints(self) -> tuple[Address, ...]:
        """The servers' addresses, taken apart."""
        return tuple(_server(text) for text in self.servers)


DEFAULT_LISTENERS = (
    Listener(protocol="carbon", address="tcp://127.0.0.1:2003"),
    Listener(protocol="carbon", address="udp://127.0.0.1:2003"),
    Listener(protocol="carbon-pickle", address="tcp://127.0.0.1:2004"),
    Listener(protocol="statsd", address="udp://127.0.0.1:8125"),
    Listener(protocol="opentsdb", address="tcp://127.0.0.1:4242"),
    Listener(protocol="collectd", address="udp://127.0.0.1:25826"),
)
"""Protocols on the ports that are theirs by convention, where a door that nobody uses costs nothing and keeps no other
program from its work: on a host of Ganglia's, gmond needs its port itself."""


class Config(Table, frozen=True):
    """Everything that can be set. Each key has a default; a file holds what differs."""

    http: Http = Http()
    listeners: tuple[Listener, ...] = DEFAULT_LISTENERS
    polls: Annotated[
        tuple[Poll, ...],
        msgspec.Meta(
            examples=[
                {"protocol": "munin", "address": "tcp://web1:4949", "interval_s": 300},
                {"protocol": "prometheus", "address": "http://web1:9100/metrics", "job": "node"},
            ]
        ),
    ] = ()
    collectors: tuple[Collector, ...] = ()
    senders: Senders = Senders()
    ledger: Books = Books()
    store: Store = Store()
    query: Query = Query()
    statsd: Statsd = Statsd()
    rules: Annotated[
        tuple[Rule, ...],
        msgspec.Meta(
            examples=[
                {"match": "test.*", "block": True},
                {"match": "collectd.*", "rename": r"^collectd\.([^.]+)\. -> hosts.\1."},
            ]
        ),
    ] = ()
    agent: Agent = Agent()

    @property
    def has_default_listeners(self) -> bool:
        """Whether nobody chose the listeners: then one that cannot be opened is left out."""
        return self.listeners == DEFAULT_LISTENERS

    def conflicts(self) -> Iterator[Conflict]:
        yield from _duplicates(
            "listeners", "address", [(item.address, not item.endpoint.port) for item in self.listeners]
        )
        polled = [(f"{item.address}{item.query}", False) for item in self.polls]
        yield from _duplicates("polls", "address", polled)
        yield from _duplicates("collectors", "name", [(item.name, False) for item in self.collectors])


def _duplicates(table: str, field: str, values: list[tuple[str, bool]]) -> Iterator[Conflict]:
    """Later items whose value is already taken; a value that is marked may be there many times."""
    first: dict[str, int] = {}
    for index, (value, repeatable) in enumerate(values):
        if first.setdefault(value, index) != index and not repeatable:
            yield (table, index, field), f"{value} is already that of {table}[{first[value]}]; expected each only once"
