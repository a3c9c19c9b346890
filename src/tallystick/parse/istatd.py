r"""istatd's lines: gauges, counters, one line for several names, and slots that its agents tallied.

::

    web.load 1.5                               a gauge, now
    *web.errors 1356998400 3                   three events of a counter, at a time (epoch seconds)
    *cpu.idle^host.a^class.b 97                cpu.idle.host.a and cpu.idle.class.b; a caret at the end: cpu.idle, too
    web.load 1356998400 30 102 1 5 10          ten samples: sum, sum of squares, minimum, maximum, count

Fields are parted by spaces and tabs, a line may end with ``\r\n``. As in istatd, names are in lower case, and what is
not printable ASCII or one of ``/ : \ " '`` (and ``;``) becomes ``_``.

- **Counting.** Each name of a line is one sample, and so is a tallied slot. A line that is bad as a whole counts once.
  Lines that begin with ``#`` (metadata) count nothing.
- **Tallied slots** keep all statistics. M2 comes from the sum of squares in twice the precision of a double, within
  what minimum, maximum and mean allow: what is lost is only what the sender's own rounding of that sum took. No last
  value is sent; the average stands for it.

Where this differs from istatd: ``nan`` is rejected and no zero; more than seven fields are a fault; a counter's
increments are summed, and those of seven fields keep their statistics; at most 64 names a line; a bad datagram costs
itself only, and ``a^^b`` is ``a`` and ``a.b``.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.istatd import Line, parse_lines
from tallystick.kernels.names import NameTable
from tallystick.kernels.rows import POSITION, SPAN
from tallystick.kernels.tally_rows import TallyRows
from tallystick.model.deviations import m2_of_squares
from tallystick.model.tally import Spread, TallyBatch
from tallystick.parse.contract import LINE_BYTES_MAX, Parsed
from tallystick.parse.lines import LineParser
from tallystick.parse.registry import protocol

_NUMBERS = 5


@protocol("istatd")
class IstatdParser(LineParser):
    """istatd's lines."""

    sample_bytes_min = 2

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        super().__init__(line_bytes_max)
        self._tallies = TallyRows.of(0, 0, 0)
        self._line = _line(0)

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        if self._rows.progress[SPAN] == 0 and self._rows.progress[POSITION] < 0:
            room = int(sizes.sum()) // self.sample_bytes_min + len(sizes)
            if room > len(self._tallies.ids):
                self._tallies, self._line = TallyRows.of(room, 0, 0), _line(room)
            self._tallies.used[:] = self._line.used[:] = 0
        limits = self.line_bytes_max, names.arrays, now_ms
        return parse_lines(buffer, starts, sizes, *limits, self._rows, self._tallies, self._line)

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        numbers = self._tallies.numbers.view(np.float64)
        for first, end, column, start, length in self._line.hard[: self._line.used[0]].tolist():
            numbers[first:end, column] = float(buffer[start : start + length].tobytes())
        tallies = self._tallies.batch()
        if not len(tallies):
            return parsed
        return replace(parsed, tallies=_with_m2(tallies), tallies_began=self._line.began[: len(parsed.began)].copy())


def _with_m2(tallies: TallyBatch) -> TallyBatch:
    """Slots whose M2 is a sum of squares as they are to be."""
    s = tallies.spread
    m2 = m2_of_squares(s.count, s.sum, s.m2, s.min, s.max)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = s.sum / s.count
    return replace(tallies, last=np.clip(mean, s.min, s.max), spread=Spread(s.count, s.sum, m2, s.min, s.max))


def _line(room: int) -> Line:
    return Line(
        bounds=np.zeros((8, 2), np.int64),
        number=np.zeros(_NUMBERS),
        is_hard=np.zeros(_NUMBERS, np.bool_),
        hard=np.empty((room, 5), np.int64),
        began=np.empty(room, np.int64),
        used=np.zeros(1, np.int64),
    )
