"""OpenTelemetry's metrics (OTLP 1.x) in Protocol Buffers: the body of ``POST /v1/metrics``.

What becomes of each sort of metric, as it is called in OpenTelemetry's data model:

- **Gauge**, and a **sum** that may fall: a gauge; where only changes are sent (delta), they are added to it.
- **Sum** that only grows: since its start a cumulative series, as changes a counter.
- **Histogram** and **exponential histogram**: a timing of the metric's name, so that every percentile at any later
  time, over any hosts, can be asked for. Those that count since their start are taken apart by
  `tallystick.parse.cumulative`; what is lost where buckets are wider than ours says `tallystick.kernels.distributions`.
- **Summary**: ``name;quantile=0.5``, gauges, and ``name_count`` and ``name_sum``, cumulative.

- **Names** keep their dots. Attributes become tags, ``http.server.duration;http.route=/a;service.name=shop``, also
  those of the resource that are wanted; where both have a key the point's counts. Numbers are written in decimal,
  arrays with commas; an attribute called ``name`` is ``exported_name``. What a name cannot hold becomes ``_``; empty
  values are left out; a map or bytes is rejected as `TAG`.
- **Times** are those of the point, cut to milliseconds. The start of a sum is not looked at: its fall says the same.
- **Counting.** A data point is a sample; of a summary each of its numbers is one. A point is accepted or rejected by
  itself. A histogram of nothing new is none. A body that is not Protocol Buffers counts as one, and nothing of it is
  taken.

Where this differs from OpenTelemetry: exemplars are not kept; units and descriptions are read now and then, by
`tallystick.parse.otlp_meta`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Http, Listener
from tallystick.kernels import rows as at
from tallystick.kernels.distributions import Reports
from tallystick.kernels.names import NameTable
from tallystick.kernels.otlp import parse_body
from tallystick.kernels.otlp_rows import LEVEL_SIZE, METRIC_SIZE, OUT_FULL, STATE_SIZE, Out
from tallystick.kernels.packed import Names
from tallystick.kernels.protobuf import BAD
from tallystick.kernels.rows import NAME_SCRATCH_BYTES
from tallystick.model.reason import Reason
from tallystick.model.tally import TallyBatch
from tallystick.parse.contract import LINE_BYTES_MAX, Parsed
from tallystick.parse.cumulative import NOTHING, Differences
from tallystick.parse.messages import MessageParser
from tallystick.parse.registry import protocol
from tallystick.parse.reports import first_reports, room_for_reports

RESOURCE_ATTRIBUTES = Http().otlp_resource_attributes
"""Attributes of a resource that become tags unless others are named: who sends, and where it runs."""

SCOPE_KEY = "otel.scope.name"
_REPORTS_AT_FIRST = 256
_BUCKETS_AT_FIRST = 8192


@protocol("otlp")
class OtlpParser(MessageParser):
    """Bodies in Protocol Buffers.

    Parameters
    ----------
    resource_attributes
        Keys of attributes of a resource that become tags.
    scope_name
        Whether the name of the instrumentation scope becomes one, too.
    differences
        Where cumulative histograms are remembered; its own if it is not given.
    """

    sample_bytes_min = 4

    def __init__(
        self,
        line_bytes_max: int = LINE_BYTES_MAX,
        *,
        resource_attributes: Sequence[str] = RESOURCE_ATTRIBUTES,
        scope_name: bool = False,
        differences: Differences | None = None,
    ) -> None:
        super().__init__(line_bytes_max)
        self._differences = Differences() if differences is None else differences
        wanted = Names.of(tuple(resource_attributes) or ("",))
        self._out = Out(
            room_for_reports(_REPORTS_AT_FIRST, _BUCKETS_AT_FIRST, _BUCKETS_AT_FIRST),
            place=np.empty((_REPORTS_AT_FIRST, 2), np.int64),
            state=np.zeros(STATE_SIZE, np.int64),
            metric=np.zeros(METRIC_SIZE, np.int64),
            level=np.zeros(LEVEL_SIZE, np.int64),
            tags=np.zeros(NAME_SCRATCH_BYTES, np.uint8),
            name=np.zeros(2 * NAME_SCRATCH_BYTES, np.uint8),
            wanted=wanted.arena,
            wanted_bounds=wanted.offsets,
            scope_key=np.frombuffer(f";{SCOPE_KEY}=".encode() if scope_name else b"", np.uint8),
            writer=np.concatenate([self._differences.writer_key, np.zeros(2, np.uint64)]),
        )
        self._tallies: TallyBatch | None = None
        self._before = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """OTLP has no listener of its own: it comes by HTTP."""
        return cls()

    @classmethod
    def prepare(cls) -> None:
        """See `tallystick.parse.contract.Parser.prepare`."""
        super().prepare()
        Differences.prepare()

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        progress = self._rows.progress
        while progress[at.SPAN] < len(starts):
            span = int(progress[at.SPAN])
            start, stop = int(starts[span]), int(starts[span] + sizes[span])
            if progress[at.POSITION] < 0:
                self._begin(span)
            state = parse_body(buffer, start, stop, names.arrays, self._rows, self._out)
            if state == at.NAMES_FULL:
                return state
            if state == OUT_FULL:
                self._grow()
                continue
            if state == BAD:
                self._take_back(start, stop)
            progress[at.SPAN], progress[at.POSITION] = span + 1, -1
        self._take_reports(names, now_ms)
        return at.DONE

    def _begin(self, span: int) -> None:
        """Remember how things were before a body."""
        progress = self._rows.progress
        self._rows.began[span] = progress[at.ROWS], progress[at.SEEN]
        self._before = progress.copy(), self._out.state.copy(), self._rows.reject_counts.copy()
        progress[at.POSITION] = 0

    def _take_back(self, start: int, stop: int) -> None:
        """Give up what was taken of a body, and reject it."""
        progress, state, counts = self._before
        for k in (at.ROWS, at.SEEN, at.REJECTS):
            self._rows.progress[k] = progress[k]
        self._out.state[:], self._rows.reject_counts[:] = state, counts
        self._rows.progress[at.SEEN] += 1
        self._note(Reason.ENCODING, start, stop - start)

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        tallies, self._tallies = self._tallies, None
        return parsed if tallies is None else replace(parsed, tallies=tallies)

    def _take_reports(self, names: NameTable, now_ms: int) -> None:
        """Have the histograms of all bodies made tallies; rejects are noted at the names of their metrics."""
        count = int(self._out.state[0])
        self._out.state[:3] = 0
        if not count:
            return
        reports = first_reports(self._out.reports, count)
        self._tallies, reasons = self._differences.tallies(reports, names, now_ms)
        self._rows.progress[at.SEEN] -= np.count_nonzero(reasons == NOTHING)
        for row in np.flatnonzero((reasons != 0) & (reasons != NOTHING)).tolist():
            self._note(Reason(int(reasons[row])), int(self._out.place[row, 0]), int(self._out.place[row, 1]))

    def _grow(self) -> None:
        """Make twice the room for histograms; what is there stays."""
        old, out = self._out.reports, self._out
        wider = room_for_reports(2 * len(old.ids), 2 * len(old.bucket), 2 * len(old.bounds))
        for name in Reports._fields:
            column, before = getattr(wider, name), getattr(old, name)
            column[: len(before)] = before
        place = np.empty((len(wider.ids), 2), np.int64)
        place[: len(out.place)] = out.place
        self._out = out._replace(reports=wider, place=place)
