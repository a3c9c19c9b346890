"""The keys of ``[[relay]]``: what is handed on to other servers, and to which of them."""

import re
from collections.abc import Iterator
from typing import Annotated

from tallystick.config.table import Conflict, Table, expression, key, one_of

WAYS = ("all", "any", "failover", "carbon_ch", "fnv1a_ch", "jump_fnv1a_ch")
"""How names are spread over the servers of a relay."""
HASHES = WAYS[3:]
SERVERS_MAX = 64
"""Of all relays together."""
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>\d{1,5}))?(=(?P<instance>[^\s=:;'\"]+))?")
_PORT = 2003


def split_server(text: str) -> tuple[str, int, str | None]:
    """Host, port and instance of ``host:port=instance``, of which port and instance may be left out.

    Raises
    ------
    ValueError
        If it is none.
    """
    match = _SERVER.fullmatch(text)
    port = int(match["port"] or _PORT) if match else 0
    if match is None or not 0 < port < 65536:
        raise ValueError(f"{text!r} is no server; expected host:port or host:port=instance")
    return match["host"].strip("[]"), port, match["instance"]


def _servers(texts: tuple[str, ...]) -> None:
    for text in texts:
        split_server(text)


class Relay(Table, frozen=True):
    """Names that are handed on to other servers as carbon's lines, as they were sent. Relays apply in their order."""

    servers: Annotated[
        tuple[str, ...],
        key("host:port of each, or host:port=instance as hashes have them.", _servers, min_length=1),
    ]
    way: Annotated[
        str,
        key(
            "Which of them have a name: all; any (one, always the same while it is there); failover (the first that is "
            "there); carbon_ch, fnv1a_ch, jump_fnv1a_ch (as carbon-c-relay).",
            one_of("way to relay", WAYS),
        ),
    ] = "all"
    replication: Annotated[int, key("So many servers have each name; hashes only.", ge=1, le=16)] = 1
    match: Annotated[str, key("Glob over whole names; * crosses dots.", min_length=1)] = "*"
    regex: Annotated[str, key("A regular expression instead, found anywhere in the name.", expression)] = ""
    stop: Annotated[bool, key("Whether names that it has are for no relay after it.")] = False
    keep: Annotated[bool, key("Whether they are stored here, too; if not, they are counted as relayed.")] = True
    queue_bytes_max: Annotated[
        int, key("What may wait for each server; of more the oldest is dropped and counted.", ge=1 << 16)
    ] = 64 << 20

    def conflicts(self) -> Iterator[Conflict]:
        if self.regex and self.match != "*":
            yield ("regex",), "there is a glob, too; expected one of match and regex"
        if self.replication > 1 and self.way not in HASHES:
            yield ("replication",), f"way = {self.way!r} has no copies; expected one of {', '.join(HASHES)}"
        split = [split_server(text) for text in self.servers]
        told = [(host, instance) if self.way == "carbon_ch" else (host, port) for host, port, instance in split]
        for k, one in enumerate(told):
            if one in told[:k]:
                expected = (
                    "for carbon_ch ports do not count; expected instances"
                    if self.way == "carbon_ch"
                    else ("expected each only once")
                )
                yield ("servers",), f"{self.servers[k]} is there already: {expected}"
