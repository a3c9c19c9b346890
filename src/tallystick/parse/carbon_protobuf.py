"""Carbon's frames of Protocol Buffers: a length of four bytes, big-endian, and a ``Payload`` of metrics and points.

::

    message Point   { uint32 timestamp = 1; double value = 2; }
    message Metric  { string metric = 1; repeated Point points = 2; }
    message Payload { repeated Metric metrics = 1; }

- **Counting.** Each point is one sample, and is accepted or rejected by itself. A metric that is bad as a whole (its
  name, or its own bytes) counts as one, and so does what follows where a payload cannot be read any further.

Where this differs from carbon: ``nan`` and ``inf`` are rejected, and names with white space and control characters.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.carbon_protobuf import parse_payloads
from tallystick.kernels.names import NameTable
from tallystick.parse.frames import FrameParser
from tallystick.parse.registry import protocol


@protocol("carbon-protobuf")
class CarbonProtobufParser(FrameParser):
    """Carbon's frames of Protocol Buffers; every sample is a gauge of weight 1."""

    sample_bytes_min = 2
    plain = True

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        return parse_payloads(buffer, starts, sizes, names.arrays, self._rows)
