"""`TearingProxy`: a way to a server that cuts connections, delays what goes through, and tears it at any byte."""

import contextlib
import random
import socket
import threading
import time

_PIECE_BYTES = 1 << 16


class TearingProxy:
    """Listens on loopback, and hands on what comes to another port of it, until it does not.

    Parameters
    ----------
    port
        Where the server is; it may change, or be away.
    seed
        Decides when what happens.
    cut_bytes
        About so many bytes go through a connection before it is cut, in the middle of whatever is being sent.
    delay_s
        The longest that a piece is kept waiting.
    """

    def __init__(self, port: int, seed: int, cut_bytes: int, delay_s: float) -> None:
        self.server_port = port
        self.cuts = 0
        self.is_kind = False
        """Whether it does no harm any more."""
        self._choice = random.Random(seed)
        self._cut_bytes = cut_bytes
        self._delay_s = delay_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no further connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            ends = self._choice.expovariate(1 / self._cut_bytes), self._choice.expovariate(4 / self._cut_bytes)
            for source, target, end in ((client, server, ends[0]), (server, client, ends[1])):
                threading.Thread(target=self._carry, args=(source, target, int(end) + 1), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, left: int) -> None:
        """Hand on so many bytes, in pieces of any size, and then hang up on both, reset as often as closed."""
        with contextlib.suppress(OSError):
            while received := source.recv(self._choice.choice([1, 100, _PIECE_BYTES])):
                if self._choice.random() < 0.2 and not self.is_kind:
                    time.sleep(self._choice.uniform(0, self._delay_s))
                kept = len(received) if self.is_kind else min(left, len(received))
                target.sendall(received[:kept])
                left -= kept
                if left <= 0 and not self.is_kind:
                    self.cuts += 1
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
