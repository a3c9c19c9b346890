"""`FreshFile`: a file as it is on the disk, not as the system remembers it."""

import os
from pathlib import Path
from types import TracebackType

from tallystick.files import Files, read_twice

_ALIGNED_BYTES = 4096


class FreshFile:
    """A file read past the system's cache, where the file system can do that; else the cache is asked to let go of it.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """

    def __init__(self, path: Path, files: Files) -> None:
        self._files = files
        self._descriptor, self._direct = _open(path)
        self.size = os.fstat(self._descriptor).st_size

    def __enter__(self) -> "FreshFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)

    def read(self, at: int, size: int) -> bytes:
        """`size` bytes from `at` on, fewer at the end.

        Raises
        ------
        OSError
            If the disk cannot read them, twice in a row.
        """
        if not self._direct:
            return read_twice(self._files.read, self._descriptor, at, size)
        before = at % _ALIGNED_BYTES
        whole = before + size + -(before + size) % _ALIGNED_BYTES
        return read_twice(self._files.read_direct, self._descriptor, at - before, whole)[before : before + size]


def _open(path: Path) -> tuple[int, bool]:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT), True
    except FileNotFoundError:
        raise
    except OSError:  # a file system without it
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        return descriptor, False
