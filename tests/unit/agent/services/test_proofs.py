"""Proofs of passwords, looked at as the servers look at them: by what they keep, which is not the password."""

import contextlib
import hashlib
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.mysql import Mysql
from tallystick.agent.services.stream import Stream
from tallystick.model.address import Address

SALT = bytes(range(1, 21))
OK = b"\x00\x00\x00\x02\x00\x00\x00"
PASSWORD = "open-sesame"
Verify = Callable[[bytes], bytes]


def packet(sequence: int, body: bytes) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes((sequence,)) + body


def heard(connection: socket.socket) -> bytes:
    head = connection.recv(4, socket.MSG_WAITALL)
    return connection.recv(int.from_bytes(head[:3], "little"), socket.MSG_WAITALL)


def greeting(plugin: str) -> bytes:
    flags = 0x000FF7FF & ~(1 << 11)
    head = b"\x0a8.0.36\0" + struct.pack("<I", 1) + SALT[:8] + b"\0" + struct.pack("<H", flags & 0xFFFF) + b"\x2d\2\0"
    return head + struct.pack("<H", flags >> 16) + b"\x15" + bytes(10) + SALT[8:] + b"\0" + plugin.encode() + b"\0"


def native(proof: bytes) -> bytes:
    """As a server does that keeps SHA1(SHA1(password))."""
    kept = hashlib.sha1(hashlib.sha1(PASSWORD.encode()).digest()).digest()
    mask = hashlib.sha1(SALT + kept).digest()
    once = bytes(a ^ b for a, b in zip(proof, mask, strict=True))
    return OK if hashlib.sha1(once).digest() == kept else b"\xff\x15\x04#28000Access denied"


def caching(proof: bytes) -> bytes:
    """As a server does that keeps SHA256(SHA256(password))."""
    kept = hashlib.sha256(hashlib.sha256(PASSWORD.encode()).digest()).digest()
    mask = hashlib.sha256(kept + SALT).digest()
    once = bytes(a ^ b for a, b in zip(proof, mask, strict=True))
    return b"\x01\x03" if hashlib.sha256(once).digest() == kept else b"\xff\x15\x04#28000Access denied"


def forgetful(proof: bytes) -> bytes:
    """As a server does that has not the hash at hand, and wants the password itself."""
    return b"\x01\x04"


def server(listener: socket.socket, plugin: str, verify: Verify, switched: str, said: list[bytes]) -> None:
    """Takes one client, to whom it may say that it wants another proof than it first told."""
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):  # who has had enough hangs up
        connection.sendall(packet(0, greeting(plugin)))
        answer = heard(connection)[32:].partition(b"\0")[2]
        proof, sequence = answer[1 : 1 + answer[0]], 2
        if switched:
            connection.sendall(packet(sequence, b"\xfe" + switched.encode() + b"\0" + SALT + b"\0"))
            proof, sequence = heard(connection), sequence + 2
        verdict = verify(proof)
        connection.sendall(packet(sequence, verdict))
        if verdict == b"\x01\x04":
            said.append(heard(connection) if connection.recv(1, socket.MSG_PEEK) else b"")
            sequence += 1
        if verdict[:1] == b"\x01" and (not said or said[0]):
            connection.sendall(packet(sequence + 1, OK))


def sign_in(
    root: Path, password: str, plugin: str, verify: Verify, switched: str = "", *, local: bool = False
) -> list[bytes]:
    """Sign in at such a server; what it was told bare."""
    said: list[bytes] = []
    listener = socket.socket(socket.AF_UNIX) if local else socket.create_server(("127.0.0.1", 0))
    if local:
        listener.bind(str(root / "s"))
        listener.listen()
    address = Address("unix", path=str(root / "s")) if local else Address("tcp", "127.0.0.1", listener.getsockname()[1])
    thread = threading.Thread(target=server, args=(listener, plugin, verify, switched, said))
    thread.start()
    try:
        with listener, Stream(address, 20) as stream:
            Mysql(stream, "tallystick", password)
    finally:
        thread.join(20)
    return said


@pytest.mark.parametrize(
    ("plugin", "verify", "switched"),
    [
        ("mysql_native_password", native, ""),
        ("caching_sha2_password", caching, ""),
        ("caching_sha2_password", native, "mysql_native_password"),
        ("mysql_native_password", caching, "caching_sha2_password"),
    ],
)
def test_a_server_is_convinced_by_the_password_only(plugin: str, verify: Verify, switched: str, tmp_path: Path) -> None:
    sign_in(tmp_path, PASSWORD, plugin, verify, switched)
    with pytest.raises(ServiceError, match="Access denied"):
        sign_in(tmp_path, PASSWORD + "!", plugin, verify, switched)


def test_the_password_itself_is_said_where_nobody_else_can_listen(tmp_path: Path) -> None:
    assert sign_in(tmp_path, PASSWORD, "caching_sha2_password", forgetful, local=True) == [PASSWORD.encode() + b"\0"]
    with pytest.raises(ServiceError, match="expected tls = true or a Unix socket"):
        sign_in(tmp_path, PASSWORD, "caching_sha2_password", forgetful)


def test_a_proof_that_is_not_known_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="client_ed25519"):
        sign_in(tmp_path, PASSWORD, "mysql_native_password", forgetful, "client_ed25519")
