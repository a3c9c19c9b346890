"""Whether a name resolves, and to what: ``checks.<name>.seconds``, ``answers``.

By the system's resolver, or by a server of your choice, asked directly. Down for ``dns`` (the name is not known, or the
server failed), ``answer`` if it is another one than expected, ``timeout``, or ``protocol``.
"""

import secrets
import socket
import time
from collections.abc import Iterator
from typing import Annotated

from tallystick.agent.checks.base import Check, CheckError, Deadline
from tallystick.agent.checks.messages import TYPES, answers, question
from tallystick.agent.checks.registry import check
from tallystick.agent.checks.tcp import addresses, connected
from tallystick.agent.collecting.tells import Told
from tallystick.config.table import Conflict, Table, key, one_of
from tallystick.model.address import host_port
from tallystick.model.point import Point

_DATAGRAM_BYTES = 4096
_TRIES = 2


def _server(text: str) -> None:
    if text:
        host_port(text)


def _name_of_dns(text: str) -> None:
    try:
        question(0, text, TYPES["A"])
    except UnicodeError as error:
        raise ValueError(f"{text!r} is no name: {error}; expected words with dots between them") from error


class Settings(Table, frozen=True):
    """Which name, and what it has to resolve to."""

    query: Annotated[str, key("The name that is asked for.", _name_of_dns)]
    type: Annotated[
        str, key(f"One of {', '.join(TYPES)}; others than A and AAAA need a server.", one_of("type", tuple(TYPES)))
    ] = "A"
    server: Annotated[str, key("host:port of the server that is asked; empty for the system's resolver.", _server)] = ""
    expect: Annotated[tuple[str, ...], key("What all has to be in the answer; empty for any answer.")] = ()

    def conflicts(self) -> Iterator[Conflict]:
        if not self.server and self.type not in ("A", "AAAA"):
            yield ("type",), f"the system's resolver is not asked for {self.type}; expected a server beside it"


METRICS = (Told("seconds", "seconds", "Until it was answered"), Told("answers", "addresses", "Answers"))


@check("dns", Settings)
class Dns(Check[Settings]):
    """One question a look; over TCP if the answer is too long for a datagram."""

    TELLS = METRICS

    def look(self) -> Iterator[Point]:
        began_s, deadline = time.monotonic(), self.limits.begin()
        found = self._of_server(deadline) if self.settings.server else self._of_system()
        yield Point("seconds", round(time.monotonic() - began_s, 6))
        yield Point("answers", float(len(found)))
        missing = [text for text in self.settings.expect if text.lower().rstrip(".") not in found]
        if missing:
            raise CheckError("answer", f"{', '.join(found)[:200]} without {', '.join(missing)}")
        if not found:
            raise CheckError("dns", f"{self.settings.query} has no {self.settings.type}")

    def _of_system(self) -> list[str]:
        family = socket.AF_INET if self.settings.type == "A" else socket.AF_INET6
        try:
            told = socket.getaddrinfo(self.settings.query, None, family, socket.SOCK_STREAM)
        except OSError as error:
            raise CheckError("dns", f"{self.settings.query}: {error.strerror or error}") from error
        return sorted({str(place[0]).lower() for *_, place in told})

    def _of_server(self, deadline: Deadline) -> list[str]:
        number = secrets.randbelow(1 << 16)
        asked = question(number, self.settings.query, TYPES[self.settings.type])
        host, port = host_port(self.settings.server)
        answer = self._by_datagram(asked, addresses(host, port)[0], deadline)
        if answer[2] & 0x02:  # cut off
            answer = self._by_stream(asked, addresses(host, port), deadline)
        try:
            code, found = answers(answer, asked, TYPES[self.settings.type])
        except ValueError as error:
            raise CheckError("protocol", str(error)) from error
        if code:
            words = {2: "it failed", 3: "there is no such name", 5: "it refuses"}
            raise CheckError("dns", f"{self.settings.server} says: {words.get(code, f'error {code}')}")
        return found

    def _by_datagram(
        self, asked: bytes, place: tuple[socket.AddressFamily, tuple[str, int]], deadline: Deadline
    ) -> bytes:
        with socket.socket(place[0], socket.SOCK_DGRAM) as connection:
            try:
                connection.connect(place[1])  # nobody else can answer then
                for turn in range(_TRIES):  # a datagram may be lost
                    connection.send(asked)
                    ends_s = time.monotonic() + deadline.left_s() / (_TRIES - turn) * 0.9
                    while (left_s := ends_s - time.monotonic()) > 0:
                        connection.settimeout(left_s)
                        try:
                            answer = connection.recv(_DATAGRAM_BYTES)
                        except TimeoutError:
                            break
                        if len(answer) >= 12 and answer[:2] == asked[:2]:  # else to another question
                            return answer
            except OSError as error:
                raise CheckError("dns", f"{self.settings.server}: {error.strerror or error}") from error
        raise CheckError("timeout", f"{self.settings.server} does not answer within {deadline.limit_s:g} s")

    def _by_stream(
        self, asked: bytes, places: list[tuple[socket.AddressFamily, tuple[str, int]]], deadline: Deadline
    ) -> bytes:
        with connected(places, deadline) as connection:
            try:
                connection.sendall(len(asked).to_bytes(2, "big") + asked)
                size = int.from_bytes(_exactly(connection, 2, deadline), "big")
                return _exactly(connection, max(size, 12), deadline)
            except TimeoutError as error:
                raise CheckError("timeout", f"{self.settings.server} does not answer over TCP") from error
            except OSError as error:
                raise CheckError("protocol", f"{self.settings.server}: {error.strerror or error}") from error


def _exactly(connection: socket.socket, size: int, deadline: Deadline) -> bytes:
    taken = b""
    while len(taken) < size:
        connection.settimeout(deadline.left_s())
        piece = connection.recv(size - len(taken))
        if not piece:
            raise CheckError("protocol", "the server hung up in the middle of its answer")
        taken += piece
    return taken
