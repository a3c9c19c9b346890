"""`Spool`: what waits to be sent, on disk, for any number of destinations.

Each destination has its own place: the segment and the last batch that it has answered. A place is a position like
those of whoever feeds us, and lies in the same records. Where it is old after a crash, batches are sent once more, and
their numbers keep them from counting twice.

While the disk refuses, records wait in memory up to a bound and are sent from there. Beyond it slots are refused, and
the next record tells how many were. Slots that have positions are not taken then: who gives them can read them again,
and after a crash would.
"""

import logging
import os
import secrets
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.agent.spool.positions import Place, Positions
from tallystick.agent.spool.record import Record, packed_cursors, told
from tallystick.agent.spool.segment import SUFFIX, Segment
from tallystick.agent.spool.transcript import Transcript
from tallystick.files import TEMPORARY_SUFFIX, Files, hold_directory
from tallystick.model.clock import Clock
from tallystick.model.kind import Kind
from tallystick.native.messages import Name, Slot

log = logging.getLogger(__name__)

SEGMENT_BYTES = 8 << 20
"""A segment that is longer, or as old as `SEGMENT_S`, is followed by another."""
SEGMENT_S = 3600
DESCRIBED_MAX = 100_000
_AGED_S = 3600.0
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """What the spool may hold.

    Parameters
    ----------
    bytes_max
        On disk; the oldest slots are given up first.
    age_s_max
        Older slots are given up.
    memory_bytes_max
        In memory, while the disk refuses.
    """

    bytes_max: int = 256 << 20
    age_s_max: float = 7 * 86400.0
    memory_bytes_max: int = 8 << 20


@dataclass(slots=True)
class SpoolCounts:
    """Slots, as growing totals: those that were given up on disk, and those for which there was no room in memory."""

    given_up: int = 0
    refused: int = 0
    damaged_files: int = 0


class Spool:
    """Segments in a directory; thread-safe, and one writes at a time.

    Parameters
    ----------
    directory
        Ours alone; made if need be.
    destinations
        Names of those who read; what all of them have is removed.

    Raises
    ------
    StartError
        If the directory cannot be used, or another process has it open.
    """

    def __init__(
        self,
        directory: Path,
        destinations: Iterable[str],
        clock: Clock,
        limits: SpoolLimits | None = None,
        files: Files | None = None,
    ) -> None:
        self.counts = SpoolCounts()
        self.lock = threading.RLock()
        self.directory = directory
        self.trouble = ""
        """Why the disk refuses; empty while it does not."""
        self._clock = clock
        self._limits = limits or SpoolLimits()
        self._files = files or Files()
        self._segment_bytes = min(SEGMENT_BYTES, self._limits.bytes_max // 8)
        self._held = hold_directory(directory, self._files, "the spool", "agent.spool", private=True)
        found: dict[str, str] = {}
        self._segments = self._opened(found)
        self._positions = Positions(found, destinations)
        self._described: dict[tuple[str, Kind], Name] = {}
        self._run = secrets.token_hex(8)
        self._first_own = self._next_sequence
        self._unwritten: deque[Record] = deque()
        self._unwritten_bytes = 0
        self._number = 0
        self._is_writing = False
        self._untold = [0, 0]  # slots made since the last record and not sent, and those of them that are blocked
        self._aged_since_s: float | None = None
        self._begin_segment()

    @property
    def cursors(self) -> dict[str, str]:
        """Positions of whoever feeds us, as of the last record."""
        with self.lock:
            return self._positions.cursors

    def describe(self, names: Iterable[Name]) -> None:
        """Say something of names, with the next slots of each."""
        with self.lock:
            for name in names:
                key = name.name, name.kind
                if self._described.get(key) != name and (key in self._described or self._has_room_to_describe()):
                    self._described[key] = name
                    self._transcript.forget(name)

    def add(self, slots: Sequence[Slot], blocked: int = 0, refused: int = 0) -> bool:
        """Take slots as one record, which is safe once `write` says so, and is sent from memory while the disk refuses.

        Parameters
        ----------
        blocked
            Slots that were made beside these, and are not sent as no server wants them.
        refused
            Slots for which there was no room before they came here.

        Returns
        -------
        bool
            Whether there was room for the slots; if not, they are counted, and told by a later record.
        """
        with self.lock:
            has_room = self._unwritten_bytes <= self._limits.memory_bytes_max
            if not has_room:
                self.counts.refused += len(slots)
                refused += len(slots)
                slots = ()
            self._untold[0] += blocked + refused
            self._untold[1] += blocked
            if has_room:
                self._begin_segment_if_due()
                record = self._record(slots, _NONE, *self._untold)
                self._untold = [0, 0]
                self._number = record.number
                self._wait(record)
            return has_room

    def write(
        self, slots: Sequence[Slot] = (), cursors: Mapping[str, str] = _NONE, blocked: int = 0, refused: int = 0
    ) -> bool:
        """Have all that was added on disk, and behind it slots with the positions that stand for them, as one record.

        Parameters
        ----------
        cursors
            An empty one is forgotten.
        blocked, refused
            See `add`.

        Returns
        -------
        bool
            False if the disk refuses: then it is to be tried again, and what was given with this call counts for
            nothing. It is not sent, for a crash would have those who gave it give it again.
        """
        is_more = bool(slots or cursors or blocked or refused)
        with self.lock:
            if is_more:
                self._begin_segment_if_due()
            names_before = len(self._transcript)
            more = [self._record(slots, cursors, blocked + refused, blocked)] if is_more else []
            records, segment = [*self._unwritten, *more], self._segments[-1]
            self._is_writing = True
        try:
            if records:
                segment.append(records)
        except OSError as error:
            with self.lock:
                self._transcript.undo(names_before)
                self._is_writing = False
            self._refused(error)
            return False
        self.trouble = ""
        with self.lock:
            self._is_writing = False
            self._unwritten.clear()
            self._unwritten_bytes = 0
            if more:
                self._number = more[0].number
                self._positions.know(cursors)
            self._remove_sent()
        self._keep_within_limits()
        if self._untold[0]:  # what was refused is told as soon as there is room for that
            self.add(())
            return self.write()
        return True

    def close(self) -> None:
        """Let go of the directory; what could not be written is lost."""
        with self.lock:
            for segment in self._segments:
                segment.close()
            os.close(self._held)

    # For destinations.

    def place(self, destination: str) -> Place:
        """How far a destination is; in a segment that is there."""
        with self.lock:
            return self._positions.places[destination]

    def answered(self, destination: str, place: Place) -> None:
        """A destination has all up to a place."""
        with self.lock:
            if place <= self._positions.places[destination]:
                return
            self._positions.places[destination] = place
            self._forget_sent_batches()
            self._remove_sent()

    def segment(self, sequence: int) -> tuple[Segment, bool]:
        """A segment, or the one that follows where it is gone; and whether another one follows that."""
        with self.lock:
            for segment in self._segments:
                if segment.sequence >= sequence:
                    break
            return segment, segment is not self._segments[-1]

    def unwritten(self, segment: Segment, at: int) -> list[Record]:
        """Records of a segment that the disk refuses, for who has read its file to its end; else none.

        While it does not refuse, nothing is sent that is not safe: after a crash, those who feed us begin again where
        the disk says.
        """
        with self.lock:
            is_all = segment is self._segments[-1] and at >= segment.written
            return list(self._unwritten) if is_all and self.trouble and not segment.is_doubtful else []

    def mend(self, segment: Segment) -> None:
        """Set aside what is damaged in a segment; what cannot be read at all is given up."""
        with self.lock:
            is_written_to = segment is self._segments[-1] and (self._unwritten or self._is_writing)
            if segment not in self._segments or is_written_to:
                return
            if segment is self._segments[-1]:
                self._begin_segment()
            self.counts.damaged_files += 1
            try:
                segment.mend()
            except OSError as error:
                log.warning("cannot read %s, which is given up: %s", segment.path, error.strerror)
                self._segments.remove(segment)

    # What is told of it.

    @property
    def size_bytes(self) -> int:
        """What it takes of the disk."""
        with self.lock:
            return sum(segment.written for segment in self._segments)

    def waiting(self) -> int:
        """About so many slots somebody still has to be sent: those of segments that are not all answered."""
        with self.lock:
            first = min(self._positions.places.values(), default=Place(self._segments[-1].sequence))
            behind = [one for one in self._segments if Place(one.sequence, one.number) > first]
            return sum(segment.slots for segment in behind) + sum(record.slots for record in self._unwritten)

    # The lock is held from here on.

    def _opened(self, cursors: dict[str, str]) -> list[Segment]:
        found = []
        for path in self.directory.glob(f"*{TEMPORARY_SUFFIX}"):
            self._files.remove(path)
        paths = sorted(self.directory.glob(f"[0-9]*{SUFFIX}"))
        for path in paths:
            segment = Segment.opened(path, self._files, cursors, is_newest=path == paths[-1])
            if segment is not None:
                self.counts.damaged_files += segment.is_damaged
                found.append(segment)
        self._next_sequence = int(paths[-1].name.removesuffix(SUFFIX)) + 1 if paths else 1
        return found

    def _begin_segment(self) -> None:
        """Another conversation; also after a start, so that no number can be of two batches."""
        sequence, self._next_sequence = self._next_sequence, self._next_sequence + 1
        segment = Segment(self.directory / f"{sequence:010}{SUFFIX}", self._run, self._files)
        now_ms = int(self._clock.now() * 1000)
        segment.begin(now_ms)
        segment.number = self._number
        if self._segments:
            self._segments[-1].close()
        self._segments.append(segment)
        self._transcript = Transcript(self._described)
        self._wait(
            Record(self._number, 0, 0, now_ms, 0, cursors=packed_cursors(self._positions.told(self._positions.cursors)))
        )

    def _record(self, slots: Sequence[Slot], cursors: Mapping[str, str], unsent: int, blocked: int) -> Record:
        """Slots and positions as the next record; `unsent` were made beside the slots."""
        at_ms = int(self._clock.now() * 1000)
        positions = packed_cursors(self._positions.told(cursors))
        return self._transcript.record(slots, self._number, len(slots) + unsent, blocked, at_ms, positions)

    def _begin_segment_if_due(self) -> None:
        if self._is_segment_over():
            self._begin_segment()

    def _is_segment_over(self) -> bool:
        segment = self._segments[-1]
        # What the disk refused belongs to it, and is to be gone from it for good before another one is begun.
        if self._unwritten or self.trouble or not segment.written:
            return False
        age_s = self._clock.now() - segment.began_ms / 1000
        return segment.written > self._segment_bytes or not -SEGMENT_S < age_s < SEGMENT_S

    def _wait(self, record: Record) -> None:
        self._unwritten.append(record)
        self._unwritten_bytes += record.size_bytes

    def _refused(self, error: OSError) -> None:
        if not self.trouble:
            log.warning(
                "cannot write to the spool %s: %s; slots are kept in memory until it can be",
                self.directory,
                error.strerror,
            )
        self.trouble = error.strerror or str(error)

    def _has_room_to_describe(self) -> bool:
        return len(self._described) < DESCRIBED_MAX

    def _forget_sent_batches(self) -> None:
        """Of records that wait in memory only keep the names, once all destinations have them."""
        least = self._positions.least
        if not self.trouble or self._is_writing or least.segment < self._segments[-1].sequence:
            return
        sent: list[Record] = []
        while self._unwritten and self._unwritten[0].number <= least.number:
            sent.append(self._unwritten.popleft())
            self._unwritten_bytes -= sent[-1].size_bytes
        if sent:
            self._unwritten.appendleft(told(sent))
            self._unwritten_bytes += self._unwritten[0].size_bytes

    def _remove_sent(self) -> None:
        """Remove segments that all destinations have, once their positions are safe in the newest one."""
        if not self._segments[-1].written:
            return
        least = self._positions.least
        for segment in self._segments[:-1]:
            # One without batches is over when its reader has left it.
            if least < Place(segment.sequence, segment.number or 1):
                break
            self._remove(segment)

    def _remove(self, segment: Segment) -> None:
        self._segments.remove(segment)
        try:
            self._files.remove(segment.path)
        except OSError as error:
            log.warning("cannot remove %s: %s", segment.path, error.strerror)

    def _keep_within_limits(self) -> None:
        with self.lock:
            while (segment := self._beyond_limits()) is not None:
                # Of what was there before our start, places may be older than what destinations have.
                is_begun = segment.sequence < self._first_own or any(
                    place.segment == segment.sequence for place in self._positions.places.values()
                )
                try:
                    given_up = segment.thin(is_begun=is_begun)
                except OSError as error:
                    self._refused(error)
                    return
                self.counts.given_up += given_up
                log.warning("the spool is full or too old: gave up %d slots of %s", given_up, segment.path.name)

    def _beyond_limits(self) -> Segment | None:
        """The oldest segment with slots, if there is too much or it is too old."""
        oldest = next((segment for segment in self._segments[:-1] if segment.slots), None)
        if oldest is None:
            return None
        if self.size_bytes > self._limits.bytes_max:
            return oldest
        if self._clock.now() - oldest.newest_ms / 1000 < self._limits.age_s_max:
            self._aged_since_s = None
            return None
        # A clock that jumps ahead for a while must not cost what is not old.
        self._aged_since_s = self._clock.monotonic() if self._aged_since_s is None else self._aged_since_s
        return oldest if self._clock.monotonic() - self._aged_since_s >= _AGED_S else None
