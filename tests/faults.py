"""Disks that fail: `RefusingFiles` for a while, with an error; `FailingReads` in sectors that cannot be read;
`PowerCutFiles` once, for good, at a chosen moment."""

import errno
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tallystick.store.files import TEMPORARY_SUFFIX, Buffer, Files, bytes_of


class RefusingFiles(Files):
    """The real disk, but while `error` is set the operations named in `refused` fail with it.

    An append that fails has written half of its bytes, as one does when the disk becomes full.
    """

    def __init__(self) -> None:
        self.error: OSError | None = None
        self.refused: set[str] = {"append", "sync", "truncate", "open_append", "write_whole", "sync_directory"}
        self.only: str = ""  # if set, files whose path does not hold it are not refused
        self.failed = threading.Event()

    def fail(self, error_number: int, *refused: str, only: str = "") -> None:
        """Begin to fail, in these operations (all, if none is named)."""
        self.refused = set(refused) or type(self)().refused
        self.only = only
        self.failed.clear()
        self.error = OSError(error_number, os.strerror(error_number))

    def recover(self) -> None:
        """Work again."""
        self.error = None

    def append(self, descriptor: int, parts: Sequence[Buffer]) -> None:
        if self._refuses("append", descriptor):
            whole = b"".join(map(bytes_of, parts))
            os.write(descriptor, whole[: len(whole) // 2])
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
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if any(name in path and at < end and at + size > begin for name, begin, end in self._bad):
            if self.passing:
                self.passing -= 1
                if not self.passing:
                    self.recover()
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(descriptor, at, size)


class PowerCut(BaseException):
    """The machine is off: whatever the program does now does not reach the disk."""


class PowerCutFiles(Files):
    """The real disk until operation number `at`; that one happens in part or not at all, and none after it.

    `lose_unsynced` then brings the directory to a state that a real disk may be in: of each file a random part of what
    was not synced, and names made, replaced or removed only if their directory was synced.
    """

    def __init__(self, at: int, seed: int) -> None:
        self.at = at
        self.operations: list[str] = []
        self._random = random.Random(seed)
        self._lock = threading.RLock()
        self._off = threading.Event()
        self._when_off: list[Callable[[], None]] = []
        self._synced: dict[int, int] = {}  # bytes that are safe, by inode
        self._names_before: list[tuple[Path, bytes | None]] = []  # changed and not safe: what the name meant before

    def when_off(self, call: Callable[[], None]) -> None:
        """Have `call` called at the cut."""
        with self._lock:
            self._when_off.append(call)
            if self._off.is_set():
                call()

    def append(self, descriptor: int, parts: Sequence[Buffer]) -> None:
        whole = b"".join(map(bytes_of, parts))
        try:
            self._operation("append")
        except PowerCut:
            if self._last():
                os.write(descriptor, whole[: self._random.randint(0, len(whole))])
            raise
        os.write(descriptor, whole)

    def sync(self, descriptor: int) -> None:
        self._operation("sync")
        status = os.fstat(descriptor)
        self._synced[status.st_ino] = status.st_size

    def truncate(self, descriptor: int, size: int) -> None:
        self._operation("truncate")
        os.ftruncate(descriptor, size)

    def open_append(self, path: Path) -> int:
        self._operation(f"open {path.name}")
        self._changing(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        status = os.fstat(descriptor)
        self._synced[status.st_ino] = status.st_size
        self.sync_directory(path.parent)
        return descriptor

    def write_whole(self, path: Path, parts: Iterable[Buffer]) -> int:
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        self._operation(f"open {temporary.name}")
        self._changing(temporary)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        self._synced[os.fstat(descriptor).st_ino] = 0
        size = 0
        try:
            for part in parts:
                self.append(descriptor, [part])
                size += bytes_of(part).nbytes
            self.sync(descriptor)
        finally:
            os.close(descriptor)
        self._operation(f"rename to {path.name}")
        self._changing(path)
        temporary.rename(path)
        self.sync_directory(path.parent)
        return size

    def remove(self, path: Path) -> None:
        self._operation(f"remove {path.name}")
        self._changing(path)
        super().remove(path)

    def sync_directory(self, path: Path) -> None:
        self._operation("sync directory")
        with self._lock:
            self._names_before = [change for change in self._names_before if change[0].parent != path]

    def lose_unsynced(self, directory: Path) -> None:
        """Take back, at random, what a power cut may take back."""
        for path in [p for p in directory.rglob("*") if p.is_file()]:
            status = path.stat()
            safe = self._synced.get(status.st_ino, status.st_size)
            if status.st_size > safe:
                os.truncate(path, self._random.randint(safe, status.st_size))
        for path, before in reversed(self._names_before):
            if self._random.random() < 0.5:
                if before is None:
                    path.unlink(missing_ok=True)
                else:
                    path.write_bytes(before)

    def _operation(self, what: str) -> None:
        with self._lock:
            self.operations.append(what)
            if len(self.operations) < self.at:
                return
            self._off.set()
            for call in self._when_off:
                call()
        raise PowerCut(what)

    def _last(self) -> bool:
        """Whether the operation at hand is the one that the cut came in."""
        return len(self.operations) == self.at

    def _changing(self, path: Path) -> None:
        with self._lock:
            self._names_before.append((path, path.read_bytes() if path.exists() else None))
