"""Ganglia's datagrams, as gmond 3.1 and later and ``gmetric`` send them, each in XDR::

    metadata = 128 id type name units slope tmax dmax *(key value)
    value    = (129 .. 135) id format (ushort | short | int | uint | string | float | double)
    request  = 136 id
    id       = host metric spoofed

- **Names.** ``ganglia.host.metric``, as gmetad gives them to Graphite: dots of the host become ``_``, its letters small
  ones; what a name cannot hold becomes ``_``. Datagrams do not name their cluster: a listener's ``prefix`` may. A
  spoofed host is ``address:host``, of which the host counts.
- **Kinds.** Metadata says what a metric is: with a positive slope or a derivative it is a counter that grows, else a
  gauge, and of the type ``string`` it is text, which no series can hold. ``gmetric`` sends all values as strings, which
  are read as numbers.
- **Without metadata** (we began to listen after the sender, and it does not repeat it) a value is a gauge if its name
  is known already. A new name is rejected as `undeclared` for a minute, because the kind of a series is for ever, and
  is a gauge from then on.
- **Meaning.** Metadata's units and its ``DESC`` describe the series: see `tallystick.parse.ganglia_meta`.
- **Memory.** What was announced of `METRICS_MAX` metrics is kept. When half of that is taken, those are forgotten that
  have not been heard of for their ``dmax``, or for an hour. Beyond it values are rejected as `undeclared`.
- **Times** are those of arrival. A float of 32 bits is the shortest decimal that is the same float.
- **Counting.** Each value is a sample. Metadata, requests and gmond's internal ``heartbeat`` and ``location`` count
  nothing, unless they cannot be read.

Where this differs from gmond: the host is the one that the datagram names, not what the sender's address resolves to;
metadata is not asked for; datagrams of gmond before 3.1 are rejected, which it passes over.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Listener
from tallystick.kernels.ganglia import METRICS_FULL, Announced, parse_messages
from tallystick.kernels.names import NameArrays, NameTable
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.parse.contract import Parsed
from tallystick.parse.ganglia_meta import METADATA, meant_by_metadata
from tallystick.parse.messages import MessageParser
from tallystick.parse.registry import protocol

METRICS_MAX = 1 << 19
PREFIX = "ganglia"
PREFIX_BYTES_MAX = NAME_BYTES_MAX - 100  # some room is for hosts and metrics
_MESSAGE_BYTES_MAX = 1 << 16
_IDLE_S_MAX = 3600
_LOOK_MS = 60_000
_METRICS_AT_ONCE = 1024
_MEANT_AT_ONCE = 64
"""Of so many datagrams with metadata of one call units are read; whoever sends more is not described further."""
_NAME_BYTES_AT_ONCE = 1 << 16


@protocol("ganglia")
class GangliaParser(MessageParser):
    """Ganglia's datagrams; samples are stamped with the time of their arrival.

    Parameters
    ----------
    prefix
        What stands before host and metric in each name; empty for nothing, else at most `PREFIX_BYTES_MAX`.
    metrics_max
        Of so many metrics is kept what was announced.
    """

    sample_bytes_min = 24

    def __init__(
        self, line_bytes_max: int = _MESSAGE_BYTES_MAX, prefix: str = PREFIX, metrics_max: int = METRICS_MAX
    ) -> None:
        super().__init__(line_bytes_max)
        if len(prefix.encode()) > PREFIX_BYTES_MAX:
            raise ValueError(f"cannot use prefix {prefix!r}: it is too long; expected at most {PREFIX_BYTES_MAX} bytes")
        self._prefix = np.frombuffer(f"{prefix}.".encode() if prefix else b"", np.uint8)
        self._table = NameTable(metrics_max)
        self._known = _Columns.empty(len(self._table.arrays.successor))
        self._looked_ms = 0  # when it was last looked for what can be forgotten
        self._metadata: list[bytes] = []  # datagrams of the call at hand

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """A parser for a listener, with the prefix of names that it has."""
        return cls(listener.line_bytes_max or _MESSAGE_BYTES_MAX, listener.prefix or PREFIX)

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        if 2 * len(self._table) > self._table.entries_max and abs(now_ms - self._looked_ms) >= _LOOK_MS:
            self._forget(now_ms)
        while True:
            done = parse_messages(
                buffer,
                starts,
                sizes,
                self.line_bytes_max,
                names.arrays,
                now_ms,
                self._rows,
                self._prefix,
                self._known.with_names(self._table.arrays),
            )
            if done != METRICS_FULL:
                self._metadata = _metadata_of(buffer, starts, sizes)
                return done
            self._table.reserve(_METRICS_AT_ONCE, _NAME_BYTES_AT_ONCE)
            self._known = self._known.moved(np.arange(len(self._table)), len(self._table.arrays.successor))

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        if not self._metadata:
            return parsed
        said = (meant_by_metadata(datagram, self._prefix.tobytes().decode()) for datagram in self._metadata)
        return replace(parsed, meant=tuple(one for one in said if one is not None))

    def _forget(self, now_ms: int) -> None:
        """Forget metrics that nothing was heard of for as long as they are to be kept."""
        count = len(self._table)
        dmax_s, heard_ms = self._known.dmax_s[:count], self._known.heard_ms[:count]
        kept_s = np.where(dmax_s > 0, np.minimum(dmax_s, _IDLE_S_MAX), _IDLE_S_MAX)
        kept = np.flatnonzero(now_ms - heard_ms <= 1000 * kept_s)
        table = NameTable(self._table.entries_max)
        table.intern_packed(self._table.packed(kept))
        self._known = self._known.moved(kept, len(table.arrays.successor))
        self._table, self._looked_ms = table, now_ms


def _metadata_of(buffer: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int32]) -> list[bytes]:
    """The first datagrams that hold metadata."""
    found = np.flatnonzero((buffer[starts + 3] == METADATA) & (sizes > 3))[:_MEANT_AT_ONCE]
    spans = zip(starts[found].tolist(), sizes[found].tolist(), strict=True)
    return [buffer[start : start + size].tobytes() for start, size in spans]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Those of `Announced`, with room for more metrics than there are."""

    what: NDArray[np.uint8]
    first_ms: NDArray[np.int64]
    heard_ms: NDArray[np.int64]
    dmax_s: NDArray[np.int64]

    @classmethod
    def empty(cls, room: int) -> Self:
        return cls(
            np.zeros(room, np.uint8), np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(room, np.int64)
        )

    def moved(self, rows: NDArray[np.intp], room: int) -> "_Columns":
        """These rows, one after the other, at the beginning of longer columns."""
        larger = _Columns.empty(room)
        for name in ("what", "first_ms", "heard_ms", "dmax_s"):
            getattr(larger, name)[: len(rows)] = getattr(self, name)[rows]
        return larger

    def with_names(self, names: NameArrays) -> Announced:
        return Announced(names, self.what, self.first_ms, self.heard_ms, self.dmax_s)
