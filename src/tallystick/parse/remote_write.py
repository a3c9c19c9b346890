"""Prometheus' remote write, 1.0 and 2.0: the message of a request, decompressed.

- **Names.** ``http_requests_total{code="200"}`` becomes ``http_requests_total;code=200``. Blanks, control characters
  and ``;`` become ``_``, in the keys of labels also ``=``, ``!`` and ``^``, and so does a ``~`` that begins a value.
  Labels without a value are none. A label ``name`` becomes ``exported_name``: by that word Graphite knows the path.
- **Kinds.** By the type that 2.0 tells, else (as always in 1.0) by the end of the name: ``_total``, ``_bucket``,
  ``_count`` and ``_sum`` are cumulative, all else is a gauge. See `tallystick.kernels.labels`.
- **Values.** NaN and infinite ones are rejected. The NaN by which a series is said to have ended is, as ``stale``.
- **Native histograms** count since their sender began. What came since the report before becomes a timing with buckets
  of ours (`tallystick.parse.cumulative`), so that any percentile can be asked for; a first report is only a beginning,
  and rejected as ``reset``. Those that are levels (gauge histograms) are rejected as ``unsupported``.
- **Counting.** Each sample is one, and so is each native histogram, unless nothing is new in it. A series whose fields
  cannot be told apart counts as one, and so does a message. Series without samples count nothing; nor do exemplars and
  metadata, which are not kept.

Where this differs from Prometheus: samples may come in any order, and timestamps before 1970 are rejected.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/ and .../remote_write_spec_2_0/
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import native_histograms as native
from tallystick.kernels.labels import keys_taken
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import padded
from tallystick.kernels.remote_write import HISTOGRAMS, LABELS_MAX, STATE_SIZE, WriteScratch, parse_messages
from tallystick.kernels.rows import DONE, POSITION, SEEN, SPAN
from tallystick.model.reason import Reason
from tallystick.model.tally import TallyBatch
from tallystick.parse.contract import Parsed
from tallystick.parse.cumulative import NOTHING, Differences
from tallystick.parse.messages import MessageParser
from tallystick.parse.registry import protocol
from tallystick.parse.reports import first_reports, room_for_reports

MESSAGE_BYTES_MAX = 64 << 20
BUCKETS_MAX = 1 << 20
"""Of the native histograms of one message; further ones are rejected as `BODY_LONG`."""

_FIELD_BYTES_MIN = 2


@protocol("remote-write")
class RemoteWriteParser(MessageParser):
    """Requests of remote write 1.0, ``prometheus.WriteRequest``.

    Parameters
    ----------
    differences
        Where native histograms are remembered; its own if it is not given.
    """

    sample_bytes_min = 4
    version: ClassVar[int] = 1

    def __init__(self, line_bytes_max: int = MESSAGE_BYTES_MAX, *, differences: Differences | None = None) -> None:
        super().__init__(line_bytes_max)
        self._scratch = _scratch(0)
        self._taken = keys_taken(())
        self._differences = Differences() if differences is None else differences
        self._tallies: TallyBatch | None = None

    @classmethod
    def prepare(cls) -> None:
        """See `tallystick.parse.contract.Parser.prepare`."""
        super().prepare()
        Differences.prepare()
        cls()._take_histograms(padded(b""), np.empty((0, 4), np.int64), NameTable(), 0)

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        room = int(sizes.sum()) // _FIELD_BYTES_MIN
        if room >= len(self._scratch.symbols):
            self._scratch = _scratch(room)
        if self._rows.progress[SPAN] == 0 and self._rows.progress[POSITION] < 0:
            self._scratch.state[:] = 0
        two = int(self.version == 2)
        ended = parse_messages(buffer, starts, sizes, two, names.arrays, self._rows, self._scratch, self._taken)
        noted = self._scratch.histograms[: self._scratch.state[HISTOGRAMS]]
        if ended == DONE and len(noted):
            self._take_histograms(buffer, noted, names, now_ms)
        return ended

    def _take_histograms(
        self, buffer: NDArray[np.uint8], noted: NDArray[np.int64], names: NameTable, now_ms: int
    ) -> None:
        """Have native histograms made tallies."""
        faults = np.empty(len(noted), np.uint8)
        reports = room_for_reports(len(noted), BUCKETS_MAX, BUCKETS_MAX)
        count = native.read_histograms(buffer, noted, _histogram_scratch(), reports, faults)
        self._tallies, reasons = self._differences.tallies(first_reports(reports, count), names, now_ms)
        self._rows.progress[SEEN] -= np.count_nonzero(reasons == NOTHING)
        faults[faults == 0] = np.where(reasons == NOTHING, 0, reasons)
        for k in np.flatnonzero(faults).tolist():
            self._note(Reason(int(faults[k])), int(noted[k, 1]), int(noted[k, 2] - noted[k, 1]))

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        tallies, self._tallies = self._tallies, None
        return replace(parsed, tallies=tallies)


@protocol("remote-write-2")
class RemoteWrite2Parser(RemoteWriteParser):
    """Requests of remote write 2.0, ``io.prometheus.write.v2.Request``."""

    version = 2


def _scratch(room: int) -> WriteScratch:
    return WriteScratch(
        symbols=np.empty(room + 1, np.int32),
        pairs=np.empty((LABELS_MAX, 4), np.int64),
        histograms=np.empty((room + 1, 4), np.int64),
        state=np.zeros(STATE_SIZE, np.int64),
    )


def _histogram_scratch() -> native.HistogramScratch:
    return native.HistogramScratch(
        cells=np.empty((2, native.CELLS_MAX)),
        places=np.empty((2, native.CELLS_MAX), np.int64),
        spans=np.empty((2, native.SPANS_MAX, 2), np.int64),
        bounds=np.empty(native.CELLS_MAX),
        state=np.zeros(native.STATE_SIZE, np.int64),
    )
