"""Tests beside each other: who counts exactly what a service was asked, and who asks all that this machine has."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE = Path(tempfile.gettempdir(), f"tallystick-tests-{os.getuid()}.lock")


class Lock:
    """Of all tests on this machine, whichever process they are in; not for threads."""

    def __init__(self) -> None:
        self._descriptor = os.open(_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._held = fcntl.LOCK_UN

    @contextmanager
    def counting(self) -> Iterator[None]:
        """While several may count, and nobody searches."""
        with self._as(fcntl.LOCK_SH):
            yield

    @contextmanager
    def searching(self) -> Iterator[None]:
        """While one searches, and nobody counts; who does both has what he counts disturbed meanwhile."""
        with self._as(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _as(self, wanted: int) -> Iterator[None]:
        before, self._held = self._held, wanted
        fcntl.flock(self._descriptor, wanted)
        try:
            yield
        finally:
            self._held = before
            fcntl.flock(self._descriptor, before)


LOCK = Lock()
