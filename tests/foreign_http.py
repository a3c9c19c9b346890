"""A server that is none of ours: it answers whatever a test gives it, byte by byte."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = bytes | Callable[[socket.socket], None]


@dataclass(slots=True)
class Foreign:
    """Where it is, and what it was asked."""

    url: str
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def answering(*answers: Answer) -> Iterator[Foreign]:
    """Gives the answers to one connection each, the last one to all that follow."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        foreign = Foreign(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = threading.Thread(target=_serve, args=(listener, answers, foreign), daemon=True)
        server.start()
        try:
            yield foreign
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            server.join(20)


def http(body: bytes, media_type: str = "application/json", status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"content-type: {media_type}", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body


def _serve(listener: socket.socket, answers: tuple[Answer, ...], foreign: Foreign) -> None:
    number = 0
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(20)
            foreign.asked.append(_request(connection))
            answer = answers[min(number, len(answers) - 1)]
            number += 1
            try:
                if isinstance(answer, bytes):
                    connection.sendall(answer)
                else:
                    answer(connection)
            except OSError:
                pass  # who asked has hung up


def _request(connection: socket.socket) -> bytes:
    """A request with its body."""
    taken = b""
    while b"\r\n\r\n" not in taken:
        piece = connection.recv(65536)
        if not piece:
            return taken
        taken += piece
    head, _, body = taken.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
