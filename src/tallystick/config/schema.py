"""The keys of the config file: one struct for each table, one annotated field for each key.

The description of a field is the comment that ``tallystick config sample`` prints; its check is run by `load`. Nothing
about a key is written anywhere else.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from tallystick.config.agent import Agent
from tallystick.config.checks import Check
from tallystick.config.collectors import Collector
from tallystick.config.limits import Limits
from tallystick.config.listeners import DEFAULT_LISTENERS, Listener
from tallystick.config.logs import Log
from tallystick.config.polls import Poll
from tallystick.config.relays import SERVERS_MAX, Relay
from tallystick.config.rules import Rule
from tallystick.config.rules_file import load_rules
from tallystick.config.statsd import Statsd
from tallystick.config.store import Store
from tallystick.config.table import Conflict, Table, key
from tallystick.model.address import host_port, is_loopback
from tallystick.model.errors import ConfigError


def _rules_file(path: str) -> None:
    if path:
        try:
            load_rules(Path(path).expanduser())
        except ConfigError as error:
            raise ValueError("; ".join(error.problems)) from None


def _tag_name(name: str) -> None:
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
        raise ValueError(f"{name!r} is no name of a tag; expected a letter, then letters, digits, dots, - and _")


def _address_or_none(text: str) -> None:
    if text:
        host_port(text)


def _files_of_istatd(text: str) -> None:
    if text and not (Path(text).expanduser() / "index.html").is_file():
        raise ValueError(f"{text!r} has no index.html; expected the directory 'files' of istatd's sources")


class Http(Table, frozen=True):
    """Pages, queries and everything else that is asked over HTTP."""

    address: Annotated[
        str, key("Host and port. To open it to the network set 0.0.0.0:8080 and a token.", host_port)
    ] = "127.0.0.1:8080"
    token: Annotated[str, key("What a client has to send as 'Authorization: Bearer ...'; needed beyond loopback.")] = ""

    istatd_address: Annotated[
        str,
        key(
            "Host and port of istatd's own API, for its front-end, as 127.0.0.1:18011; empty for none. The token "
            "counts there, too.",
            _address_or_none,
        ),
    ] = ""
    istatd_files: Annotated[
        str,
        key("The directory 'files' of istatd's front-end, which is served there; empty for none.", _files_of_istatd),
    ] = ""
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
        for name, address in (("address", self.address), ("istatd_address", self.istatd_address)):
            if address and not self.token and not is_loopback(host_port(address)[0]):
                yield (name,), f"{address} is open to the network without a token; expected http.token beside it"


class Books(Table, frozen=True):
    """What the ledger tells apart; beyond these limits it counts under 'other', and who fell silent gives way."""

    prefix_depth: Annotated[
        int, key("Components of the prefixes of names; below <environment>.hosts. they are four at least.", ge=1, le=8)
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


class Config(Table, frozen=True):
    """Everything that can be set. Each key has a default; a file holds what differs."""

    rules_file: Annotated[
        str,
        key(
            "A file of rules, TOML or YAML (.yaml), which follow those of this file; read again when it, or a file "
            "that it names, changes. Empty for none.",
            _rules_file,
        ),
    ] = ""
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
    checks: Annotated[
        tuple[Check, ...],
        msgspec.Meta(
            examples=[
                {"name": "shop", "kind": "http", "url": "https://shop.example.org/health", "body": "fine"},
                {"name": "mail", "kind": "tcp", "address": "tcp://mail.example.org:25", "expect": "^220"},
            ]
        ),
    ] = ()
    limits: Limits = Limits()
    relay: Annotated[
        tuple[Relay, ...],
        msgspec.Meta(
            examples=[
                {"servers": ["10.0.0.5:2003"], "match": "shop.*"},
                {"servers": ["10.0.0.1:2003=a", "10.0.0.2:2003=b"], "way": "carbon_ch", "replication": 2},
            ]
        ),
    ] = ()
    ledger: Books = Books()
    store: Store = Store()
    query: Query = Query()
    statsd: Statsd = Statsd()
    rules: Annotated[
        tuple[Rule, ...],
        msgspec.Meta(
            examples=[
                {"match": "test.*", "block": True},
                {"match": "collectd.*", "rewrite": r"^collectd\.([^.]+)\. -> hosts.\1."},
            ]
        ),
    ] = ()
    agent: Agent = Agent()
    logs: Annotated[
        tuple[Log, ...],
        msgspec.Meta(
            examples=[
                {"path": "/var/log/nginx/access.log", "format": "nginx", "app": "shop"},
                {
                    "path": "/var/log/worker/*.log",
                    "pattern": r"job (?P<queue>\w+) took (?P<seconds>[\d.]+)",
                    "metrics": [
                        {"name": "jobs.{queue}"},
                        {"name": "jobs.{queue}.time_s", "kind": "timing", "value": "seconds"},
                    ],
                },
            ]
        ),
    ] = ()

    @property
    def rules_path(self) -> Path | None:
        """The file of rules, if there is one."""
        return Path(self.rules_file).expanduser() if self.rules_file else None

    @property
    def has_default_listeners(self) -> bool:
        """Whether nobody chose the listeners: then one that cannot be opened is left out."""
        return self.listeners == DEFAULT_LISTENERS

    def conflicts(self) -> Iterator[Conflict]:
        yield from _duplicates(
            "listeners", "address", [(item.address, not item.endpoint.port) for item in self.listeners]
        )
        yield from (
            (("agent", *path), cause)
            for path, cause in _duplicates(
                "doors", "address", [(item.address, not item.endpoint.port) for item in self.agent.doors]
            )
        )
        polled = [(f"{item.address}{item.query}", False) for item in self.polls]
        yield from _duplicates("polls", "address", polled)
        yield from _duplicates("logs", "path", [(item.path, False) for item in self.logs])
        collected = [(f"{item.name} {item.instance}".strip(), False) for item in self.collectors]
        yield from _duplicates("collectors", "name", collected)
        yield from _duplicates("checks", "name", [(item.name, False) for item in self.checks])
        if sum(len(relay.servers) for relay in self.relay) > SERVERS_MAX:
            yield ("relay",), f"its servers are more than {SERVERS_MAX}; expected fewer"


def _duplicates(table: str, field: str, values: list[tuple[str, bool]]) -> Iterator[Conflict]:
    """Later items whose value is already taken; a value that is marked may be there many times."""
    first: dict[str, int] = {}
    for index, (value, repeatable) in enumerate(values):
        if first.setdefault(value, index) != index and not repeatable:
            yield (table, index, field), f"{value} is already that of {table}[{first[value]}]; expected each only once"
