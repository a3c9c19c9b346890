"""`Reader`: the spool as one destination reads it, segment by segment."""

import os
import zlib
from typing import NamedTuple

from tallystick.agent.spool.positions import Place
from tallystick.agent.spool.record import HEAD_BYTES, Head
from tallystick.agent.spool.segment import FIRST_RECORD, Segment
from tallystick.agent.spool.spool import Spool


class Piece(NamedTuple):
    """Frames as they are sent, and the number of the last batch among them; 0 if there are only names."""

    frames: bytes
    number: int


class DamagedRecordError(OSError):
    """What was written is not what is read."""


class ReplacedError(OSError):
    """The segment's slots were given up, or all have it, while it was read: its conversation is to begin anew."""


class Reader:
    """Gives a conversation's bytes, from where the destination is.

    Parameters
    ----------
    destination
        Its name in the spool.
    """

    def __init__(self, spool: Spool, destination: str) -> None:
        self._spool = spool
        self._destination = destination
        self._descriptor = -1
        self._answered = 0
        self._begin(spool.place(destination).segment)

    @property
    def run(self) -> str:
        """The run of the present segment."""
        return self._segment.run

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def take(self, bytes_max: int) -> list[Piece]:
        """What follows, at least one piece if there is one.

        Raises
        ------
        OSError
            If the disk cannot read it, what it reads is damaged, or the segment was replaced.
        """
        if self._segment.version != self._version:
            raise ReplacedError(0, f"slots of {self._segment.path.name} were given up")
        pieces: list[Piece] = []
        size = 0
        while self._at < self._segment.written and size < bytes_max:
            piece = self._next()
            if piece is not None:
                pieces.append(piece)
                size += len(piece.frames)
        for record in self._spool.unwritten(self._segment, self._at):
            if size >= bytes_max:
                break
            if record.number > self._said:
                pieces.append(self._piece(record.number, record.names, record.batches))
                size += len(record.batches)
        return pieces

    def mend(self) -> None:
        """Have what is damaged set aside, so that the rest can be sent."""
        self._spool.mend(self._segment)

    def answered(self, number: int) -> None:
        """The destination has all up to a number."""
        self._answered = max(self._answered, number)
        self._spool.answered(self._destination, Place(self._segment.sequence, self._answered))

    def advance(self) -> bool:
        """Go on with the next segment, if this one is over and all of it was answered; True if that begins a new
        conversation."""
        segment, is_followed = self._spool.segment(self._segment.sequence)
        if segment is not self._segment:
            self._begin(segment.sequence)
            return True
        if not is_followed or self._at < segment.written or self._answered < self._sent:
            return False
        self._spool.answered(self._destination, Place(segment.sequence, max(segment.number, self._answered)))
        self._begin(segment.sequence + 1)
        return True

    def _begin(self, sequence: int) -> None:
        self.close()
        self._segment: Segment = self._spool.segment(sequence)[0]
        self._version = self._segment.version
        self._spool.answered(self._destination, Place(self._segment.sequence))  # begun, that is
        place = self._spool.place(self._destination)
        self._answered = place.number if place.segment == self._segment.sequence else 0
        self._at = FIRST_RECORD
        self._said = 0
        self._sent = 0  # the last number that is to be answered

    def _next(self) -> Piece | None:
        """The next record on disk; None if nothing of it is to be sent."""
        if self._descriptor < 0:
            try:
                self._descriptor = self._segment.open_read()
            except FileNotFoundError:
                raise ReplacedError(0, f"{self._segment.path.name} was removed: all have it") from None
        data = os.pread(self._descriptor, HEAD_BYTES, self._at)
        head = Head.read(data)
        if head is None:
            raise DamagedRecordError(0, f"{self._segment.path} is damaged at byte {self._at}")
        at, self._at = self._at + HEAD_BYTES, self._at + head.size_bytes
        if head.number <= self._said or not head.names_bytes + head.batches_bytes:
            return None
        body = os.pread(self._descriptor, head.body_bytes, at)
        if zlib.crc32(body) != head.crc:
            raise DamagedRecordError(0, f"{self._segment.path} is damaged at byte {at}")
        behind = head.names_bytes + head.batches_bytes
        return self._piece(head.number, body[: head.names_bytes], body[head.names_bytes : behind])

    def _piece(self, number: int, names: bytes, batches: bytes) -> Piece:
        """What of a record is sent: of one that was answered on an earlier connection only the names."""
        self._said = number
        if not batches or number <= self._answered:
            return Piece(names, 0)
        self._sent = number
        return Piece(names + batches, number)
