"""The table `agent.doors`: where the agent listens for the programs of its host."""

import re
from collections.abc import Iterator
from typing import Annotated

from tallystick.config.table import Conflict, Table, foreign_keys, foreign_scheme, key, one_of
from tallystick.model.address import Address

DOOR_PROTOCOLS = {
    "carbon": ("tcp", "unix"),
    "istatd": ("tcp", "udp", "unix"),
    "native": ("tcp", "unix"),
    "opentsdb": ("tcp", "unix"),
    "statsd": ("tcp", "udp", "unix", "unixgram", "unixstream"),
}
"""Protocols that a door of the agent may speak, and over what."""
DOOR_OPTIONS: dict[str, tuple[str, ...]] = {"multiplex": ("statsd",), "strict": ("statsd",)}
"""Keys of a door that only some protocols have, and which."""


def _permissions(text: str) -> None:
    if not re.fullmatch(r"0?[0-7]{3}", text):
        raise ValueError(f"{text!r} are no permissions of a file; expected three digits from 0 to 7, as '0660'")


class Door(Table, frozen=True):
    """Without this table those below are opened on loopback, but for ports that another program has."""

    protocol: Annotated[
        str, key(f"What is spoken: {', '.join(DOOR_PROTOCOLS)}.", one_of("protocol", tuple(DOOR_PROTOCOLS)))
    ]
    address: Annotated[
        str,
        key(
            "tcp://host:port, udp://host:port or unix:///path. unix:// is a socket for streams, for StatsD one for "
            "datagrams; unixstream:// and unixgram:// say which.",
            Address.parse,
        ),
    ]
    permissions: Annotated[
        str, key("Of a Unix socket: who may write to it. '0666' lets every program of the host.", _permissions)
    ] = "0660"
    multiplex: Annotated[
        bool,
        key(
            "Whether keys are placed below the names of host and cluster: counters, timings and sets below both, "
            "gauges below the host's. Else they are as they come. Lines that begin with '^1 ' (host only) and '^2 ' "
            "(cluster only) are placed in any case."
        ),
    ] = False
    strict: Annotated[
        bool,
        key("Whether unknown types, numbers such as 0x10 and rates above 1 are rejected; else read as StatsD does."),
    ] = True

    @property
    def endpoint(self) -> Address:
        """The address, taken apart; ``unix`` of StatsD is a socket for datagrams."""
        address = Address.parse(self.address)
        datagrams = self.protocol == "statsd" and address.scheme == "unix"
        return Address("unixgram", path=address.path) if datagrams else address

    @property
    def mode(self) -> int:
        """The permissions as a number."""
        return int(self.permissions, 8)

    @classmethod
    def keys_of(cls, protocol: str) -> tuple[str, ...]:
        """The keys that a door of this protocol may have."""
        return tuple(field for field in cls.__struct_fields__ if protocol in DOOR_OPTIONS.get(field, (protocol,)))

    def conflicts(self) -> Iterator[Conflict]:
        unset = type(self)(protocol=self.protocol, address=self.address)
        yield from foreign_keys(self, unset, DOOR_OPTIONS, self.protocol)
        yield from foreign_scheme(self.address, DOOR_PROTOCOLS[self.protocol], self.protocol)


DEFAULT_DOORS = (
    Door(protocol="statsd", address="udp://127.0.0.1:8125"),
    Door(protocol="opentsdb", address="tcp://127.0.0.1:18126"),
    Door(protocol="istatd", address="tcp://127.0.0.1:8111"),
    Door(protocol="istatd", address="udp://127.0.0.1:8111"),
    Door(protocol="native", address="tcp://127.0.0.1:8120"),
)
"""Protocols on the ports that senders on a host try."""
