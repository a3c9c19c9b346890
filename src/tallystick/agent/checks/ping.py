"""Whether a host answers echo requests: ``checks.<name>.lost_percent``, ``seconds`` on average, ``seconds_max``.

Needs no privilege, but the kernel's permission to do so: the agent's group has to be in
``net.ipv4.ping_group_range``. Down for ``dns``, ``permission``, ``unreachable``, or ``timeout`` if too few come back.
"""

import select
import socket
import struct
import time
from collections.abc import Iterator
from typing import Annotated

from tallystick.agent.checks.base import Check, CheckError
from tallystick.agent.checks.registry import check
from tallystick.agent.checks.tcp import addresses
from tallystick.agent.collecting.tells import Told
from tallystick.config.table import Table, key
from tallystick.model.point import Point

_ECHO = struct.Struct("!BBHHH")
"""Type, code, checksum, identity and number; the kernel fills in checksum and identity."""
_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_PAYLOAD = b"tallystick check"
_PAUSE_S = 0.1


class Settings(Table, frozen=True):
    """Which host."""

    host: Annotated[str, key("Name or address.", min_length=1)]
    count: Annotated[int, key("Requests of a look.", ge=1, le=20)] = 3
    lost_percent_max: Annotated[int, key("Down if more of them are lost.", ge=0, le=99)] = 67


METRICS = (
    Told("lost_percent", "percent", "Requests that were not answered"),
    Told("seconds", "seconds", "Until one was answered, on average"),
    Told("seconds_max", "seconds", "Until one was answered, at most"),
)


@check("ping", Settings)
class Ping(Check[Settings]):
    """Datagram sockets of ICMP, so that the agent needs not be root."""

    TELLS = METRICS

    def look(self) -> Iterator[Point]:
        deadline = self.limits.begin()
        family, place = addresses(self.settings.host, 0)[0]
        took_s: list[float] = []
        try:
            with self._socket(family) as asked:
                for number in range(self.settings.count):
                    # What is left is shared by those that are still to come.
                    wait_s = deadline.left_s() / (self.settings.count - number) * 0.9
                    answer_s = self._echo(asked, family, place, number, wait_s)
                    took_s += [] if answer_s is None else [answer_s]
                    if answer_s is not None and number + 1 < self.settings.count:
                        time.sleep(min(_PAUSE_S, max(0.0, wait_s - answer_s)))
        except OSError as error:
            raise CheckError("unreachable", f"{place[0]}: {error.strerror or error}") from error
        lost = 100 * (1 - len(took_s) / self.settings.count)
        yield Point("lost_percent", round(lost, 3))
        if took_s:
            yield Point("seconds", round(sum(took_s) / len(took_s), 6))
            yield Point("seconds_max", round(max(took_s), 6))
        if lost > self.settings.lost_percent_max:
            raise CheckError("timeout", f"{place[0]} lost {lost:.0f} % of {self.settings.count} requests")

    def _socket(self, family: socket.AddressFamily) -> socket.socket:
        try:
            return socket.socket(family, socket.SOCK_DGRAM, _PROTOCOL[family])
        except PermissionError as error:
            raise CheckError(
                "permission",
                "the kernel does not let this user ping; expected its group in 'sysctl net.ipv4.ping_group_range'",
            ) from error

    def _echo(
        self, asked: socket.socket, family: socket.AddressFamily, place: tuple[str, int], number: int, wait_s: float
    ) -> float | None:
        """Seconds to the answer of one request; None if there is none in time."""
        began_s = time.monotonic()
        asked.sendto(_ECHO.pack(_REQUEST[family], 0, 0, 0, number) + _PAYLOAD, place)
        poll = select.poll()
        poll.register(asked, select.POLLIN)
        while (left_s := began_s + wait_s - time.monotonic()) > 0:
            if poll.poll(1000 * left_s):
                answer = asked.recv(2048)
                if len(answer) >= _ECHO.size and _ECHO.unpack_from(answer)[4] == number:  # else late, of one before
                    return time.monotonic() - began_s
        return None
