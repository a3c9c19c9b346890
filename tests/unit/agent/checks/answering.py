"""Servers that checks are tried on, on ephemeral ports: TCP and TLS with an authority of its own, and DNS."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Conversation = Callable[[socket.socket], None]


@contextmanager
def serving(conversation: Conversation, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A TCP server that has this conversation with each who connects; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # closed
                    return
                with connection:
                    try:
                        talk = context.wrap_socket(connection, server_side=True) if context else connection
                        with talk:
                            conversation(talk)
                    except OSError:  # who is tried has hung up
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(10)


def http(*answers: bytes) -> Conversation:
    """Says these answers, one a connection; the last again and again."""
    left = list(answers)

    def talk(connection: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(4096)
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return talk


def page(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An answer of HTTP."""
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


class Authority:
    """Signs certificates for 127.0.0.1; `file` has its own.

    Parameters
    ----------
    directory
        Where files are written.
    """

    def __init__(self, directory: Path) -> None:
        self.file = directory / "ca.pem"
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")])
        own = self._builder(self._name, self._key.public_key(), 3650)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def context(self, days: int) -> ssl.SSLContext:
        """What a server shows: a certificate that expires in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        made = self._builder(name, key.public_key(), days).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        file = self._directory / f"server-{days}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=30))
            .not_valid_after(now + dt.timedelta(days=days))
        )


@contextmanager
def dns(answer: Callable[[bytes, bool], bytes | None]) -> Iterator[int]:
    """A DNS server on UDP and TCP; `answer` is given a question and whether it came by a stream."""

    def by_stream(connection: socket.socket) -> None:
        size = int.from_bytes(connection.recv(2), "big")
        said = answer(connection.recv(size), True) or b""
        connection.sendall(len(said).to_bytes(2, "big") + said)

    with serving(by_stream) as port, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", port))

        def serve() -> None:
            while True:
                asked, who = door.recvfrom(4096)
                if not asked:
                    return
                if (said := answer(asked, False)) is not None:
                    door.sendto(said, who)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            door.sendto(b"", ("127.0.0.1", port))
            thread.join(10)


def answered(asked: bytes, records: list[tuple[int, bytes]], code: int = 0, cut: bool = False) -> bytes:
    """An answer to a question; each record's name is a pointer to the question's."""
    flags = 0x8180 | code | (0x0200 if cut else 0)
    head = asked[:2] + flags.to_bytes(2, "big") + (1).to_bytes(2, "big") + len(records).to_bytes(2, "big") + bytes(4)
    said = b"".join(
        b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1" + bytes(4) + len(data).to_bytes(2, "big") + data
        for kind, data in records
    )
    return head + asked[12:] + said
