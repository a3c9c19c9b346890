"""`Link`: a connection to a door that speaks the native protocol, encrypted or not; frames out, answers in."""

import codecs
import select
import socket
import ssl
import time
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from tallystick.model.address import Address
from tallystick.native import messages
from tallystick.native.messages import FRAME_HEAD
from tallystick.sockets import connect

# Or the first look-up of an address would load it, and a child that is forked at that moment waits for it for ever.
codecs.lookup("idna")

CONNECT_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0
"""Who says nothing for so long while an answer is due has gone away without a word; his disk may be busy meanwhile."""
ANSWER_BYTES_MAX = 1 << 16


class Answer(NamedTuple):
    """A message of a server.

    Parameters
    ----------
    kind
        Its position in the union.
    number
        What it begins with: a version, or the number of a batch.
    patterns
        Of `BLOCKED`.
    """

    kind: int
    number: int
    patterns: tuple[str, ...] = ()


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """How servers are verified: by the certificates of a file, or by those that the system trusts.

    Raises
    ------
    OSError
        If the file cannot be read, or holds no certificates.
    """
    return ssl.create_default_context(cafile=ca_file or None)


class Link:
    """A connection to a server.

    Parameters
    ----------
    server
        A ``tcp``, ``tls`` or ``unix`` address; names are looked up anew for each connection.
    tls
        How a ``tls`` server is verified; by default as `tls_context` does.

    Raises
    ------
    OSError
        If nobody answers there, or somebody whom we do not trust.
    """

    def __init__(self, server: Address, tls: ssl.SSLContext | None = None) -> None:
        self._socket = _connected(server, tls)
        self._poll = select.poll()  # `select.select` fails in a process that has a thousand files open
        self._poll.register(self._socket, select.POLLIN)
        self._unread = b""
        self._due_since_s: float | None = None

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, frames: bytes | memoryview) -> None:
        """Send frames, the last of which may go on in the next call.

        Raises
        ------
        OSError
            If the connection broke, or nobody reads.
        """
        self._socket.sendall(frames)

    def wait(self, timeout_s: float, *, is_answer_due: bool, woken: socket.socket | None = None) -> bool:
        """Wait for the server, or for a byte at `woken`, which is read; True if the server said something or is gone.

        Raises
        ------
        TimeoutError
            If an answer is due for longer than `ANSWER_TIMEOUT_S`.
        """
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        if woken is not None:
            self._poll.register(woken, select.POLLIN)
        ready = {number for number, _ in self._poll.poll(1000 * timeout_s)}
        if woken is not None:
            self._poll.unregister(woken)
            if woken.fileno() in ready:
                woken.recv(4096)
        has_said = self._socket.fileno() in ready
        self._watch(is_due=is_answer_due and not has_said)
        return has_said

    def answers(self) -> Iterator[Answer]:
        """What the server said; nothing if it has not.

        Raises
        ------
        OSError
            If the connection broke or was closed.
        ValueError
            If the server says what is no answer.
        """
        self._unread += self._received()
        while len(self._unread) >= FRAME_HEAD.size:
            size, crc = FRAME_HEAD.unpack_from(self._unread)
            end = 4 + size
            if size > ANSWER_BYTES_MAX:
                raise ValueError(f"an answer of {size} bytes; expected at most {ANSWER_BYTES_MAX}")
            if len(self._unread) < end:
                return
            message, self._unread = self._unread[FRAME_HEAD.size : end], self._unread[end:]
            if zlib.crc32(message) != crc:
                raise ValueError("an answer whose checksum is wrong")
            yield _understood(message)

    def _received(self) -> bytes:
        # Encrypted bytes may be there of which nothing is for us: then a read would wait.
        self._socket.settimeout(0)
        try:
            received = self._socket.recv(1 << 16)
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""
        finally:
            self._socket.settimeout(SEND_TIMEOUT_S)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received

    def _watch(self, *, is_due: bool) -> None:
        now_s = time.monotonic()
        if not is_due:
            self._due_since_s = None
        elif self._due_since_s is None:
            self._due_since_s = now_s
        elif now_s - self._due_since_s > ANSWER_TIMEOUT_S:
            raise TimeoutError(f"no answer for {ANSWER_TIMEOUT_S:.0f} s")


def _connected(server: Address, tls: ssl.SSLContext | None) -> socket.socket:
    connection = connect(server, CONNECT_TIMEOUT_S)
    if not server.local:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if server.scheme == "tls":
        try:
            connection = (tls or tls_context()).wrap_socket(connection, server_hostname=server.host)
        except OSError:
            connection.close()
            raise
    connection.settimeout(SEND_TIMEOUT_S)
    return connection


def _understood(message: bytes) -> Answer:
    kind, position = messages.read_long(message, 0)
    if kind == messages.BLOCKED:
        version, patterns = messages.read_blocked(message, position)
        return Answer(kind, version, tuple(patterns))
    number, _ = messages.read_long(message, position)
    if kind == messages.WELCOME and number != messages.VERSION:
        raise ValueError(f"the server speaks version {number}; expected {messages.VERSION}")
    return Answer(kind, number)
