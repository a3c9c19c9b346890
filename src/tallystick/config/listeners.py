"""The table `listeners`: doors for senders, the protocols they speak, and the keys that only some of these have."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from tallystick.config.collectd import SECURITY_LEVELS, WriteGraphite
from tallystick.config.table import Conflict, Table, foreign_keys, foreign_scheme, key, one_of, start_of_names
from tallystick.model.address import Address, Group, is_everywhere, is_group

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
    "tls_certificate": ("native",),
    "tls_key": ("native",),
    "token": ("native",),
}
"""Keys of a listener that only some protocols have, and which; every other key goes for all."""

INFLUX_PRECISIONS = ("ns", "n", "us", "u", "ms", "s", "m", "h")
"""What a timestamp of InfluxDB's lines may count."""

_LINE_BYTES_MIN = 64


def _group(text: str) -> None:
    if text:
        Group.parse(text)


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

    token: Annotated[
        str, key("What senders have to bring in their greeting; needed beyond loopback.", max_length=512)
    ] = ""
    tls_certificate: Annotated[
        str, key("A file of certificates, the server's own first: connections are then encrypted.")
    ] = ""
    tls_key: Annotated[str, key("The file of the certificate's key.")] = ""

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
        yield from foreign_keys(self, unset, OPTIONS, self.protocol)
        if self.security != "none" and not self.auth_file:
            yield ("security",), f"nobody can {self.security} for it without passwords; expected auth_file beside it"
        if self.protocol == "native" and not self.token and not self.endpoint.loopback:
            yield ("address",), f"{self.address} is open to the network without a token; expected token beside it"
        for one, other in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")):
            if getattr(self, one) and not getattr(self, other):
                yield (one,), f"a certificate is of no use without its key; expected {other} beside it"
        if self.group is not None:
            yield from self._group_conflicts(self.group)
        yield from foreign_scheme(self.address, PROTOCOLS[self.protocol], self.protocol)

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


DEFAULT_LISTENERS = (
    Listener(protocol="carbon", address="tcp://127.0.0.1:2003"),
    Listener(protocol="carbon", address="udp://127.0.0.1:2003"),
    Listener(protocol="carbon-pickle", address="tcp://127.0.0.1:2004"),
    Listener(protocol="statsd", address="udp://127.0.0.1:8125"),
    Listener(protocol="opentsdb", address="tcp://127.0.0.1:4242"),
    Listener(protocol="collectd", address="udp://127.0.0.1:25826"),
    Listener(protocol="native", address="tcp://127.0.0.1:8120"),
)
"""Protocols on the ports that are theirs by convention, where a door that nobody uses costs nothing and keeps no other
program from its work: on a host of Ganglia's, gmond needs its port itself."""
