"""What the protocols of frames have in common: a length of four bytes, big-endian, before each."""

import struct
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameTable
from tallystick.model.reason import Reason
from tallystick.parse.contract import Parsed
from tallystick.parse.kernel import KernelParser

FRAME_BYTES_MAX = 1 << 20
"""The default limit on a frame, which is carbon's."""
_LENGTH = struct.Struct(">I")


class FrameParser(KernelParser):
    """A parser for a protocol of frames; where one is too long, the connection cannot be read any further.

    Parameters
    ----------
    line_bytes_max
        Longer frames are rejected.
    """

    def __init__(self, line_bytes_max: int = FRAME_BYTES_MAX) -> None:
        super().__init__(line_bytes_max)

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
        """Parse the complete frames among the first `length` bytes; see `tallystick.parse.contract.Parser.parse`."""
        starts, sizes = [], []
        at = 0
        fault: tuple[Reason, int, int] | None = None
        while at + _LENGTH.size <= length:
            (size,) = _LENGTH.unpack_from(buffer.data, at)
            if size > self.line_bytes_max:
                fault = Reason.FRAME_LONG, at, length - at
                break
            if at + _LENGTH.size + size > length:
                break
            starts.append(at + _LENGTH.size)
            sizes.append(size)
            at += _LENGTH.size + size
        broken = fault is not None
        if final and at < length and not broken:
            fault = Reason.TRUNCATED, at, length - at
        consumed = at if fault is None else length
        parsed = self._run(buffer, starts, sizes, names, now_ms, consumed=consumed, fault=fault)
        return replace(parsed, broken=True) if broken else parsed
