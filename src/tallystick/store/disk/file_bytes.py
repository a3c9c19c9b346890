"""`FileBytes`: a file to be scanned from its beginning to its end, read by and by.

Not mapped: a page of a mapped file that the disk cannot read, or that its writer has just cut off, ends the process.
"""

import os
from itertools import pairwise
from pathlib import Path
from types import TracebackType

from tallystick.files import Files

_WINDOW_BYTES = 4 << 20
_SECTOR_BYTES = 4096


class FileBytes:
    """The bytes that a file has when it is opened; what is appended later is not looked at.

    Sectors that the disk cannot read are zeros here: the checksums of what lay in them do not match.

    Attributes
    ----------
    size : int
        Bytes in the file.
    unreadable_bytes : int
        So many of those read so far could not be read, nor a second time.
    error : OSError or None
        Why.
    """

    def __init__(self, path: Path, files: Files) -> None:
        self.path = path
        self._files = files
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._descriptor).st_size
        self.unreadable_bytes = 0
        self.error: OSError | None = None
        self._window, self._begin = b"", 0
        self._open = True

    def __enter__(self) -> "FileBytes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, wanted: slice) -> memoryview:
        begin, end, _ = wanted.indices(self.size)
        if begin < self._begin or end > self._begin + len(self._window):
            self._load(begin, end - begin)
        return memoryview(self._window)[begin - self._begin : end - self._begin]

    def find(self, wanted: bytes, at: int) -> int:
        """Position of the first occurrence of `wanted` from `at` on; -1 if there is none."""
        while at + len(wanted) <= self.size:
            if not self._begin <= at <= self._begin + len(self._window) - len(wanted):
                self._load(at, len(wanted))
            found = self._window.find(wanted, at - self._begin)
            if found >= 0:
                return self._begin + found
            at = self._begin + len(self._window) - len(wanted) + 1
        return -1

    def close(self) -> None:
        """Close the file; parts that were taken stay."""
        if self._open:
            os.close(self._descriptor)
            self._open = False

    def _load(self, begin: int, at_least: int) -> None:
        size = min(max(at_least, _WINDOW_BYTES), self.size - begin)
        try:
            window = self._files.read(self._descriptor, begin, size)
        except OSError:
            bounds = [*_sectors(begin, size), begin + size]
            window = b"".join(self._sector(at, end - at) for at, end in pairwise(bounds))
        self._window, self._begin = window + bytes(size - len(window)), begin  # its writer may have cut it meanwhile

    def _sector(self, at: int, size: int) -> bytes:
        """A sector by itself, or zeros."""
        try:
            return self._files.read(self._descriptor, at, size).ljust(size, b"\0")
        except OSError as error:
            self.error = error
            self.unreadable_bytes += size
            return bytes(size)


def _sectors(begin: int, size: int) -> list[int]:
    aligned = range(begin // _SECTOR_BYTES * _SECTOR_BYTES + _SECTOR_BYTES, begin + size, _SECTOR_BYTES)
    return [begin, *aligned]
