"""Prometheus' remote write, 1.0 and 2.0: the message of a request, decompressed.

- **Names.** ``http_requests_total{code="200"}`` becomes ``http_requests_total;code=200``. Blanks, control characters
  and ``;`` become ``_``, in the keys of labels also ``=``, ``!`` and ``^``, and so does a ``~`` that begins a value.
  Labels without a value are none. A label ``name`` becomes ``exported_name``: by that word Graphite knows the path.
- **Kinds.** By the type that 2.0 tells, else (as always in 1.0) by the end of the name: ``_total``, ``_bucket``,
  ``_count`` and ``_sum`` are cumulative, all else is a gauge. See `tallystick.kernels.labels`.
- **Values.** NaN and infinite ones are rejected. The NaN by which a series is said to have ended is, as ``stale``.
- **Counting.** Each sample is one, and so is each native histogram. A series whose fields cannot be told apart counts
  as one, and so does a message. Series without samples count nothing; nor do exemplars and metadata, which are not
  kept.

Where this differs from Prometheus: samples may come in any order, and timestamps before 1970 are rejected.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/ and .../remote_write_spec_2_0/
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.labels import keys_taken
from tallystick.kernels.names import NameTable
from tallystick.kernels.remote_write import HISTOGRAMS, LABELS_MAX, STATE_SIZE, WriteScratch, parse_messages
from tallystick.kernels.rows import POSITION, SPAN
from tallystick.model.reason import Reason
from tallystick.parse.contract import Parsed
from tallystick.parse.messages import MessageParser
from tallystick.parse.registry import protocol

MESSAGE_BYTES_MAX = 64 << 20

_FIELD_BYTES_MIN = 2


@protocol("remote-write")
class RemoteWriteParser(MessageParser):
    """Requests of remote write 1.0, ``prometheus.WriteRequest``."""

    sample_bytes_min = 4
    version: ClassVar[int] = 1

    def __init__(self, line_bytes_max: int = MESSAGE_BYTES_MAX) -> None:
        super().__init__(line_bytes_max)
        self._scratch = _scratch(0)
        self._taken = keys_taken(())

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
        return parse_messages(buffer, starts, sizes, two, names.arrays, self._rows, self._scratch, self._taken)

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        for _, begin, end in self._scratch.histograms[: self._scratch.state[HISTOGRAMS]].tolist():
            self._note(Reason.UNSUPPORTED, begin, end - begin)
        return replace(parsed, rejects=self._rejects())


@protocol("remote-write-2")
class RemoteWrite2Parser(RemoteWriteParser):
    """Requests of remote write 2.0, ``io.prometheus.write.v2.Request``."""

    version = 2


def _scratch(room: int) -> WriteScratch:
    return WriteScratch(
        symbols=np.empty(room + 1, np.int32),
        pairs=np.empty((LABELS_MAX, 4), np.int64),
        histograms=np.empty((room + 1, 3), np.int64),
        state=np.zeros(STATE_SIZE, np.int64),
    )
