"""`JournalFiles`: a disk that remembers every write, sync and name, so that after one run any number of power cuts can
be made of it: at each of its events, with each choice of what the disk had not yet done.

What is not synced may be lost, whole, or torn, in any order: a write may be cut at any byte, or miss some of its
sectors while later ones are there; a name made, moved or removed may be as before until its directory is synced. After
a sync that failed nobody knows what is on the disk, whatever later syncs say.
"""

import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.files import TEMPORARY_SUFFIX, Buffer, Files, bytes_of

SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done to a disk.

    Parameters
    ----------
    what
        ``write``, ``cut``, ``sync``, ``sync failed`` of a file; ``name``, ``move``, ``unname``, ``directory`` of a
        path; ``sync directory``.
    path
        Below the root. Of a file written to, the name that it had then; of a move, the new one.
    file
        Number of the file that is written to or named.
    at
        Where a write begins; the size that a file is cut to.
    data
        What is written.
    old
        The name before a move.
    """

    what: str
    path: str
    file: int = -1
    at: int = 0
    data: bytes = b""
    old: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.path}"

    @property
    def directory(self) -> str:
        """The directory that must be synced for a name to be safe."""
        return self.path.rpartition("/")[0] or "."


class JournalFiles(Files):
    """The real disk, with a journal of all that is done to it; what lies below `root` at first is safe.

    Nothing is really synced: only what the journal says would survive matters.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events: list[Event] = []
        self.before: dict[str, bytes] = tree(root)
        self.directories_before = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_dir()}
        self._lock = threading.RLock()
        self._file_of = {path: number for number, path in enumerate(self.before)}
        self._files = len(self._file_of)
        self._opened_as: dict[int, tuple[str, int]] = {}  # name and file, by inode

    @property
    def position(self) -> int:
        """Number of events so far."""
        return len(self.events)

    def append(self, descriptor: int, parts: Sequence[Buffer]) -> None:
        whole = b"".join(map(bytes_of, parts))
        with self._lock:
            path, file = self._opened(descriptor)
            self.events.append(Event("write", path, file, os.fstat(descriptor).st_size, whole))
            os.write(descriptor, whole)

    def sync(self, descriptor: int) -> None:
        with self._lock:
            self.events.append(Event("sync", *self._opened(descriptor)))

    def sync_failed(self, descriptor: int) -> None:
        """Note that a sync was refused."""
        with self._lock:
            self.events.append(Event("sync failed", *self._opened(descriptor)))

    def truncate(self, descriptor: int, size: int) -> None:
        with self._lock:
            self.events.append(Event("cut", *self._opened(descriptor), at=size))
            os.ftruncate(descriptor, size)

    def open_append(self, path: Path) -> int:
        with self._lock:
            self._made(path)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            self._opened_as[os.fstat(descriptor).st_ino] = self._relative(path), self._file_of[self._relative(path)]
        try:
            self.sync_directory(path.parent)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def write_whole(self, path: Path, parts: Iterable[Buffer]) -> int:
        temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
        content = bytearray()
        descriptor = -1
        try:
            with self._lock:
                file = self._made(temporary)
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
                self._opened_as[os.fstat(descriptor).st_ino] = self._relative(temporary), file
            for part in parts:
                content += bytes_of(part)
            with self._lock:
                # One event for all parts: cut in the middle, it may be torn anywhere.
                self.events.append(Event("write", self._relative(temporary), file, 0, bytes(content)))
                os.write(descriptor, content)
            self.sync(descriptor)
        except BaseException:
            self.remove(temporary)
            raise
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        self.rename(temporary, path)
        return len(content)

    def rename(self, path: Path, new: Path) -> None:
        with self._lock:
            old, moved = self._relative(path), self._relative(new)
            file = self._file_of[moved] = self._file_of.pop(old)
            self.events.append(Event("move", moved, file, old=old))
            path.rename(new)
        self.sync_directory(new.parent)

    def link(self, path: Path, new: Path) -> None:
        with self._lock:
            file = self._file_of[self._relative(path)]
            os.link(path, new)
            self._file_of[self._relative(new)] = file
            self.events.append(Event("name", self._relative(new), file))

    def make_directory(self, path: Path) -> None:
        if not path.is_dir():
            self.make_directory(path.parent)
            with self._lock:
                self.events.append(Event("directory", self._relative(path)))
                path.mkdir()
            self.sync_directory(path.parent)

    def remove(self, path: Path) -> None:
        with self._lock:
            if self._file_of.pop(self._relative(path), None) is not None:
                self.events.append(Event("unname", self._relative(path)))
            path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        with self._lock:
            self.events.append(Event("sync directory", self._relative(path)))

    def _made(self, path: Path) -> int:
        """The file of a name, which is made if there is none; what a temporary file had is gone."""
        name = self._relative(path)
        if name not in self._file_of:
            self._file_of[name] = self._files
            self._files += 1
            self.events.append(Event("name", name, self._file_of[name]))
        elif name.endswith(TEMPORARY_SUFFIX):
            self.events.append(Event("cut", name, self._file_of[name]))
        return self._file_of[name]

    def _opened(self, descriptor: int) -> tuple[str, int]:
        return self._opened_as[os.fstat(descriptor).st_ino]

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.root))


@dataclass(slots=True)
class _File:
    """A file while its events are played: what is safe, and what may yet be lost."""

    safe: bytearray
    pending: list[Event] = field(default_factory=list)
    doubtful: list[Event] = field(default_factory=list)


class Disk:
    """What is on a disk after the first events of a journal.

    Parameters
    ----------
    files
        The journal.
    at
        So many events are over; the one that follows was begun.
    choice
        Decides what of all that is not safe is there.
    """

    def __init__(self, files: JournalFiles, at: int, choice: random.Random) -> None:
        self._choice = choice
        self._files = {number: _File(bytearray(content)) for number, content in enumerate(files.before.values())}
        self._names = {path: number for number, path in enumerate(files.before)}
        self._directories = set(files.directories_before)
        self._changes: list[Event] = []  # of names, not safe
        for event in files.events[:at]:
            self._play(event)
        if at < len(files.events) and not files.events[at].what.startswith("sync"):
            self._play(files.events[at])

    def write_to(self, root: Path) -> None:
        """Lose what a power cut loses, and write what is left into an empty directory."""
        survives = self._fate()
        for change in self._changes:
            if survives():
                self._rename(change)
        for path in sorted(self._directories):
            if self._reached(path):
                (root / path).mkdir(parents=True)
        for path, number in self._names.items():
            if self._reached(path):
                (root / path).write_bytes(self._content(self._files[number], survives))

    def _fate(self) -> Callable[[], bool]:
        """Whether the next thing that is not safe is there: usually it is a toss, sometimes all of it or nothing."""
        mood = self._choice.random()
        likely = 1.0 if mood < 0.15 else 0.0 if mood < 0.3 else self._choice.uniform(0.1, 0.95)
        return lambda: self._choice.random() < likely

    def _play(self, event: Event) -> None:
        match event.what:
            case "write" | "cut":
                self._files.setdefault(event.file, _File(bytearray())).pending.append(event)
            case "sync":
                file = self._files[event.file]
                for change in file.pending:
                    if change not in file.doubtful or self._choice.random() < 0.5:
                        _apply(file.safe, change)
                file.pending, file.doubtful = [], []
            case "sync failed":
                file = self._files[event.file]
                file.doubtful = list(file.pending)
            case "sync directory":
                for change in [c for c in self._changes if c.directory == event.path]:
                    self._rename(change)
                    self._changes.remove(change)
            case _:
                self._files.setdefault(event.file, _File(bytearray()))
                self._changes.append(event)

    def _rename(self, change: Event) -> None:
        match change.what:
            case "directory":
                self._directories.add(change.path)
            case "unname":
                self._names.pop(change.path, None)
            case _:
                self._names.pop(change.old, None)
                self._names[change.path] = change.file

    def _reached(self, path: str) -> bool:
        parent = path.rpartition("/")[0]
        return not parent or (parent in self._directories and self._reached(parent))

    def _content(self, file: _File, survives: Callable[[], bool]) -> bytes:
        content = bytearray(file.safe)
        for change in file.pending:
            if not survives():
                continue
            if change.what == "write" and self._choice.random() < 0.4:
                self._tear(content, change)
            else:
                _apply(content, change)
        return bytes(content)

    def _tear(self, content: bytearray, write: Event) -> None:
        """A write of which a beginning is there, or all but some sectors."""
        end = self._choice.randint(0, len(write.data))
        if self._choice.random() < 0.5:
            _apply(content, Event("write", "", at=write.at, data=write.data[:end]))
            return
        before = bytes(content)
        _apply(content, write)
        for sector in range(write.at // SECTOR_BYTES * SECTOR_BYTES, len(content), SECTOR_BYTES):
            if self._choice.random() < 0.3:
                begin, stop = max(sector, write.at), min(sector + SECTOR_BYTES, len(content))
                content[begin:stop] = before[begin:stop].ljust(stop - begin, b"\0")


def tree(root: Path, but: Iterable[str] = ("lock",)) -> dict[str, bytes]:
    """The content of all files below a directory, by their paths, except files of the names in `but`."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(_files(root)) if p.name not in but}


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file())


def _apply(content: bytearray, change: Event) -> None:
    if change.what == "cut":
        content[:] = content[: change.at].ljust(change.at, b"\0")
    else:
        if len(content) < change.at:
            content.extend(bytes(change.at - len(content)))
        content[change.at : change.at + len(change.data)] = change.data
