"""Processes that send bytes made beforehand, so that sending costs one core only what the system takes for it."""

import multiprocessing
import socket
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

_FORK = multiprocessing.get_context("fork")  # what is to be sent is shared, not copied


class Sender:
    """A process that gets ready, waits for `go`, works, and hands back what its work returns."""

    def __init__(self, prepare: Callable[[], Any], work: Callable[[Any], Any]) -> None:
        self._here, there = _FORK.Pipe()
        self._process = _FORK.Process(target=_run, args=(there, prepare, work), daemon=True)
        self._process.start()
        self._here.recv()

    def go(self) -> None:
        """Begin to send."""
        self._here.send(True)

    def result(self) -> Any:
        """Wait until all is sent."""
        found = self._here.recv()
        self._process.join()
        return found


def stream_sender(port: int, parts: Sequence[bytes | memoryview], pause_s: float = 0.0) -> Sender:
    """Sends over TCP, a part every `pause_s` seconds, and waits until the server has read all.

    Its result is the longest time in seconds that the system took to accept a part.
    """

    def work(connection: socket.socket) -> float:
        longest, due = 0.0, time.monotonic()
        for part in parts:
            began = time.monotonic()
            connection.sendall(part)
            longest = max(longest, time.monotonic() - began)
            due += pause_s
            time.sleep(max(due - time.monotonic(), 0))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            pass
        return longest

    return Sender(lambda: socket.create_connection(("127.0.0.1", port)), work)


def _run(pipe: Connection, prepare: Callable[[], Any], work: Callable[[Any], Any]) -> None:
    prepared = prepare()
    pipe.send(True)
    pipe.recv()
    pipe.send(work(prepared))
