"""The keys of the table `agent` that say where it sends, and what it keeps until it has."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from tallystick.config.table import Conflict, Table, key, one_of
from tallystick.model.address import SERVER_SCHEMES, Address

MODES = ("all", "first")
REPEAT_PROTOCOLS = ("carbon", "istatd", "statsd")
TOKEN_VARIABLE = "TALLYSTICK_TOKEN"
_SPOOL = "tallystick-agent"


def _server(text: str) -> Address:
    return Address.parse(text, SERVER_SCHEMES)


def _servers(texts: tuple[str, ...]) -> None:
    for text in texts:
        _server(text)


def _repeat_address(text: str) -> None:
    Address.parse(text, ("tcp", "udp"))


class Repeat(Table, frozen=True):
    """Another system that is sent the same while you move: at best effort, without a spool."""

    protocol: Annotated[
        str, key(f"What it speaks: {', '.join(REPEAT_PROTOCOLS)}.", one_of("protocol", REPEAT_PROTOCOLS))
    ]
    address: Annotated[str, key("tcp://host:port or udp://host:port.", _repeat_address)]
    prefix: Annotated[str, key("Stands before each name there.", max_length=200)] = ""
    buffer_bytes_max: Annotated[
        int, key("Kept in memory while it is away; beyond it the oldest is dropped and counted.", ge=1 << 16)
    ] = 8 << 20

    @property
    def endpoint(self) -> Address:
        """The address, taken apart."""
        return Address.parse(self.address, ("tcp", "udp"))


class Delivering(Table, frozen=True):
    """Where an agent sends."""

    servers: Annotated[
        tuple[str, ...],
        key(
            "Servers: tcp://host:8120, tls://host:8120 where connections are encrypted, or unix:///path.",
            _servers,
            min_length=1,
        ),
    ] = ("tcp://127.0.0.1:8120",)
    mode: Annotated[
        str,
        key(
            "'all' servers are sent everything, or the 'first' that answers: then one of the others only while it does "
            "not.",
            one_of("mode", MODES),
        ),
    ] = "all"
    token: Annotated[
        str, key(f"What the servers ask for. Better in token_file, or in the environment as {TOKEN_VARIABLE}.")
    ] = ""
    token_file: Annotated[str, key("A file that holds the token.")] = ""
    tls_ca: Annotated[
        str,
        key("A file of certificates that tls:// servers are verified by; empty is what the system trusts."),
    ] = ""
    spool: Annotated[
        str,
        key(
            "Directory of what waits for the servers; empty is /var/lib/tallystick-agent for root, else below "
            "XDG_STATE_HOME. STATE_DIRECTORY, as systemd sets it, counts before that."
        ),
    ] = ""
    spool_bytes_max: Annotated[
        int, key("What may wait on disk; beyond it the oldest is given up and counted.", ge=1 << 20)
    ] = 256 << 20
    spool_days_max: Annotated[int, key("What is older is given up and counted.", ge=1, le=3650)] = 7
    buffer_bytes_max: Annotated[
        int,
        key(
            "What may wait in memory while the disk refuses; beyond it what is new is refused and counted.", ge=1 << 16
        ),
    ] = 8 << 20
    repeats: Annotated[
        tuple[Repeat, ...], key("Other systems that are sent the same while you move, [[agent.repeats]]; [] for none.")
    ] = ()

    @property
    def endpoints(self) -> tuple[Address, ...]:
        """The servers' addresses, taken apart."""
        return tuple(_server(text) for text in self.servers)

    def conflicts(self) -> Iterator[Conflict]:
        yield from super().conflicts()
        if self.token and self.token_file:
            yield ("token_file",), "there is a token already; expected one of token and token_file"
        for index, text in enumerate(self.servers):
            if text in self.servers[:index]:
                yield ("servers", index), f"{text} is there already; expected each server once"

    def spool_path(self, environment: Mapping[str, str] | None = None) -> Path:
        """Where the spool lies.

        Parameters
        ----------
        environment
            By default that of the process.
        """
        environment = os.environ if environment is None else environment
        if self.spool:
            return Path(self.spool).expanduser()
        if given := environment.get("STATE_DIRECTORY", "").partition(":")[0]:
            return Path(given)
        if os.geteuid() == 0:
            return Path("/var/lib") / _SPOOL
        return Path(environment.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / _SPOOL

    def find_token(self, environment: Mapping[str, str] | None = None) -> str:
        """The token, from wherever it is kept; empty if there is none.

        Raises
        ------
        OSError
            If its file cannot be read.
        """
        if self.token_file:
            return Path(self.token_file).expanduser().read_text(encoding="utf-8").strip()
        environment = os.environ if environment is None else environment
        return self.token or environment.get(TOKEN_VARIABLE, "")
