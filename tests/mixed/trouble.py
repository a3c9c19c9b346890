"""`Trouble`: those who misbehave, from an address of their own: garbage, floods of names, messages that end early."""

import contextlib
import random
import socket
import threading
import time

from mixed.loads import FLOOD, scheme_of
from mixed.senders import PATIENCE_S, POSTS
from servers import Server
from tallystick.config import PROTOCOLS

HOST = "127.0.0.2"
_FROM = (HOST, 0)
_NAMES_AT_ONCE = 200
_PAUSE_S = 0.02


class Trouble:
    """Threads that misbehave from `start` to `stop`."""

    def __init__(self, server: Server, chance: random.Random, threads: int = 2) -> None:
        self._server = server
        self._over = threading.Event()
        self._dying = threading.Event()
        self._failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._run, args=(chance.random(),)) for _ in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def server_dies(self) -> None:
        """From now on nobody need listen."""
        self._dying.set()

    def stop(self) -> None:
        """End; raises what failed while the server was alive."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _run(self, seed: float) -> None:
        chance = random.Random(seed)
        turns = self._garbage, self._flood, self._cut, self._half_body
        while not self._over.is_set():
            try:
                chance.choice(turns)(chance)
            except OSError as error:
                if not self._dying.is_set():
                    self._failures.append(error)
                    return
            self._over.wait(_PAUSE_S)

    def _garbage(self, chance: random.Random) -> None:
        noise = chance.randbytes(chance.randrange(1, 4000)).replace(b"\n", b"\x00\n")
        self._throw(chance.choice(sorted(PROTOCOLS)), noise)

    def _flood(self, chance: random.Random) -> None:
        now_s = int(time.time())
        lines = [f"{FLOOD}x{chance.getrandbits(60)} 1 {now_s}\n" for _ in range(_NAMES_AT_ONCE)]
        self._throw("carbon", "".join(lines).encode())

    def _cut(self, chance: random.Random) -> None:
        line = f"{FLOOD}cut 1 {time.time():.0f}\n".encode()
        self._throw("carbon", line * 20 + line[: chance.randrange(1, len(line))])

    def _half_body(self, chance: random.Random) -> None:
        path = chance.choice(list(POSTS.values())).path
        host, _, port = self._server.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), PATIENCE_S, _FROM) as web:
            web.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5000\r\n\r\nxx".encode())

    def _throw(self, protocol: str, data: bytes) -> None:
        """Send without asking what became of it; the connection may end as it likes."""
        address = "127.0.0.1", self._server.port(f"{protocol} {scheme_of(protocol)}")
        if scheme_of(protocol) == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(_FROM)
                sender.sendto(data[:1400], address)
            return
        with socket.create_connection(address, PATIENCE_S, _FROM) as connection, contextlib.suppress(OSError):
            connection.sendall(data)
