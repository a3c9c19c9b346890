r"""InfluxDB's line protocol: ``measurement,tag=value field=1,other=2i 1465839830100400200``.

::

    line   = measurement *("," key "=" value) 1*" " field *("," field) [1*" " timestamp]
    field  = key "=" (number | whole "i" | whole "u" | boolean | text in quotes)

- **Names.** Each field is a series, ``measurement.field;tag=value``; a field called ``value`` adds nothing to the name.
  Backslashes before commas, equals signs and blanks are taken away; what a name cannot hold becomes ``_``.
- **Values.** Numbers; booleans as 1 and 0. Text is rejected: no series can hold it.
- **Timestamps** are whole numbers of nanoseconds, or of what the sender declares; without one it is now.
- **Counting.** Each field is one sample, and is accepted or rejected by itself. A line that is bad as a whole (a tag
  without its value, no field, a bad timestamp, too long) counts as one. Comments count nothing.

Where this differs from InfluxDB: text that holds a newline ends its line there.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Listener
from tallystick.kernels.influx import parse_lines
from tallystick.kernels.names import NameTable
from tallystick.kernels.rows import NAME_SCRATCH_BYTES
from tallystick.parse.contract import LINE_BYTES_MAX
from tallystick.parse.lines import LineParser
from tallystick.parse.registry import protocol

PRECISIONS_NS = {
    "ns": 1,
    "n": 1,
    "us": 1_000,
    "u": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
"""Nanoseconds in what InfluxDB's ``precision`` names; a test holds the config's words to these."""


@protocol("influx")
class InfluxParser(LineParser):
    """InfluxDB's lines; every sample is a gauge of weight 1.

    Parameters
    ----------
    unit_ns
        Nanoseconds that a timestamp counts.
    tag
        Put before the tags of each line, as ``;key=value``.
    """

    sample_bytes_min = 4
    plain = True

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX, unit_ns: int = 1, tag: bytes = b"") -> None:
        super().__init__(line_bytes_max)
        self.unit_ns = unit_ns
        self._tags = np.zeros(NAME_SCRATCH_BYTES, np.uint8)
        self._tag_bytes = len(tag)
        self._tags[: len(tag)] = np.frombuffer(tag, np.uint8)
        self._resume = np.zeros(1, np.int64)

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """See `tallystick.parse.contract.Parser.configured`."""
        return cls(listener.line_bytes_max or LINE_BYTES_MAX, PRECISIONS_NS[listener.precision])

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        return parse_lines(
            buffer,
            starts,
            sizes,
            self.line_bytes_max,
            names.arrays,
            now_ms,
            self._rows,
            self.unit_ns,
            self._tags,
            self._tag_bytes,
            self._resume,
        )
