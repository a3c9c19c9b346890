"""Disks that fail: `RefusingFiles` for a while, with an error; `FailingReads` in sectors that cannot be read;
`FaultyDisk` refuses, and remembers what a power cut would take."""

import errno
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from journal import JournalFiles
from tallystick.files import Buffer, Files, bytes_of

WRITES = ("append", "sync", "truncate", "open_append", "write_whole", "sync_directory")


class RefusingFiles(Files):
    """The real disk, but while `error` is set the operations named in `refused` fail with it.

    An append that fails has written half of its bytes, as one does when the disk becomes full.
    """

    def __init__(self) -> None:
        self.error: OSError | None = None
        self.refused: set[str] = set(WRITES)
        self.only: str = ""  # if set, files whose path does not hold it are not refused
        self.failed = threading.Event()

    def fail(self, error_number: int, *refused: str, only: str = "") -> None:
        """Begin to fail, in these operations (all, if none is named)."""
        self.refused = set(refused or WRITES)
        self.only = only
        self.failed.clear()
        self.error = OSError(error_number, os.strerror(error_number))

    def recover(self) -> None:
        """Work again."""
        self.error = None

    def append(self, descriptor: int, parts: Sequence[Buffer]) -> None:
        if self._refuses("append", descriptor):
            whole = b"".join(map(bytes_of, parts))
            super().append(descriptor, [whole[: len(whole) // 2]])
            self._raise()
        super().append(descriptor, parts)

    def sync(self, descriptor: int) -> None:
        if self._refuses("sync", descriptor):
            self._raise()
        super().sync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        if self._refuses("truncate", descriptor):
            self._raise()
        super().truncate(descriptor, size)

    def open_append(self, path: Path) -> int:
        if self._refuses("open_append", path):
            self._raise()
        return super().open_append(path)

    def write_whole(self, path: Path, parts: Iterable[Buffer]) -> int:
        return super().write_whole(path, self._broken_off(parts) if self._refuses("write_whole", path) else parts)

    def sync_directory(self, path: Path) -> None:
        if self._refuses("sync_directory", path):
            self._raise()
        super().sync_directory(path)

    def _broken_off(self, parts: Iterable[Buffer]) -> Iterator[Buffer]:
        yield next(iter(parts))
        self._raise()

    def _refuses(self, operation: str, target: int | Path) -> bool:
        if self.error is None or operation not in self.refused:
            return False
        path = target if isinstance(target, Path) else Path(f"/proc/self/fd/{target}").readlink()
        return self.only in str(path)

    def _raise(self) -> None:
        error = self.error or OSError("it worked again in between")
        self.failed.set()
        raise error


class FailingReads(Files):
    """The real disk, but some bytes of some files cannot be read: for good, or for a number of times."""

    def __init__(self) -> None:
        self._bad: list[tuple[str, int, int]] = []
        self.passing = 0  # if set, so many reads fail, and then none

    def fail(self, name: str, begin: int = 0, end: int = 1 << 60, times: int = 0) -> None:
        """Let reads of bytes from `begin` to `end` fail in files whose path holds `name`; for good, if not `times`."""
        self._bad.append((name, begin, end))
        self.passing = times

    def recover(self) -> None:
        """Read everything again."""
        self._bad.clear()

    def read(self, descriptor: int, at: int, size: int) -> bytes:
        self._check(descriptor, at, size)
        return super().read(descriptor, at, size)

    def read_direct(self, descriptor: int, at: int, size: int) -> bytes:
        self._check(descriptor, at, size)
        return super().read_direct(descriptor, at, size)

    def _check(self, descriptor: int, at: int, size: int) -> None:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if any(name in path and at < end and at + size > begin for name, begin, end in self._bad):
            if self.passing:
                self.passing -= 1
                if not self.passing:
                    self.recover()
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class FaultyDisk(RefusingFiles, JournalFiles):
    """A disk that refuses for a while, and whose journal says what a power cut would leave."""

    def __init__(self, root: Path) -> None:
        RefusingFiles.__init__(self)
        JournalFiles.__init__(self, root)

    def sync(self, descriptor: int) -> None:
        try:
            super().sync(descriptor)
        except OSError:
            self.sync_failed(descriptor)
            raise
