"""The protocol of MySQL and MariaDB, as much as it takes to ask simple queries: version 10, answers as text.

Who we are is proved by the user of a Unix socket, by ``mysql_native_password`` or by ``caching_sha2_password``; where
that wants the password itself, only if nobody else can listen (TLS, a Unix socket).

Source: https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
"""

import hashlib
import struct
from collections.abc import Mapping

from tallystick.agent.services.failure import RefusedError, ServiceError
from tallystick.agent.services.stream import Stream, trusting

Row = Mapping[str, str]
"""Values as text by column; those that are null are left out."""

_ROWS_MAX = 10_000
_PACKET_BYTES_MAX = 1 << 22
_UTF8MB4 = 45
_LONG_PASSWORD, _PROTOCOL_41, _TLS, _TRANSACTIONS, _SECURE, _PLUGINS = 1, 1 << 9, 1 << 11, 1 << 13, 1 << 15, 1 << 19
_OK, _MORE, _END, _ERROR = 0, 1, 0xFE, 0xFF
_QUERY, _QUIT = b"\x03", b"\x01"


class Mysql:
    """A session.

    Parameters
    ----------
    stream
        Fresh; it is the session's from now on.
    tls
        Whether to go on encrypted before anything secret is said.
    ca_file
        As of `tallystick.agent.services.stream.trusting`.
    """

    def __init__(self, stream: Stream, user: str, password: str, *, tls: bool = False, ca_file: str = "") -> None:
        self.version = ""
        """As the server spells it: ``8.0.36``, ``10.11.6-MariaDB-1``."""
        self._stream = stream
        self._sequence = 0
        self._user, self._password = user, password.encode()
        salt, plugin = self._greeting()
        flags = _LONG_PASSWORD | _PROTOCOL_41 | _TRANSACTIONS | _SECURE | _PLUGINS | (_TLS if tls else 0)
        head = struct.pack("<IIB23x", flags, _PACKET_BYTES_MAX, _UTF8MB4)
        if tls:
            if not self._offered & _TLS:
                raise ServiceError(f"cannot encrypt {stream.address}: it does not offer TLS; expected ssl_cert there")
            self._say(head)
            stream.secure(trusting(ca_file))
        proof = self._proof(plugin, salt)
        self._say(head + user.encode() + b"\0" + bytes((len(proof),)) + proof + plugin.encode() + b"\0")
        self._sign_in(plugin, salt)

    def query(self, statement: str) -> list[Row]:
        """Rows of the answer.

        Raises
        ------
        RefusedError
            If the server has an error instead.
        ServiceError
            If it does not speak as it should.
        """
        self._sequence = 0
        self._say(_QUERY + statement.encode())
        first = self._packet()
        if first[0] == _OK:
            return []
        count = _Fields(first, self).size()
        if not 0 < count <= 4096:
            raise self.wrong(f"announces {count} columns; expected up to 4096")
        columns = [_column(self._packet(), self) for _ in range(count)]
        self._packet()  # that these were all columns
        rows: list[Row] = []
        while not _is_end(packet := self._packet()):
            if len(rows) == _ROWS_MAX:
                raise self.wrong(f"has more than {_ROWS_MAX} rows")
            fields = _Fields(packet, self)
            values = [fields.text() for _ in columns]
            rows.append({name: value for name, value in zip(columns, values, strict=True) if value is not None})
        return rows

    def finish(self) -> None:
        """Take leave."""
        self._sequence = 0
        self._say(_QUIT)

    def wrong(self, what: str) -> ServiceError:
        """That the server does not speak as it should."""
        return ServiceError(f"cannot ask {self._stream.address}: it {what}")

    def _greeting(self) -> tuple[bytes, str]:
        """What the server mixes into proofs, and how it wants them."""
        packet = self._packet()
        version, ended, rest = packet[1:].partition(b"\0")
        if packet[0] != 10 or not ended or len(rest) < 31:
            raise self.wrong("greets otherwise; expected MySQL's protocol 10")
        self.version = version.decode("utf-8", "replace")[:100]
        self._offered = rest[13] | rest[14] << 8 | rest[18] << 16 | rest[19] << 24
        salt = (rest[4:12] + rest[31:43])[:20]
        plugin = rest[31 + max(13, rest[20] - 8) :].partition(b"\0")[0].decode("ascii", "replace")
        return salt, plugin or "mysql_native_password"

    def _sign_in(self, plugin: str, salt: bytes) -> None:
        while (packet := self._packet())[0] != _OK:
            if packet[0] == _END:
                name, _, data = packet[1:].partition(b"\0")
                plugin, salt = name.decode("ascii", "replace"), data[:20]
                self._say(self._proof(plugin, salt))
            elif packet[0] == _MORE and plugin == "caching_sha2_password" and packet[1:2] in (b"\x03", b"\x04"):
                if packet[1:2] == b"\x04":  # it does not have our hash at hand and wants the password itself
                    self._say(self._bare(plugin))
            else:
                raise self.wrong(f"wants a proof of {plugin[:40]} that is not given here")

    def _proof(self, plugin: str, salt: bytes) -> bytes:
        if not self._password:
            return b""
        if plugin == "mysql_native_password":
            return _scrambled("sha1", self._password, salt, salt_first=True)
        if plugin == "caching_sha2_password":
            return _scrambled("sha256", self._password, salt, salt_first=False)
        if plugin in ("auth_socket", "unix_socket"):
            return b""
        if plugin == "mysql_clear_password":
            return self._bare(plugin)
        raise self.wrong(f"wants proof by {plugin[:40]!r}; expected mysql_native_password or caching_sha2_password")

    def _bare(self, plugin: str) -> bytes:
        if not self._stream.private:
            raise self.wrong(f"wants the password itself ({plugin}); expected tls = true or a Unix socket for that")
        return self._password + b"\0"

    def _say(self, body: bytes) -> None:
        self._stream.send(struct.pack("<I", len(body))[:3] + bytes((self._sequence,)) + body)
        self._sequence = (self._sequence + 1) & 0xFF

    def _packet(self) -> bytes:
        head = self._stream.exactly(4)
        size = head[0] | head[1] << 8 | head[2] << 16
        self._sequence = (head[3] + 1) & 0xFF
        if not 0 < size <= _PACKET_BYTES_MAX:
            raise self.wrong(f"has a packet of {size} bytes; expected 1 to {_PACKET_BYTES_MAX}")
        packet = self._stream.exactly(size)
        if packet[0] == _ERROR:
            code = int.from_bytes(packet[1:3], "little")
            text = packet[9:309] if packet[3:4] == b"#" else packet[3:303]
            raise RefusedError(f"cannot ask {self._stream.address}: {text.decode('utf-8', 'replace')} ({code})")
        return packet


class _Fields:
    """What is in a packet, one after the other."""

    def __init__(self, packet: bytes, session: Mysql) -> None:
        self._packet = packet
        self._session = session
        self._at = 0

    def size(self) -> int:
        """A number of one to nine bytes; -1 is none (null)."""
        first = self._bytes(1)[0]
        if first < 0xFB:
            return first
        if first == 0xFB:
            return -1
        return int.from_bytes(self._bytes({0xFC: 2, 0xFD: 3}.get(first, 8)), "little")

    def text(self) -> str | None:
        size = self.size()
        return None if size < 0 else self._bytes(size).decode("utf-8", "replace")

    def _bytes(self, size: int) -> bytes:
        cut = self._packet[self._at : self._at + size]
        if len(cut) < size:
            raise self._session.wrong("has a packet that ends within a field")
        self._at += size
        return cut


def _is_end(packet: bytes) -> bool:
    return packet[0] == _END and len(packet) < 9


def _column(packet: bytes, session: Mysql) -> str:
    """The name in the description of a column: behind catalog, schema, table and the table's own name."""
    fields = _Fields(packet, session)
    return [fields.text() for _ in range(5)][4] or ""


def _scrambled(algorithm: str, password: bytes, salt: bytes, *, salt_first: bool) -> bytes:
    once = hashlib.new(algorithm, password, usedforsecurity=False).digest()
    twice = hashlib.new(algorithm, once, usedforsecurity=False).digest()
    mixed = hashlib.new(algorithm, salt + twice if salt_first else twice + salt, usedforsecurity=False).digest()
    return bytes(a ^ b for a, b in zip(once, mixed, strict=True))
