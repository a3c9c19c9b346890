r"""StatsD's lines, with what DogStatsD added to them.

::

    line  = key 1*(":" bit) / event / check
    bit   = value *(":" value) "|" type *("|" field)
    type  = "c" | "m" | "g" | "ms" | "aggregate" | "h" | "d" | "s"
    field = "@" rate | "#" tag *("," tag) | "T" seconds | letter anything

    event = "_e{" title-bytes "," text-bytes "}:" title "|" text *("|" field)
    check = "_sc|" name "|" ("0" | "1" | "2" | "3") *("|" field)
            where field = "d:" seconds | "h:" host | "t:" type | "#" tags | "m:" message, which is the last

- **Types.** ``c`` and ``m`` (meter) count; ``g`` is a gauge, changed by the value where it has a sign; ``ms``, Say
  Media's word for it ``aggregate``, ``h`` and ``d`` are timings, and the first two have no minus sign; ``s`` is a set,
  whose members are hashed to 64 bits that travel as a float's.
- **Rates.** ``0.000001 <= rate <= 1``; a sample stands for ``1 / rate`` of the sender's. Gauges are not scaled.
- **Keys** are cleaned as StatsD does: runs of white space become ``_``, ``/`` becomes ``-``, what is none of
  ``a-z A-Z 0-9 _ - . ; =`` is left out.
- **Tags** become part of the name, ``;key=value``, cleaned likewise. A tag without a value is ``key=true`` (StatsD
  writes ``;key``, which carbon then refuses); one with an empty key or value rejects the line.
- **Times.** ``T`` is the time of counters and gauges, whole epoch seconds from 1; other samples have that of their
  arrival.
- **Other fields** that begin with a letter (DogStatsD's ``c:``, ``e:``, ``card:``) are passed over.
- **Events** count in ``statsd.events``, with host, type and tags as tags; what they say is in the `EventJournal`.
- **Service checks** are gauges, ``servicecheck.NAME`` with host and tags, of 0 (ok), 1, 2 and 3 (unknown).
- **Counting.** Each value is one sample, and is accepted or rejected by itself. A line that is bad as a whole (no key,
  no value, a bad tag, too long) counts as one; an event and a check are one.
- **Streams** carry lines. To a Unix stream socket DogStatsD's clients send frames, a length of four bytes,
  little-endian, and so many bytes of lines, StatsD's send lines: a parser that is `framed` takes either. Frames are
  shorter than 64 KiB, so the third and fourth byte tell which it is: no text has zeros there.

Where this differs from StatsD: it takes any unknown type for a counter and reads ``0x10``, which `lenient` parsers
alone do; it refuses packed values (``k:1:2|c``), we take them as DogStatsD does. In a set's member a colon is part of
the member.

A lenient parser reads as StatsD's own does: unknown and empty types count, white space around numbers and types is
passed over, numbers may be ``0x10``, ``0o17`` and ``0b11`` (up to 52 bits), rates may be above 1 and are the digits and
points that they begin with (``@1e-2`` is 1), and what follows a rate is not looked at.
"""

import struct
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Listener
from tallystick.dogstatsd import event_of
from tallystick.kernels.dogstatsd import EVENTS_NOTED_MAX
from tallystick.kernels.names import NameTable
from tallystick.kernels.statsd import parse_lines
from tallystick.model.reason import Reason
from tallystick.parse.contract import LINE_BYTES_MAX, Parsed
from tallystick.parse.events import EventJournal
from tallystick.parse.lines import LineParser
from tallystick.parse.registry import protocol

_LENGTH = struct.Struct("<I")


@protocol("statsd")
class StatsdParser(LineParser):
    """StatsD and DogStatsD lines; samples are stamped with the time of their arrival where they bring none.

    Parameters
    ----------
    lenient
        Whether to take what StatsD takes, whatever it may have meant.
    framed
        Whether a stream may be one of frames.
    """

    _kernel = staticmethod(parse_lines)
    sample_bytes_min = 2

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX, *, lenient: bool = False, framed: bool = False) -> None:
        super().__init__(line_bytes_max)
        self.lenient = lenient
        self.framed = framed
        self.journal = EventJournal()
        self._events = np.zeros((1 + EVENTS_NOTED_MAX, 2), np.int64)

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """See `tallystick.parse.contract.Parser.configured`."""
        framed = listener.endpoint.scheme == "unixstream"
        return cls(listener.line_bytes_max or LINE_BYTES_MAX, lenient=not listener.strict, framed=framed)

    def parse(
        self,
        buffer: NDArray[np.uint8],
        length: int,
        names: NameTable,
        now_ms: int,
        *,
        final: bool = False,
        skipping: bool = False,
    ) -> Parsed:
        """See `tallystick.parse.contract.Parser.parse`; whether lines or frames come is seen by their first bytes."""
        if self.framed and not skipping:
            if length < _LENGTH.size and not final:
                return self._run(buffer, [], [], names, now_ms, consumed=0)
            if _is_frame(buffer, 0, length):
                return self._parse_frames(buffer, length, names, now_ms, final=final)
        return super().parse(buffer, length, names, now_ms, final=final, skipping=skipping)

    def _parse_frames(
        self, buffer: NDArray[np.uint8], length: int, names: NameTable, now_ms: int, *, final: bool
    ) -> Parsed:
        starts, sizes, at = [], [], 0
        fault: tuple[Reason, int, int] | None = None
        broken = False
        while at + _LENGTH.size <= length:
            if not _is_frame(buffer, at, length):
                fault, broken = (Reason.FRAME, at, length - at), True
                break
            (size,) = _LENGTH.unpack_from(buffer.data, at)
            if at + _LENGTH.size + size > length:
                break
            starts.append(at + _LENGTH.size)
            sizes.append(size)
            at += _LENGTH.size + size
        if final and at < length and not broken:
            fault = Reason.TRUNCATED, at, length - at
        consumed = at if fault is None else length
        parsed = self._run(buffer, starts, sizes, names, now_ms, consumed=consumed, fault=fault)
        return replace(parsed, broken=broken)

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        return self._kernel(
            buffer,
            starts,
            sizes,
            self.line_bytes_max,
            names.arrays,
            now_ms,
            self._rows,
            self.lenient,
            self._events,
        )

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        for start, stop in self._events[1 : 1 + int(self._events[0, 0])].tolist():
            if (event := event_of(buffer[start:stop].tobytes())) is not None:
                self.journal.note(event)
        self._events[0, 0] = 0
        return parsed


def _is_frame(buffer: NDArray[np.uint8], at: int, length: int) -> bool:
    """Whether a frame's length stands at `at`: one below 64 KiB."""
    return at + _LENGTH.size <= length and buffer[at + 2] == 0 and buffer[at + 3] == 0
