"""A conversation with a service over a socket, within a time and a number of bytes."""

import socket
import time
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tallystick.agent.services.failure import ServiceError
from tallystick.model.address import Address
from tallystick.sockets import connect

if TYPE_CHECKING:  # megabytes that an agent without TLS does not need
    from ssl import SSLContext

LINE_BYTES_MAX = 1 << 16
_PIECE_BYTES = 1 << 14


class Stream:
    """A connection; what is said on it may take so long and be so much only.

    Parameters
    ----------
    address
        ``tcp`` or ``unix``.
    limit_s
        Seconds for all of it, from now.
    bytes_max
        Of all that the service says.
    connection
        If there is one already.

    Raises
    ------
    ServiceError
        From each method, if the service cannot be reached, says too much, takes too long or hangs up.
    """

    def __init__(
        self, address: Address, limit_s: float, bytes_max: int = 4 << 20, *, connection: socket.socket | None = None
    ) -> None:
        self.address = address
        self._ends_s = time.monotonic() + limit_s
        self._limit_s = limit_s
        self._bytes_max = bytes_max
        self._taken = 0
        self.private = address.local
        """Whether nobody else can listen: a file of this machine, or encrypted."""
        self._buffer = bytearray()
        self._socket = self._connected() if connection is None else connection

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def secure(self, context: "SSLContext") -> None:
        """Go on encrypted."""
        if self._buffer:  # said in the clear before: it would be taken for what was encrypted
            raise ServiceError(f"cannot encrypt {self.address}: it spoke before it was its turn; expected TLS")
        try:
            self._socket = context.wrap_socket(self._timed(), server_hostname=self.address.host or None)
        except OSError as error:
            raise self._failure(error) from error
        self.private = True

    @property
    def certificate(self) -> dict[str, Any]:
        """What the service has shown, as Python's own TLS tells it; empty if it is not encrypted."""
        shown: dict[str, Any] | None = getattr(self._socket, "getpeercert", dict)()
        return shown or {}

    def begun(self) -> None:
        """Wait for the first byte of what it says."""
        if not self._buffer:
            self._more()

    def send(self, data: bytes) -> None:
        """Say all of it."""
        try:
            self._timed().sendall(data)
        except OSError as error:
            raise self._failure(error) from error

    def line(self) -> bytes:
        """The next line, without its end."""
        return self.until(b"\n", LINE_BYTES_MAX)[:-1].removesuffix(b"\r")

    def until(self, end: bytes, bytes_max: int) -> bytes:
        """What comes up to and with `end`."""
        looked = 0
        while (at := self._buffer.find(end, looked)) < 0:
            looked = max(0, len(self._buffer) - len(end) + 1)
            if len(self._buffer) > bytes_max:
                raise ServiceError(f"cannot read {self.address}: its line is longer than {bytes_max} bytes")
            self._more()
        return self._cut(at + len(end))

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes; 0 are none."""
        if size > self._bytes_max:
            raise ServiceError(f"cannot read {self.address}: it announces {size} bytes; expected {self._bytes_max}")
        while len(self._buffer) < size:
            self._more()
        return self._cut(size)

    def rest(self) -> bytes:
        """All that comes until the service hangs up."""
        while self._receive():
            pass
        return self._cut(len(self._buffer))

    def _connected(self) -> socket.socket:
        try:
            return connect(self.address, self._left_s())
        except OSError as error:
            raise self._failure(error) from error

    def _cut(self, size: int) -> bytes:
        cut = bytes(self._buffer[:size])
        del self._buffer[:size]
        return cut

    def _more(self) -> None:
        if not self._receive():
            raise ServiceError(f"cannot read {self.address}: it hung up; expected the rest of its answer")

    def _receive(self) -> bool:
        try:
            piece = self._timed().recv(_PIECE_BYTES)
        except OSError as error:
            raise self._failure(error) from error
        self._taken += len(piece)
        if self._taken > self._bytes_max:
            raise ServiceError(f"cannot read {self.address}: its answer is longer than {self._bytes_max} bytes")
        self._buffer += piece
        return bool(piece)

    def _timed(self) -> socket.socket:
        self._socket.settimeout(self._left_s())
        return self._socket

    def _left_s(self) -> float:
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError(f"no answer within {self._limit_s:g} s")
        return left_s

    def _failure(self, error: OSError) -> ServiceError:
        cause = f"no answer within {self._limit_s:g} s" if isinstance(error, TimeoutError) else said(error)
        return ServiceError(f"cannot ask {self.address}: {cause}; expected a service that answers")


def said(error: OSError) -> str:
    """Why, in the system's words."""
    return error.strerror or str(error) or type(error).__name__


def trusting(ca_file: str = "") -> "SSLContext":
    """What checks certificates: by those in a file, else by the system's.

    Raises
    ------
    ServiceError
        If the file cannot be read.
    """
    import ssl

    place = ca_file or ssl.get_default_verify_paths().cafile
    try:
        return _trusting(ca_file, Path(place).stat().st_mtime_ns if place else 0)
    except OSError as error:
        raise ServiceError(f"cannot read {ca_file}: {said(error)}; expected certificates") from error


@lru_cache(maxsize=8)
def _trusting(ca_file: str, written_ns: int) -> "SSLContext":
    """Kept until the file is written anew: to read the system's certificates takes longer than a hundred looks."""
    import ssl

    return ssl.create_default_context(cafile=ca_file or None)
