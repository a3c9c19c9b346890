"""Bytes of a connection to lines: what is not whole waits for the rest, up to a limit."""

import struct
from typing import Protocol

from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.lines import NOTHING, Answer, Lines
from tallystick.agent.doors.sample import LINE_BYTES_MAX
from tallystick.model.reason import Reason

_LENGTH = struct.Struct("<I")


class Stream(Protocol):
    """What was sent on one connection; its callers hold the lock of the tallies."""

    def feed(self, data: bytes, now_ms: int) -> Answer:
        """Take what came; whatever it is, this raises nothing."""
        ...

    def end(self, now_ms: int) -> None:
        """Take what is left when the sender has ended it."""
        ...

    def close(self) -> None:
        """The connection is no more, whoever ended it."""
        ...


class LineStream:
    """Lines that end with a newline, also the last one if the sender forgot it."""

    def __init__(self, lines: Lines, counts: Counts) -> None:
        self._lines = lines
        self._counts = counts
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes, now_ms: int) -> Answer:
        """See `Stream.feed`."""
        if self._skipping:
            _, newline, data = data.partition(b"\n")
            if not newline:
                return NOTHING
            self._skipping = False
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        answer = self._lines.take(whole.split(b"\n"), now_ms) if newline else NOTHING
        if len(rest) > LINE_BYTES_MAX:
            self._counts.reject(Reason.LINE_LONG, rest, now_ms)
            rest, self._skipping = b"", True
        self._rest = rest
        return answer

    def end(self, now_ms: int) -> None:
        """See `Stream.end`."""
        if self._rest:
            self._lines.take(self._rest.split(b"\n"), now_ms)
            self._rest = b""

    def close(self) -> None:
        """See `Stream.close`."""


class FramedStream:
    """Lines, or frames of them as DogStatsD's clients send: a length of four bytes, little-endian, below 64 KiB.

    Third and fourth byte tell which it is: no text has zeros there.
    """

    def __init__(self, lines: Lines, counts: Counts) -> None:
        self._plain = LineStream(lines, counts)
        self._lines = lines
        self._counts = counts
        self._rest = b""
        self._is_plain = False

    def feed(self, data: bytes, now_ms: int) -> Answer:
        """See `Stream.feed`."""
        if self._is_plain:
            return self._plain.feed(data, now_ms)
        data = self._rest + data
        at = 0
        while len(data) - at >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(data, at)
            if size >= 1 << 16:
                return self._take_plain(data, now_ms) if at == 0 else self._break(data[at:], now_ms)
            end = at + _LENGTH.size + size
            if end > len(data):
                break
            self._lines.take(data[at + _LENGTH.size : end].split(b"\n"), now_ms)
            at = end
        self._rest = data[at:]
        return NOTHING

    def end(self, now_ms: int) -> None:
        """See `Stream.end`."""
        self._plain.end(now_ms)
        if 0 < len(self._rest) < _LENGTH.size:
            self._lines.take(self._rest.split(b"\n"), now_ms)
        elif self._rest:
            self._counts.reject(Reason.TRUNCATED, self._rest, now_ms)

    def close(self) -> None:
        """See `Stream.close`."""

    def _take_plain(self, data: bytes, now_ms: int) -> Answer:
        """Go on as lines, which whoever sends lines once does for good."""
        self._is_plain, self._rest = True, b""
        return self._plain.feed(data, now_ms)

    def _break(self, data: bytes, now_ms: int) -> Answer:
        self._counts.reject(Reason.FRAME, data, now_ms)
        self._rest = b""
        return Answer(leaving=True)
