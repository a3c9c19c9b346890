"""The few ways in which the store, and the agent's spool, touch the disk.

Everything that must survive a power cut goes through `Files`, so that tests can put a faulty disk in its place.
"""

import contextlib
import fcntl
import mmap
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from tallystick.model.errors import StartError

if TYPE_CHECKING:  # an agent has no NumPy
    from numpy.typing import NDArray

Buffer: TypeAlias = "bytes | memoryview | NDArray[Any]"
"""Anything with contiguous bytes."""

TEMPORARY_SUFFIX = ".part"
"""Files of this name were never finished; they are removed at start."""


def bytes_of(part: Buffer) -> memoryview:
    """The bytes of a buffer, without a copy."""
    view = memoryview(cast(bytes, part))  # NumPy's types do not say that arrays are buffers
    return view.cast("B") if view.nbytes else memoryview(b"")  # an empty array cannot be cast


class UncertainError(OSError):
    """A file was written, and then the disk failed: its new name may be safe or not, nobody can say."""


def read_twice(read: Callable[[int, int, int], bytes], descriptor: int, at: int, size: int) -> bytes:
    """Read, by a method of `Files`, and a second time before the disk is believed that it cannot.

    Raises
    ------
    OSError
        If it cannot, twice.
    """
    try:
        return read(descriptor, at, size)
    except OSError:
        return read(descriptor, at, size)


class Files:
    """The real disk."""

    def append(self, descriptor: int, parts: Sequence[Buffer]) -> None:
        """Write all of `parts` at the end of an open file."""
        views = [view for view in map(bytes_of, parts) if view.nbytes]
        while views:
            written = os.writev(descriptor, views[:512])
            while views and written >= len(views[0]):
                written -= len(views.pop(0))
            if written:
                views[0] = views[0][written:]

    def read(self, descriptor: int, at: int, size: int) -> bytes:
        """`size` bytes of an open file from `at` on, fewer at its end.

        Raises
        ------
        OSError
            If the disk cannot read them. A mapped file would end the process (SIGBUS), so whatever is read for the
            first time is read here.
        """
        parts = []
        while size:
            part = os.pread(descriptor, size, at)
            if not part:
                break
            parts.append(part)
            at, size = at + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_direct(self, descriptor: int, at: int, size: int) -> bytes:
        """`read` of a file that was opened with ``O_DIRECT``; `at` and `size` are multiples of 4096."""
        with mmap.mmap(-1, size) as aligned:
            length = os.preadv(descriptor, [aligned], at)
            return aligned[:length]

    def sync(self, descriptor: int) -> None:
        """Wait until what was written to a file is on the disk."""
        os.fdatasync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut a file to `size` bytes."""
        os.ftruncate(descriptor, size)

    def open_append(self, path: Path) -> int:
        """Open a file for `append`, made if need be, its name safe on disk."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            # Also if the file was there: whoever made it may have died before this.
            self.sync_directory(path.parent)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def write_whole(self, path: Path, parts: Iterable[Buffer]) -> int:
        """Write a file that is there whole or not at all, even after a power cut. Returns its size in bytes.

        Raises
        ------
        UncertainError
            If the disk failed so late that nobody can say which of the two.
        OSError
            If it failed earlier: the file is not there, or as it was.
        """
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        size = 0
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            for part in parts:
                self.append(descriptor, [part])
                size += bytes_of(part).nbytes
            self.sync(descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        finally:
            os.close(descriptor)
        try:
            self.rename(temporary, path)
        except OSError as error:
            raise UncertainError(error.errno, error.strerror) from error
        return size

    def rename(self, path: Path, new: Path) -> None:
        """Move a file within the file system; its new name is safe on disk."""
        path.rename(new)
        self.sync_directory(new.parent)

    def link(self, path: Path, new: Path) -> None:
        """Give a file a second name; whoever makes many syncs their directory once, at the end."""
        os.link(path, new)

    def make_directory(self, path: Path) -> None:
        """Make a directory and those above it that are missing, their names safe on disk; it may be there."""
        if not path.is_dir():
            if not path.parent.exists():
                self.make_directory(path.parent)
            path.mkdir(exist_ok=True)
            self.sync_directory(path.parent)

    def remove(self, path: Path) -> None:
        """Delete a file; that it is gone need not survive a power cut."""
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        """Make names made in a directory safe."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def hold_directory(directory: Path, files: Files, what: str, key: str, *, private: bool = False) -> int:
    """Make a directory, if need be, and have it for this process alone for as long as the descriptor returned is open.

    Parameters
    ----------
    what
        What errors call it.
    key
        Key of the config that it comes from.
    private
        Whether nobody but this user may look into it.

    Raises
    ------
    StartError
        If it cannot be made or written, or another process has it open.
    """
    try:
        files.make_directory(directory)
        if private:
            directory.chmod(0o700)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(directory / "lock", flags, 0o600 if private else 0o640)
    except OSError as error:
        raise StartError(
            f"cannot use {what} {directory}: {error.strerror}; expected one that this user may write (key {key})"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StartError(
            f"cannot use {what} {directory}: another process has it open; expected one of its own (key {key})"
        ) from None
    return descriptor
