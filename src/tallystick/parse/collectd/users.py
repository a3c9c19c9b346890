"""``AuthFile`` of collectd's network plugin: a line ``user: password`` for each who may send."""

import logging
from pathlib import Path

logger = logging.getLogger(__name__)


class Users:
    """Passwords by user, read again when their file has changed.

    Raises
    ------
    ValueError
        If the file cannot be read at first; later on what was read before stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = (0, 0)
        self._passwords: dict[bytes, bytes] = {}
        try:
            self._read()
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}; expected lines of 'user: password'") from None

    def refresh(self) -> None:
        """Read the file again if it has changed: called for each buffer of packets, it costs one look at its date."""
        try:
            self._read()
        except OSError as error:
            if self._stamp != (0, 0):
                logger.warning("cannot read %s: %s; its users stay as they were", self._path, error.strerror)
            self._stamp = (0, 0)

    def password(self, user: bytes) -> bytes | None:
        """The password of a user, or None if there is none of that name."""
        return self._passwords.get(user)

    def _read(self) -> None:
        found = self._path.stat()
        stamp = found.st_mtime_ns, found.st_size
        if stamp == self._stamp:
            return
        lines = (line.partition(b":") for line in self._path.read_bytes().splitlines() if not line.startswith(b"#"))
        self._passwords = {user.strip(): password.strip() for user, colon, password in lines if colon and user.strip()}
        self._stamp = stamp
