"""`Sender`: a good sender of one protocol, which goes away and comes back between messages as it likes."""

import random
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cramjam
import httpx2

from mixed.loads import Part, read, scheme_of
from servers import Server, finish, wait_until
from tallystick.web.writes import collectd

PATIENCE_S = 180.0
"""How long anything may take; others may be busy on the machine."""
HOST = "127.0.0.1"
"""Where good senders come from; those who misbehave have another address, as new names are held back by peer."""
AT_ONCE = 32
"""Datagrams that are sent before the ledger is asked whether they came."""
_PAUSE_S = 0.01
_LEAVES = 0.4
"""How likely a sender goes away after a part."""


@dataclass(frozen=True)
class Post:
    """How a protocol is sent over HTTP."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    encode: Callable[[bytes], bytes] = bytes
    method: str = "POST"


def _snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


_PROTOBUF, _PUSHED = "application/x-protobuf", "/metrics/job/mixed"
POSTS = {
    "collectd-http": Post(collectd.PATH, {"content-type": "application/json"}),
    "exposition": Post(_PUSHED, {"content-type": "text/plain; version=0.0.4"}, method="PUT"),
    "openmetrics": Post(_PUSHED, {"content-type": "application/openmetrics-text; version=1.0.0"}, method="PUT"),
    "opentsdb-json": Post("/api/put", {"content-type": "application/json"}),
    "otlp": Post("/v1/metrics", {"content-type": _PROTOBUF}),
    "otlp-json": Post("/v1/metrics", {"content-type": "application/json"}),
    "remote-write": Post("/api/v1/write", {"content-type": _PROTOBUF, "content-encoding": "snappy"}, _snappy),
    "remote-write-2": Post(
        "/api/v1/write",
        {"content-type": f"{_PROTOBUF};proto=io.prometheus.write.v2.Request", "content-encoding": "snappy"},
        _snappy,
    ),
}
"""Protocols that have no listener; a test holds this to what is registered."""

_TALKING = ("native", "opentsdb")
"""Protocols of streams whose servers say something: what they said must be read before a connection is closed."""


class Sender:
    """Sends the parts of one protocol.

    Parameters
    ----------
    seed
        Of when it goes away.
    """

    def __init__(self, server: Server, protocol: str, seed: float) -> None:
        self.protocol = protocol
        self.offered = 0.0
        """What was sent or was being sent, as the store counts it."""
        self.taken = 0.0
        """What was acknowledged of that: nothing where there are no answers."""
        self._server = server
        self._chance = random.Random(seed)
        self._connection: socket.socket | None = None
        self._client: httpx2.Client | None = None

    @property
    def source(self) -> str:
        """What the ledger calls the door that it sends to."""
        if self.protocol in POSTS:
            path = POSTS[self.protocol].path
            return "http " + ("/metrics/job" if path == _PUSHED else path)
        door = f"{self.protocol} {scheme_of(self.protocol)}"
        return f"{self.protocol} {scheme_of(self.protocol)}://{self._server.doors[door]}"

    def send_all(self, parts: list[Part]) -> None:
        """Send each part once; nothing may be lost."""
        for part in parts:
            self.offered += part.weight
            if self.protocol in POSTS or scheme_of(self.protocol) == "tcp":
                assert self._send(part), f"{self.protocol}: a body was not taken"
            else:
                self._send_slowly(part)
        self._leave()

    def send_until(self, over: threading.Event, dying: threading.Event, parts: list[Part]) -> None:
        """Send parts again and again until it is over; once the server dies, anything may fail."""
        try:
            while not over.is_set():
                part = self._chance.choice(parts)
                self.offered += part.weight
                if self._send(part) and self.protocol in POSTS:
                    self.taken += part.weight
                over.wait(_PAUSE_S)
        except (OSError, AssertionError, httpx2.TransportError):
            if not dying.is_set():
                raise
        finally:
            self._drop()

    def _send(self, part: Part) -> bool:
        """Send a part; False if the server said that it had no room for it."""
        if self.protocol in POSTS:
            taken = self._post(part)
        elif scheme_of(self.protocol) == "tcp":
            if self._connection is None:
                self._connection = socket.create_connection(self._address, timeout=PATIENCE_S)
            self._connection.sendall(b"".join(part.pieces))
            taken = True
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for piece in part.pieces:
                    sender.sendto(piece, self._address)
            return True
        if self.protocol == "native" or self._chance.random() < _LEAVES:  # each part of it begins with a greeting
            self._leave()
        return taken

    def _post(self, part: Part) -> bool:
        """Post a part, which is one body; False where the server has no room for it now."""
        (piece,) = part.pieces
        post = POSTS[self.protocol]
        if self._client is None:
            self._client = httpx2.Client(timeout=PATIENCE_S, verify=False)
        url = self._server.url + post.path
        answer = self._client.request(post.method, url, content=post.encode(piece), headers=post.headers)
        assert answer.is_success or answer.status_code == 503, f"{answer.status_code} {answer.text[:300]}"
        return answer.is_success

    def _send_slowly(self, part: Part) -> None:
        """Never more than the socket's buffer surely holds: nothing may be lost, or nothing could be told of it."""
        before = self._received()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for first in range(0, len(part.pieces), AT_ONCE):
                for piece in part.pieces[first : first + AT_ONCE]:
                    sender.sendto(piece, self._address)
                due = before + read(self.protocol, part.pieces[: first + AT_ONCE])[0]
                wait_until(lambda due=due: self._received() >= due, f"{self.protocol} to come", wait_s=PATIENCE_S)

    def _leave(self) -> None:
        """Go away in order: what was sent arrives."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with connection:
                if self.protocol in _TALKING or self._chance.random() < 0.5:
                    finish(connection)
        if self._client is not None:
            self._client.close()
            self._client = None

    def _drop(self) -> None:
        """Let go of what is still open."""
        connection, self._connection = self._connection, None
        client, self._client = self._client, None
        for one in (connection, client):
            if one is not None:
                one.close()

    def _received(self) -> int:
        found: list[dict[str, Any]] = self._server.get("/ledger")["sources"]
        return sum(balance["received"] for balance in found if balance["source"] == self.source)

    @property
    def _address(self) -> tuple[str, int]:
        return HOST, self._server.port(f"{self.protocol} {scheme_of(self.protocol)}")
