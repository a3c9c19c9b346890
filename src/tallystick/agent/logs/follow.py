"""`Follower`: the lines of a file as they are written, through rotation, truncation and restarts."""

import logging
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from tallystick.agent.logs.parts import READ_ERRORS, Part, find, find_copy, identity, since
from tallystick.agent.logs.position import Position

log = logging.getLogger(__name__)

LINE_BYTES_MAX = 1 << 16
_READ_BYTES = 1 << 18
_LATE_LOOKS = 60
"""Looks at a file that was rotated away or deleted, and grows no more: a web server goes on writing to it until its
last request is answered."""


@dataclass(slots=True)
class Followed:
    """What was met on the way.

    Parameters
    ----------
    lines
        That were given.
    long
        Lines that were longer than allowed, and left out.
    rotations, truncations
        New files under the name, and files that were emptied.
    missed
        Times that what was written behind the place where we were could not be found: it was deleted, or copied away
        to a place that is not looked at.
    """

    lines: int = 0
    long: int = 0
    rotations: int = 0
    truncations: int = 0
    missed: int = 0


class Follower:
    """Follows one file. Looks are made by one thread, about one a second.

    Parameters
    ----------
    path
        Its name; there need not be a file of that name yet.
    position
        Where reading goes on, as `position` gave it to an earlier process.
    at_end
        Without a position: whether what is there already is passed over.
    line_bytes_max
        Longer lines are left out and counted.
    """

    def __init__(
        self, path: Path, position: Position | None = None, at_end: bool = False, line_bytes_max: int = LINE_BYTES_MAX
    ) -> None:
        self.path = path
        self.counts = Followed()
        self.at_end = False
        """Whether the last look has read all that there was."""
        self._line_bytes_max = line_bytes_max
        self._parts: deque[Part] = deque()  # the first is read, the last has the name; empty if there is no file
        self._late: Part | None = None  # what was rotated away last, and how often it was looked at since
        self._late_looks = 0
        self._tail = b""  # the beginning of a line whose end has not been written yet
        self._skipping = False  # in a line that is too long
        self._open(position, at_end)

    @property
    def position(self) -> Position | None:
        """Behind the last line that was given; None if there is no file."""
        if not self._parts:
            return None
        part = self._parts[0]
        return part.position(part.offset - len(self._tail))

    @property
    def rotated_away(self) -> bool:
        """Whether a file is looked at that has lost the name, beside or before the one that has it."""
        return self._late is not None or len(self._parts) > 1

    @property
    def holds_deleted(self) -> bool:
        """Whether a file is held that has no name any more: its room is free once it is let go of."""
        held = [*self._parts, *([self._late] if self._late else [])]
        return any(part.is_deleted for part in held)

    @property
    def identities(self) -> set[tuple[int, int]]:
        """Device and inode of each file that is held."""
        held = [*self._parts, *([self._late] if self._late else [])]
        return {(part.device, part.inode) for part in held}

    def look(self, bytes_max: int) -> list[bytes]:
        """Whole lines that were written since, without their ends; about so many bytes of them.

        Notes
        -----
        Lines of two files come in the order of the files. What a program writes to a file after it was rotated away is
        given, too, until there was none for a minute.
        """
        if not self._parts:
            self._open(None, at_end=False)
        lines = self._look_at_late()
        given = 0
        while self._parts and given < bytes_max:
            self._notice_truncation()
            data = self._read(self._parts[0])
            given += len(data)
            lines += self._lines_of(data)
            if not data and not self._go_on(lines):
                break
        self.at_end = given < bytes_max
        self.counts.lines += len(lines)
        return lines

    def close(self) -> None:
        """Let go of all files."""
        for part in [*self._parts, *([self._late] if self._late else [])]:
            part.close()
        self._parts.clear()
        self._late = None

    def _open(self, position: Position | None, at_end: bool) -> None:
        if position is not None:
            self._parts.extend(find(self.path, position))
            if self._parts:
                return
            self.counts.missed += 1
            log.warning("cannot find where %s was left: it is not there under this name or beside it", self.path)
        try:
            part = Part(self.path)
        except READ_ERRORS:  # it comes later, perhaps
            return
        if at_end and (size := part.size):
            part.seek(size - 1)
            self._skipping = part.read(1) != b"\n"
        self._parts.append(part)

    def _read(self, part: Part) -> bytes:
        try:
            return part.read(_READ_BYTES)
        except READ_ERRORS as error:  # a broken archive, a bad sector: the file that follows it can be read
            if not part.broken:
                log.warning("cannot read on in a file of %s: %s; expected one that can be read", self.path, error)
                self.counts.missed += 1
            part.broken = True
            return b""

    def _go_on(self, lines: list[bytes]) -> bool:
        """At the end of a file: whether there is another one to read."""
        if len(self._parts) == 1:
            now = identity(self.path)
            if now is not None and now not in self.identities:
                self._parts.extend(since(self.path, self._parts[0]))
                self.counts.rotations += len(self._parts) - 1
            if len(self._parts) == 1 and not (now is None and self._parts[0].is_deleted):
                return False
        self._end_late(lines)
        # What lacks its newline may get it yet.
        self._late, self._late_looks = self._parts.popleft(), 0
        self._late.seek(self._late.offset - len(self._tail))
        self._tail, self._skipping = b"", False
        return True

    def _look_at_late(self) -> list[bytes]:
        """Lines that a file got after it was rotated away."""
        lines: list[bytes] = []
        if self._late is None:
            return lines
        begin = self._late.offset
        data = self._read(self._late)
        whole = data.rfind(b"\n") + 1
        self._late.seek(begin + whole)
        self._late_looks = 0 if whole else self._late_looks + 1
        lines = self._of_allowed_length(data[:whole].split(b"\n")[:-1])
        if self._late_looks >= _LATE_LOOKS or len(data) - whole > self._line_bytes_max:
            self._end_late(lines)
        return lines

    def _end_late(self, lines: list[bytes]) -> None:
        """Let a file go that was rotated away; what it has is its last line, though no newline ends it."""
        if self._late is None:
            return
        last = self._read(self._late)
        lines += self._of_allowed_length(last.removesuffix(b"\n").split(b"\n") if last else [])
        self._late.close()
        self._late = None

    def _notice_truncation(self) -> None:
        """A file that was emptied is read from its start, after what was copied away before (``copytruncate``)."""
        part = self._parts[0]
        if part.packed or len(self._parts) > 1 or part.unchanged:
            return
        self.counts.truncations += 1
        copy = find_copy(self.path, part.position(part.offset - len(self._tail)))
        self._tail, self._skipping = b"", False
        if copy is None:
            self.counts.missed += 1
            part.seek(0)
        else:
            self._parts.popleft().close()
            self._parts.extend([copy, *since(self.path, copy)])

    def _lines_of(self, data: bytes) -> list[bytes]:
        lines = (self._tail + data).split(b"\n")
        self._tail = lines.pop()
        if self._skipping and lines:
            del lines[0]
            self._skipping = False
        if self._skipping:
            self._tail = b""
        elif len(self._tail) > self._line_bytes_max:
            self.counts.long += 1
            self._tail, self._skipping = b"", True
        return self._of_allowed_length(lines)

    def _of_allowed_length(self, lines: list[bytes]) -> list[bytes]:
        allowed = [line for line in lines if len(line) <= self._line_bytes_max]
        self.counts.long += len(lines) - len(allowed)
        return allowed
