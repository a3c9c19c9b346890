"""PostgreSQL's protocol, as much as it takes to ask simple queries: version 3.0, answers as text.

Who we are is proved by the peer of a Unix socket, by SCRAM-SHA-256 (RFC 5802, 7677), by MD5, or, where nobody else can
listen (TLS, a Unix socket), by the password itself. A server may not make us work for long: rounds of SCRAM are
limited.

Source: https://www.postgresql.org/docs/current/protocol.html
"""

import hashlib
import hmac
import secrets
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping

from tallystick.agent.services.failure import RefusedError, ServiceError
from tallystick.agent.services.stream import Stream

Row = Mapping[str, str]
"""Values as text by column; those that are null are left out."""

_ROWS_MAX = 10_000
_ROUNDS_MAX = 200_000
_PROTOCOL = 196_608
_TLS_REQUEST = 80_877_103


class Postgres:
    """A session.

    Parameters
    ----------
    stream
        Fresh; it is the session's from now on.
    options
        What the server's settings are to be meanwhile.
    """

    def __init__(
        self, stream: Stream, user: str, database: str, password: str, options: Mapping[str, str] | None = None
    ) -> None:
        self.parameters: dict[str, str] = {}
        """What the server tells of itself: ``server_version`` and so on."""
        self._stream = stream
        settings = {"user": user, "database": database, "client_encoding": "UTF8", **(options or {})}
        pairs = b"".join(_text(word) for pair in settings.items() for word in pair)
        body = struct.pack(">I", _PROTOCOL) + pairs + b"\0"
        stream.send(struct.pack(">I", 4 + len(body)) + body)
        self._prove(user, password)
        self._until_ready()

    @property
    def version(self) -> int:
        """The server's major version; 0 if it does not say."""
        digits = self.parameters.get("server_version", "").partition(".")[0].split("devel")[0].split("beta")[0]
        return int(digits) if digits.isdigit() and len(digits) < 5 else 0

    def query(self, statement: str) -> list[Row]:
        """Rows of the answer.

        Raises
        ------
        RefusedError
            If the server has an error instead.
        ServiceError
            If it does not speak as it should.
        """
        self._send(b"Q", _text(statement))
        columns: list[str] = []
        rows: list[Row] = []
        for kind, body in self._until_ready():
            if kind == b"T":
                columns = _columns(body)
            elif kind == b"D":
                if len(rows) == _ROWS_MAX:
                    raise ServiceError(f"cannot read {self._stream.address}: more than {_ROWS_MAX} rows")
                rows.append({name: value for name, value in zip(columns, _fields(body), strict=False) if value})
        return rows

    def finish(self) -> None:
        """Take leave."""
        self._send(b"X", b"")

    def _until_ready(self) -> list[tuple[bytes, bytes]]:
        """Messages up to the one that says that it is our turn."""
        messages, refusal = [], ""
        while True:
            kind, body = self._message()
            if kind == b"Z":
                break
            if kind == b"E":
                refusal = _told(body)
                if b"VFATAL\0" in body or b"VPANIC\0" in body:  # it hangs up
                    raise ServiceError(f"cannot ask {self._stream.address}: {refusal}")
            elif kind == b"S":
                name, _, rest = body.partition(b"\0")
                self.parameters[_read(name)] = _read(rest.rstrip(b"\0"))
            elif kind in (b"T", b"D"):
                messages.append((kind, body))
        if refusal:
            raise RefusedError(f"cannot query {self._stream.address}: {refusal}")
        return messages

    def _prove(self, user: str, password: str) -> None:
        scram: _Scram | None = None
        while True:
            kind, body = self._message()
            if kind == b"E":
                raise ServiceError(f"cannot sign in at {self._stream.address} as {user}: {_told(body)}")
            if kind != b"R" or len(body) < 4:
                continue  # a notice
            (asked,), rest = struct.unpack_from(">I", body), body[4:]
            if asked == 0:
                if scram and not scram.proved:
                    raise self._wrong("says yes before it proved that it knows the password")
                return
            if not password:
                raise ServiceError(
                    f"cannot sign in at {self._stream.address} as {user}: it wants a password; expected one in "
                    "password_file, password_env or ~/.pgpass"
                )
            if asked == 3 and self._stream.private:
                self._send(b"p", _text(password))
            elif asked == 5 and len(rest) >= 4:
                self._send(b"p", _text(_md5(user, password, rest[:4])))
            elif asked == 10 and b"SCRAM-SHA-256" in rest.split(b"\0"):
                scram = _Scram(password)
                first = scram.first()
                self._send(b"p", _text("SCRAM-SHA-256") + struct.pack(">I", len(first)) + first)
            elif asked == 11 and scram:
                self._send(b"p", self._checked(scram.last, rest))
            elif asked == 12 and scram:
                self._checked(scram.verify, rest)
            else:
                raise self._wrong(f"wants proof {asked}, which is not given here; expected SCRAM-SHA-256, or TLS")

    def _checked(self, step: Callable[[bytes], bytes], data: bytes) -> bytes:
        try:
            return step(data)
        except ValueError as error:
            raise self._wrong(f"{error}") from error

    def _send(self, kind: bytes, body: bytes) -> None:
        self._stream.send(kind + struct.pack(">I", 4 + len(body)) + body)

    def _message(self) -> tuple[bytes, bytes]:
        head = self._stream.exactly(5)
        size = struct.unpack_from(">I", head, 1)[0]
        if size < 4 or not head[:1].isalpha():
            raise self._wrong("speaks another protocol; expected PostgreSQL's")
        return head[:1], self._stream.exactly(size - 4)

    def _wrong(self, what: str) -> ServiceError:
        return ServiceError(f"cannot ask {self._stream.address}: it {what}")


def ask_for_tls(stream: Stream) -> None:
    """Have the server agree to go on over TLS.

    Raises
    ------
    ServiceError
        If it does not.
    """
    stream.send(struct.pack(">II", 8, _TLS_REQUEST))
    if stream.exactly(1) != b"S":
        raise ServiceError(f"cannot encrypt {stream.address}: it does not agree; expected ssl = on there")


class _Scram:
    """The client's side of SCRAM-SHA-256, without channel binding."""

    def __init__(self, password: str) -> None:
        self.proved = False
        self._password = password.encode()
        self._nonce = b64encode(secrets.token_bytes(18)).decode()
        self._signature = b""

    def first(self) -> bytes:
        return f"n,,n=,r={self._nonce}".encode()

    def last(self, challenge: bytes) -> bytes:
        """The proof that we know the password.

        Raises
        ------
        ValueError
            If the challenge is none.
        """
        told = _pairs(challenge)
        nonce, rounds = told.get("r", ""), told.get("i", "")
        if not nonce.startswith(self._nonce) or nonce == self._nonce or not rounds.isdigit():
            raise ValueError("has no challenge of SCRAM")
        if not 1 <= int(rounds[:10]) <= _ROUNDS_MAX:
            raise ValueError(f"wants {rounds[:10]} rounds of SCRAM; expected up to {_ROUNDS_MAX}")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, b64decode(told.get("s", "")), int(rounds))
        bare = f"c=biws,r={nonce}"
        signed = ",".join((f"n=,r={self._nonce}", challenge.decode(), bare)).encode()
        key = _sign(salted, b"Client Key")
        mask = _sign(hashlib.sha256(key).digest(), signed)
        self._signature = _sign(_sign(salted, b"Server Key"), signed)
        proof = bytes(a ^ b for a, b in zip(key, mask, strict=True))
        return f"{bare},p={b64encode(proof).decode()}".encode()

    def verify(self, answer: bytes) -> bytes:
        """Take the server's own proof.

        Raises
        ------
        ValueError
            If it does not know the password.
        """
        if not self._signature or not hmac.compare_digest(b64decode(_pairs(answer).get("v", "")), self._signature):
            raise ValueError("does not know the password itself: it is another server")
        self.proved = True
        return b""


def _sign(secret: bytes, text: bytes) -> bytes:
    return hmac.digest(secret, text, "sha256")


def _md5(user: str, password: str, salt: bytes) -> str:
    inner = hashlib.md5((password + user).encode(), usedforsecurity=False).hexdigest()
    return "md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest()


def _pairs(text: bytes) -> dict[str, str]:
    """``r=...,s=...``; a ValueError if it is no text."""
    return {pair[:1]: pair[2:] for pair in text.decode().split(",")}


def _columns(body: bytes) -> list[str]:
    """Names of the columns in the description of rows."""
    names, at = [], 2
    while (end := body.find(b"\0", at)) > 0:
        names.append(_read(body[at:end]))
        at = end + 19
    return names


def _fields(body: bytes) -> Iterator[str | None]:
    at = 2
    while at + 4 <= len(body):
        (size,) = struct.unpack_from(">i", body, at)
        at += 4
        if size < 0:
            yield None
        else:
            yield _read(body[at : at + size])
            at += size


def _told(body: bytes) -> str:
    """An error in the server's words: its message, and its code."""
    fields = {part[:1]: _read(part[1:]) for part in body.split(b"\0") if part}
    return f"{fields.get(b'M', 'an error')[:300]} ({fields.get(b'C', '?')[:10]})"


def _text(text: str) -> bytes:
    return text.replace("\0", "").encode() + b"\0"


def _read(data: bytes) -> str:
    return data.decode("utf-8", "replace")
