"""Whether a TCP port is listened to, and if you like whether it says what it should.

``checks.<name>.connect_s`` is how long it took to connect, ``seconds`` all of it. Down for ``dns`` (the name is not
known), ``connect``, ``timeout`` or ``answer``.
"""

import re
import socket
import time
from collections.abc import Iterator
from typing import Annotated

from tallystick.agent.checks.base import Check, CheckError, Deadline
from tallystick.agent.checks.registry import check
from tallystick.agent.collecting.tells import Told
from tallystick.config.table import Table, expression, key
from tallystick.model.address import Address
from tallystick.model.point import Point

ANSWER_BYTES_MAX = 1 << 16


class Settings(Table, frozen=True):
    """Which port, and what it has to say."""

    address: Annotated[str, key("tcp://host:port.", lambda text: Address.parse(text, ("tcp",)))]
    send: Annotated[str, key("Said first, as 'PING\\r\\n'; empty to listen only.")] = ""
    expect: Annotated[
        str, key("Regular expression that its answer has to have in it; empty to connect only.", expression)
    ] = ""


METRICS = (
    Told("seconds", "seconds", "All of it"),
    Told("connect_s", "seconds", "of these: until there was a connection"),
)


@check("tcp", Settings)
class Tcp(Check[Settings]):
    """A connection for each look."""

    TELLS = METRICS

    def look(self) -> Iterator[Point]:
        address = Address.parse(self.settings.address, ("tcp",))
        began_s, deadline = time.monotonic(), self.limits.begin()
        with connected(addresses(address.host, address.port), deadline) as connection:
            yield Point("connect_s", round(time.monotonic() - began_s, 6))
            if self.settings.send or self.settings.expect:
                self._converse(connection, deadline)
        yield Point("seconds", round(time.monotonic() - began_s, 6))

    def _converse(self, connection: socket.socket, deadline: Deadline) -> None:
        answer = b""
        try:
            connection.settimeout(deadline.left_s())
            connection.sendall(self.settings.send.encode())
            while not re.search(self.settings.expect, answer.decode("utf-8", "replace")):
                connection.settimeout(deadline.left_s())
                piece = connection.recv(4096)
                answer += piece
                if not piece or len(answer) > ANSWER_BYTES_MAX:
                    raise CheckError("answer", f"it says {answer[:80]!r}; expected {self.settings.expect}")
        except TimeoutError as error:
            raise CheckError("timeout", f"it says {answer[:80]!r} and then nothing") from error
        except OSError as error:
            raise CheckError("answer", str(error)) from error


def addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """What a name stands for.

    Raises
    ------
    CheckError
        If nobody knows it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CheckError("dns", f"{host} is not known: {error.strerror or error}") from error
    return [(family, (str(place[0]), int(place[1]))) for family, _, _, _, place in found]


def connected(places: list[tuple[socket.AddressFamily, tuple[str, int]]], deadline: Deadline) -> socket.socket:
    """A connection to the first place that takes one.

    Raises
    ------
    CheckError
        If none does, with what the last of them said.
    """
    cause: CheckError | None = None
    for family, place in places:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(deadline.left_s())
            connection.connect(place)
        except TimeoutError:
            connection.close()
            cause = CheckError(
                "timeout", f"{place[0]} port {place[1]} takes no connection within {deadline.limit_s:g} s"
            )
        except OSError as error:
            connection.close()
            cause = CheckError("connect", f"{place[0]} port {place[1]}: {error.strerror or error}")
        else:
            return connection
    raise cause or CheckError("dns", "the name has no address")
