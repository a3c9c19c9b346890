"""`Part`: a file on the disk, whole or compressed, as a piece of what was written to a log; and finding them again."""

import bz2
import gzip
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from tallystick.agent.logs.position import HEAD_BYTES, Position

_PACKED: dict[str, Callable[[BinaryIO], object]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_SIBLINGS_MAX = 200
READ_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error)
"""What reading a file may raise, also one that is no archive though its name says so."""


class Part:
    """An open file, and how far it has been read; it stays the same file whatever is done to its name.

    Raises
    ------
    OSError
        If it cannot be opened, or is no regular file.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        # Without waiting: a pipe of that name would hold us up until somebody writes to it.
        raw = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)
        status = os.fstat(raw.fileno())
        if not stat.S_ISREG(status.st_mode):
            raw.close()
            raise OSError(f"{path} is no regular file")
        unpack = _PACKED.get(path.suffix)
        self._raw = raw
        self._file = cast(BinaryIO, unpack(raw)) if unpack else raw
        self.packed = unpack is not None
        self.device, self.inode = status.st_dev, status.st_ino
        self.broken = False
        self._begin = b""  # what was read of the first bytes
        self._file.seek(offset)
        self.offset = self._file.tell()  # an archive ends where it ends
        self._know_begin()

    def read(self, bytes_max: int) -> bytes:
        """What follows, at most so many bytes; nothing at the end."""
        data = self._file.read(bytes_max) or b""
        self.offset += len(data)
        self._know_begin()
        return data

    def seek(self, offset: int) -> None:
        """Go on there; from the start of a file it is another one than before."""
        self._file.seek(offset)
        self.offset = offset
        if offset == 0:
            self._begin = b""

    @property
    def head(self) -> bytes:
        """The first bytes as they are now; the place of reading stays."""
        if not self.packed:
            return os.pread(self._raw.fileno(), HEAD_BYTES, 0)
        self._file.seek(0)
        head = self._file.read(HEAD_BYTES) or b""
        self._file.seek(self.offset)
        return head

    @property
    def size(self) -> int:
        """Bytes that the file has now; of a compressed one those up to here, and one more if there are more."""
        if not self.packed:
            return os.fstat(self._raw.fileno()).st_size
        more = bool(self._file.read(1))
        self._file.seek(self.offset)
        return self.offset + more

    @property
    def is_deleted(self) -> bool:
        """Whether nothing has a name for it any more."""
        return os.fstat(self._raw.fileno()).st_nlink == 0

    @property
    def mtime(self) -> int:
        """When it was written last, in nanoseconds; packing a file keeps its time."""
        return os.fstat(self._raw.fileno()).st_mtime_ns

    @property
    def unchanged(self) -> bool:
        """Whether what was read is still there: the file was neither emptied nor written anew."""
        return self.size >= self.offset and self.head.startswith(self._begin)

    def position(self, offset: int) -> Position:
        """The place `offset`, which has been read."""
        head = self._begin[:offset]
        return Position(self.device, self.inode, offset, len(head), zlib.crc32(head))

    def _know_begin(self) -> None:
        if len(self._begin) < HEAD_BYTES and len(self._begin) < self.offset:
            self._begin = self.head[: self.offset]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        self._raw.close()


def find(path: Path, position: Position) -> list[Part]:
    """The files that hold what was written to `path` behind a position, in their order, the last being `path` itself.

    Rotated logs are looked for beside it, under its name and more (``access.log.1``, ``access.log-20261101.gz``):
    first by their inode, then by how they start. Empty if none is the one that was read.
    """
    for part_of in (_the_same_file, _a_copy):
        for candidate in [path, *reversed(rotated(path))]:
            part = part_of(candidate, position)
            if part is not None:
                return [part] if candidate == path else [part, *since(path, part)]
    return []


def find_copy(path: Path, position: Position) -> Part | None:
    """The newest file beside `path` into which what was read of it was copied, at that position."""
    return next((part for older in reversed(rotated(path)) if (part := _a_copy(older, position))), None)


def rotated(path: Path) -> list[Path]:
    """Older files of the log `path`, the oldest first."""
    try:
        beside = list(path.parent.iterdir())
    except OSError:  # the directory has gone, and the files with it
        return []
    older = [file for file in beside if file.name.startswith((path.name + ".", path.name + "-")) and _is_file(file)]
    return sorted(older, key=_mtime)[-_SIBLINGS_MAX:]


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of what has that name; None if nothing has."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _the_same_file(path: Path, position: Position) -> Part | None:
    same = identity(path) == (position.device, position.inode)
    return _opened(path, position) if same and path.suffix not in _PACKED else None


def _a_copy(path: Path, position: Position) -> Part | None:
    return _opened(path, position) if position.head_bytes else None


def _opened(path: Path, position: Position) -> Part | None:
    """The file at that position, if it begins as the one that was read and is long enough."""
    try:
        part = Part(path)
        if position.begins(part.head):
            part.close()
            part = Part(path, position.offset)
            if part.offset == position.offset <= part.size:
                return part
        part.close()
    except READ_ERRORS:
        return None
    return None


def since(path: Path, first: Part) -> Iterator[Part]:
    """What was begun after the file `first`, which has been rotated away, and perhaps packed or deleted since."""
    files = rotated(path)
    known = [identity(file) for file in files]
    mine = first.device, first.inode
    later = files[known.index(mine) + 1 :] if mine in known else [file for file in files if _mtime(file) > first.mtime]
    for file in [*later, path]:
        try:
            yield Part(file)
        except OSError:  # it has gone meanwhile, or is not to be read
            continue


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _mtime(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
