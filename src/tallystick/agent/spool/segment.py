"""`Segment`: a file of the spool, which is one conversation with a server, all but its greeting."""

import contextlib
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from tallystick.agent.spool.record import HEAD_BYTES, MARK, Head, Record, read_cursors, thinned, together
from tallystick.files import Files

log = logging.getLogger(__name__)

SUFFIX = ".segment"
DAMAGED = "damaged"
"""The directory of what could not be read, beside the segments."""
_FILE_HEAD = struct.Struct(">8sI16s")
_MAGIC = b"TSspool1"


class Segment:
    """A file of records.

    Parameters
    ----------
    path
        Its name is its number among the segments.
    run
        Names the sequence of numbers that its batches have: 16 characters.
    """

    def __init__(self, path: Path, run: str, files: Files) -> None:
        self.path = path
        self.run = run
        self.sequence = int(path.name.removesuffix(SUFFIX))
        self.number = 0
        """Of the last batch."""
        self.written = 0
        """So many bytes are safe on disk."""
        self.slots = 0
        self.began_ms = 0
        self.newest_ms = 0
        self.is_damaged = False
        self.version = 0
        """Grows when its file is replaced by another."""
        self.is_doubtful = False
        """Whether what the disk refused may be found after a crash nevertheless."""
        self._files = files
        self._descriptor = -1
        self._is_torn = False

    def begin(self, at_ms: int) -> None:
        """Know when it begins; its file is made when it is first written to."""
        self.began_ms = self.newest_ms = at_ms

    def append(self, records: list[Record]) -> None:
        """Write records at its end, and wait for the disk.

        Raises
        ------
        OSError
            If the disk refuses; then nothing of it counts, and it or something else may be tried.
        """
        if self._descriptor < 0:
            self._descriptor = self._files.open_append(self.path)
            os.fchmod(self._descriptor, 0o600)
        if self._is_torn:
            self._files.truncate(self._descriptor, self.written)
            self._is_torn = False
        parts = [part for record in records for part in record.parts(self.written)]
        if not self.written:
            parts.insert(0, _FILE_HEAD.pack(_MAGIC, zlib.crc32(self.run.encode()), self.run.encode()))
        size = sum(map(len, parts))
        self._is_torn = True
        try:
            self._files.append(self._descriptor, parts)
            self._files.sync(self._descriptor)
        except OSError:
            self._cut_back(size)
            raise
        self._is_torn = self.is_doubtful = False
        self.written += size
        for record in records:
            self._count(record.number, record.slots, record.at_ms)

    def open_read(self) -> int:
        """A descriptor to read it by, which stays good if the file is replaced or removed.

        Raises
        ------
        FileNotFoundError
            If nothing was written yet.
        """
        return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of the file; what could not be written is cut off, if that is possible now."""
        if self._descriptor >= 0:
            if self._is_torn:
                with contextlib.suppress(OSError):  # found and cut off when it is next opened
                    self._files.truncate(self._descriptor, self.written)
            os.close(self._descriptor)
            self._descriptor = -1

    def thin(self, *, is_begun: bool) -> int:
        """Give its slots up, and keep that there were so many; returns how many those were.

        Parameters
        ----------
        is_begun
            Whether somebody may have a part of it: then each number is kept by itself, else they are one.

        Raises
        ------
        OSError
            If the disk refuses; then it is as it was.
        """
        given_up = self.slots
        heads = [head for _, head, _ in self.heads()]
        self._replace([thinned(head) for head in (heads if is_begun else together(heads))])
        return given_up

    def heads(self) -> Iterator[tuple[int, Head, bytes]]:
        """Position and head of each record, and the bytes of the whole file.

        Raises
        ------
        OSError
            If the disk cannot read it.
        """
        data = self._read()
        at = _FILE_HEAD.size
        while at < len(data) and (head := Head.read(data, at)) is not None:
            yield at, head, data
            at += head.size_bytes

    def mend(self) -> None:
        """Look it over once more, as something in it is damaged; it must be over.

        Raises
        ------
        OSError
            If it cannot be read at all.
        """
        data = self._read()
        self.slots = 0
        self._look_over(data, {}, is_newest=False)

    @classmethod
    def opened(cls, path: Path, files: Files, cursors: dict[str, str], *, is_newest: bool) -> "Segment | None":
        """A segment that is there, looked over: an end that was torn is cut off, and what else is damaged is set aside.

        Parameters
        ----------
        cursors
            Are brought up to date by it.
        is_newest
            Only the newest one can have been torn: the others have been looked over before.

        Returns
        -------
        Segment or None
            None if nothing in it can be used.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            log.warning("cannot read %s of the spool: %s; it stays where it is", path, error.strerror)
            return None
        head = data[: _FILE_HEAD.size]
        if len(head) < _FILE_HEAD.size:
            files.remove(path)  # it was being made
            return None
        magic, crc, run = _FILE_HEAD.unpack(head)
        if magic != _MAGIC or zlib.crc32(run) != crc or not run.isalnum():
            _set_aside(path, files, copy=False)
            return None
        segment = cls(path, run.decode(), files)
        segment._look_over(data, cursors, is_newest=is_newest)
        return segment

    def _look_over(self, data: bytes, cursors: dict[str, str], *, is_newest: bool) -> None:
        """Count what is there, and mend it."""
        good: list[Record] = []
        is_mended = is_lost = False
        at = whole = _FILE_HEAD.size
        while at < len(data):
            head = Head.read(data, at)
            if head is None or at + head.size_bytes > len(data):
                following = _next_mark(data, at + 1)
                if is_newest and _is_torn(data, at, following):
                    break
                is_mended = is_lost = True
                at = following if following >= 0 else len(data)
                continue
            body = data[at + HEAD_BYTES : at + head.size_bytes]
            is_whole = zlib.crc32(body) == head.crc
            if not is_whole and is_newest and _is_torn(data, at, at + head.size_bytes):
                break
            if is_whole and not is_lost:
                record = Record.of(head, body)
                good.append(record)
            else:
                is_mended = True
                is_lost = is_lost or not is_whole  # perhaps with names that those behind it need
                good.append(thinned(head))
            if is_whole:
                with contextlib.suppress(ValueError):
                    cursors.update(read_cursors(body[head.names_bytes + head.batches_bytes :]))
            at += head.size_bytes
            whole = whole if is_mended else at
        if is_mended:
            self.is_damaged = True
            _set_aside(self.path, self._files, copy=True)
            try:
                self._replace(good)
            except OSError as error:
                log.warning("cannot mend %s: %s; what is behind the damage waits", self.path, error.strerror)
            else:
                return
        self.written = whole
        for _, head, _ in self.heads():
            self._count(head.number, head.slots, head.at_ms)
        if whole < len(data) and not is_mended:
            self._cut()

    def _cut_back(self, refused_bytes: int) -> None:
        """Cut off what was refused, which is doubtful where all of it is there and cannot be cut off."""
        is_whole = os.fstat(self._descriptor).st_size >= self.written + refused_bytes
        try:
            self._files.truncate(self._descriptor, self.written)
            self._files.sync(self._descriptor)
            self._is_torn = self.is_doubtful = False
        except OSError:
            self.is_doubtful = is_whole

    def _cut(self) -> None:
        """Be rid of what was torn; it counts for nothing in any case."""
        with contextlib.suppress(OSError):
            descriptor = self._files.open_append(self.path)
            try:
                self._files.truncate(descriptor, self.written)
                self._files.sync(descriptor)
            finally:
                os.close(descriptor)

    def _replace(self, records: list[Record]) -> None:
        parts = [_FILE_HEAD.pack(_MAGIC, zlib.crc32(self.run.encode()), self.run.encode())]
        at = len(parts[0])
        for record in records:
            parts += record.parts(at)
            at += record.size_bytes
        self.close()
        self.written = self._files.write_whole(self.path, parts)
        self.path.chmod(0o600)
        self.version += 1
        self.slots = 0
        for record in records:
            self._count(record.number, record.slots, record.at_ms)

    def _read(self) -> bytes:
        descriptor = self.open_read()
        try:
            return self._files.read(descriptor, 0, self.written)
        finally:
            os.close(descriptor)

    def _count(self, number: int, slots: int, at_ms: int) -> None:
        self.number = max(self.number, number)
        self.slots += slots
        self.began_ms = self.began_ms or at_ms
        self.newest_ms = at_ms


FIRST_RECORD = _FILE_HEAD.size
"""Where the first record of a segment begins."""


def _is_torn(data: bytes, at: int, following: int) -> bool:
    """Whether what is wrong at a position had not been safe: no record behind it says so."""
    while 0 <= following < len(data):
        head = Head.read(data, following)
        if head is not None and head.safe_bytes > at:
            return False
        following = _next_mark(data, following + 1)
    return True


def _next_mark(data: bytes, at: int) -> int:
    """Where the next whole record begins, behind something that is none; -1 if there is none."""
    while (at := data.find(MARK, at)) >= 0:
        head = Head.read(data, at)
        if head is not None and at + head.size_bytes <= len(data):
            return at
        at += 1
    return -1


def _set_aside(path: Path, files: Files, *, copy: bool) -> None:
    """Keep a damaged file for whoever wants to look at it."""
    directory = path.parent / DAMAGED
    try:
        files.make_directory(directory)
        kept = directory / path.name
        files.remove(kept)
        if copy:
            files.link(path, kept)
            files.sync_directory(directory)
        else:
            files.rename(path, kept)
    except OSError as error:
        log.warning("cannot set the damaged %s aside: %s", path, error.strerror)
    else:
        log.error("a file of the spool is damaged: what can be read of it is sent, and it is kept as %s", kept)
