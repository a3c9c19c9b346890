"""Carbon's pickled frames: a length of four bytes, big-endian, and a pickle of ``[(name, (timestamp, value)), ...]``.

Pickles are read and never run: strings, numbers, lists and tuples in any protocol, and nothing else, so that nothing
can be imported or called (`tallystick.kernels.pickle`). As in carbon, numbers may come as strings and -1 as timestamp
means now.

- **Counting.** Each item of the outermost list is one sample, and is accepted or rejected by itself. A frame that
  cannot be read counts as one.

Where this differs from carbon: ``nan`` and ``inf`` are rejected, names with white space and control characters too, and
a frame that is too long is counted before the connection is closed.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameTable
from tallystick.kernels.pickle import STATE_SIZE, PickleMachine
from tallystick.kernels.pickle_rows import parse_frames
from tallystick.parse.frames import FRAME_BYTES_MAX, FrameParser
from tallystick.parse.registry import protocol

_NAME_BYTES_MIN = 4  # of a frame, for a name that is new


@protocol("carbon-pickle")
class PickleParser(FrameParser):
    """Carbon's pickled frames; every sample is a gauge of weight 1."""

    sample_bytes_min = 1
    plain = True

    def __init__(self, line_bytes_max: int = FRAME_BYTES_MAX) -> None:
        super().__init__(line_bytes_max)
        self._machine = _machine(1 << 12)

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        longest, total = int(sizes.max(initial=0)), int(sizes.sum())
        if longest > len(self._machine.kind):
            self._machine = _machine(longest)
        names.reserve(total // _NAME_BYTES_MIN, total)
        return parse_frames(buffer, starts, sizes, names.arrays, now_ms, self._rows, self._machine)


def _machine(room: int) -> PickleMachine:
    return PickleMachine(
        kind=np.empty(room, np.uint8),
        first=np.empty(room, np.int64),
        size=np.empty(room, np.int64),
        number=np.empty(room),
        stack=np.empty(room, np.int32),
        marks=np.empty(room, np.int32),
        memo=np.empty(room, np.int32),
        end=np.empty(room, np.int32),
        held=np.empty(room, np.int32),
        following=np.zeros(room, np.int32),
        state=np.zeros(STATE_SIZE, np.int64),
    )
