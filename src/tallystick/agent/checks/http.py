"""Whether a URL answers as it should, how fast, and for how long its certificate is good.

``checks.<name>.seconds`` is all of it, of which ``dns_s``, ``connect_s``, ``tls_s`` and ``first_byte_s`` (from the
request to the first byte of the answer) are parts; ``status``, ``body_bytes``, ``certificate_days`` until it expires.
Down for ``dns``, ``connect``, ``tls``, ``timeout``, ``protocol``, ``status``, ``body``, ``redirects``, ``certificate``.
"""

import re
import time
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import SplitResult, urljoin, urlsplit

from tallystick.agent.checks.base import Check, CheckError, Deadline
from tallystick.agent.checks.registry import check
from tallystick.agent.checks.tcp import addresses, connected
from tallystick.agent.collecting.tells import Told
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.stream import Stream, trusting
from tallystick.agent.services.web import Answer, check_url, read_answer
from tallystick.config.table import Table, expression, key
from tallystick.model.address import Address
from tallystick.model.point import Point
from tallystick.version import __version__

_DAY_S = 86400
_REDIRECTS = (301, 302, 303, 307, 308)


class Settings(Table, frozen=True):
    """What is asked, and what it has to answer."""

    url: Annotated[str, key("http://host:port/path or https://.", check_url)]
    status: Annotated[tuple[int, ...], key("What it may answer.", min_length=1)] = (200,)
    body: Annotated[str, key("Regular expression that the answer has to have in it; empty for any.", expression)] = ""
    bytes_max: Annotated[int, key("A longer answer is not read.", ge=1 << 10, le=1 << 26)] = 1 << 20
    redirects_max: Annotated[int, key("So many are followed; 0 if the redirect is the answer.", ge=0, le=20)] = 5
    certificate_days_min: Annotated[int, key("Down if its certificate expires sooner.", ge=0)] = 0
    ca_file: Annotated[str, key("Certificates that its own is checked with; empty for the system's.")] = ""


METRICS = (
    Told("seconds", "seconds", "All of it, with redirects"),
    Told("dns_s", "seconds", "of these: until the name was known"),
    Told("connect_s", "seconds", "of these: until there was a connection"),
    Told("tls_s", "seconds", "of these: until it was encrypted"),
    Told("first_byte_s", "seconds", "of these: from the request to the first byte of the answer"),
    Told("status", "1", "Status of the answer"),
    Told("body_bytes", "bytes", "Length of the answer's body"),
    Told("certificate_days", "days", "Until the certificate expires"),
)


@check("http", Settings)
class Http(Check[Settings]):
    """One GET a look, on a connection of its own; no proxy of the environment."""

    TELLS = METRICS

    def look(self) -> Iterator[Point]:
        began_s, deadline, url = time.monotonic(), self.limits.begin(), self.settings.url
        for _ in range(self.settings.redirects_max + 1):
            points: list[Point] = []
            try:
                answer = self._ask(urlsplit(url), deadline, points)
            finally:
                yield from points
            to = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not to or self.settings.redirects_max == 0:
                break
            url = self._followed(url, to)
        else:
            raise CheckError("redirects", f"more than {self.settings.redirects_max}, the last of them to {url[:200]}")
        yield Point("seconds", round(time.monotonic() - began_s, 6))
        yield Point("status", float(answer.status))
        yield Point("body_bytes", float(len(answer.body)))
        if answer.status not in self.settings.status:
            raise CheckError("status", f"{answer.status}; expected {' or '.join(map(str, self.settings.status))}")
        if not re.search(self.settings.body, answer.text()):
            raise CheckError("body", f"{answer.text()[:80]!r} ...; expected {self.settings.body}")

    def _ask(self, url: SplitResult, deadline: Deadline, points: list[Point]) -> Answer:
        secure = url.scheme == "https"
        address = Address("tcp", url.hostname or "", url.port or (443 if secure else 80))
        began_s = time.monotonic()
        places = addresses(address.host, address.port)
        found_s = time.monotonic()
        points.append(Point("dns_s", round(found_s - began_s, 6)))
        connection = connected(places, deadline)
        at_s = time.monotonic()
        points.append(Point("connect_s", round(at_s - found_s, 6)))
        with Stream(address, deadline.left_s(), self.settings.bytes_max, connection=connection) as stream:
            if secure:
                self._secure(stream)
                points.append(Point("tls_s", round(time.monotonic() - at_s, 6)))
                points.append(self._days_left(stream))
                at_s = time.monotonic()
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            head = f"GET {target} HTTP/1.1\r\nHost: {url.netloc}\r\nUser-Agent: tallystick/{__version__}\r\n"
            try:
                stream.send(f"{head}Accept: */*\r\nConnection: close\r\n\r\n".encode())
                stream.begun()
                points.append(Point("first_byte_s", round(time.monotonic() - at_s, 6)))
                answer = read_answer(stream, self.settings.bytes_max)
            except ServiceError as error:
                deadline.left_s()
                raise CheckError("protocol", str(error)) from error
        self._look_at_days(points)
        return answer

    def _secure(self, stream: Stream) -> None:
        try:
            stream.secure(trusting(self.settings.ca_file))
        except ServiceError as error:
            raise CheckError("tls", str(error)) from error

    def _days_left(self, stream: Stream) -> Point:
        from ssl import cert_time_to_seconds

        expires_s = cert_time_to_seconds(str(stream.certificate["notAfter"]))
        return Point("certificate_days", round((expires_s - self.clock.now()) / _DAY_S, 3))

    def _look_at_days(self, points: list[Point]) -> None:
        for point in points:
            least = self.settings.certificate_days_min
            if point.name == "certificate_days" and point.value < least:
                raise CheckError("certificate", f"expires in {point.value:g} days; expected {least} at least")

    def _followed(self, url: str, to: str) -> str:
        following = urljoin(url, to)
        try:
            check_url(following)
        except ValueError as error:
            raise CheckError("redirects", str(error)) from error
        return following
