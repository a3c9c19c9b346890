"""The keys of ``[[polls]]``: who is asked for numbers, how often, and what may go wrong meanwhile."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from tallystick.config.table import Conflict, Table, key, one_of, start_of_names
from tallystick.model.address import Address

POLLED = {
    "ganglia": ("tcp",),
    "munin": ("tcp", "unix"),
    "prometheus": ("http", "https"),
}
"""Protocols of those who wait to be asked, and over what."""

POLL_OPTIONS: dict[str, tuple[str, ...]] = {
    "prefix": ("ganglia", "munin"),
    "query": ("ganglia",),
    "job": ("prometheus",),
    "labels": ("prometheus",),
    "user": ("prometheus",),
    "password_file": ("prometheus",),
    "token_file": ("prometheus",),
    "ca_file": ("prometheus",),
}
"""Keys of a poll that only some protocols have, and which."""

_LIMIT_S = 30


def _address(text: str) -> None:
    scheme = text.partition("://")[0]
    if scheme not in ("http", "https"):
        Address.parse(text, ("tcp", "unix", "http", "https"))
        return
    parts = urlsplit(text)
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError(f"{text!r} cannot be asked; expected http://host:port/path without user and fragment")


def _labels(labels: dict[str, str]) -> None:
    for name, value in labels.items():
        if not (name.isascii() and name.isidentifier()) or not value or not value.isprintable() or ";" in value:
            raise ValueError(f"label {name}={value!r} cannot be part of a name; expected letters, digits and _")


class Poll(Table, frozen=True):
    """Somebody who waits to be asked for his numbers. None by default."""

    protocol: Annotated[
        str,
        key(
            f"What is spoken: {', '.join(POLLED)}. Of ganglia it is the XML of gmond or gmetad.",
            one_of("protocol to poll", tuple(POLLED)),
        ),
    ]
    address: Annotated[str, key("tcp://host:port, unix:///path, or http://host:port/path and https://.", _address)]
    interval_s: Annotated[int, key("Seconds from one poll to the next.", ge=1, le=86400)] = 60
    timeout_s: Annotated[
        int, key(f"Longer answers are cut off; 0 is the interval, {_LIMIT_S} at most.", ge=0, le=3600)
    ] = 0
    answer_bytes_max: Annotated[int, key("What is longer is not read.", ge=1 << 10, le=1 << 30)] = 16 << 20
    prefix: Annotated[
        str, key("Stands before each name; empty is the name of the protocol.", start_of_names, max_length=200)
    ] = ""
    query: Annotated[
        str, key("What gmetad's interactive port is asked, as /web or /?filter=summary.", max_length=500)
    ] = ""
    job: Annotated[str, key("The label job of all series; empty is 'prometheus'.", max_length=200)] = ""
    labels: Annotated[dict[str, str], key("Further labels of all series.", _labels)] = msgspec.field(
        default_factory=dict
    )
    user: Annotated[str, key("Sent with the password of password_file (basic authentication).")] = ""
    password_file: Annotated[str, key("A file with the password; read at each poll.")] = ""
    token_file: Annotated[str, key("A file with a token, sent as 'Authorization: Bearer'; read at each poll.")] = ""
    ca_file: Annotated[str, key("Certificates that an https server's is checked with; empty for the system's.")] = ""

    @property
    def limit_s(self) -> int:
        """Seconds that a poll may take."""
        return self.timeout_s or min(self.interval_s, _LIMIT_S)

    @property
    def endpoint(self) -> Address:
        """The address of a socket, taken apart."""
        return Address.parse(self.address)

    def conflicts(self) -> Iterator[Conflict]:
        scheme, schemes = self.address.partition("://")[0], POLLED[self.protocol]
        if scheme not in schemes:
            yield ("address",), f"{self.protocol} is not asked over {scheme}; expected {' or '.join(schemes)}"
        for option, having in POLL_OPTIONS.items():
            if getattr(self, option) and self.protocol not in having:
                yield (option,), f"{self.protocol} has no such key; expected it for {' or '.join(having)}"
        if self.limit_s > self.interval_s:
            yield ("timeout_s",), f"{self.limit_s} s is longer than the interval; expected at most {self.interval_s}"
        if bool(self.user) != bool(self.password_file):
            yield ("user",), "a user needs a password and a password a user; expected user and password_file"
        if self.user and self.token_file:
            yield ("token_file",), "there is a user already; expected either of them"
