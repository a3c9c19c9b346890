"""What the protocols of lines have in common: where a stream's complete lines end."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameTable
from tallystick.parse.contract import Parsed
from tallystick.parse.kernel import KernelParser


class LineParser(KernelParser):
    """A parser for a protocol whose lines end with a newline; subclasses name the kernel."""

    _kernel: ClassVar["staticmethod[..., int]"]
    """Parses spans of a buffer: see `tallystick.kernels.carbon.parse_lines`."""

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
        """See `tallystick.parse.contract.Parser.parse`."""
        text = buffer[:length].data
        start = 0
        if skipping:
            start = _first_newline(text) + 1
            if start == 0:
                return self._run(buffer, [0], [0], names, now_ms, consumed=length, skipping=not final)
        stop = length if final else max(_last_newline(text) + 1, start)
        too_long = length - stop > self.line_bytes_max
        return self._run(
            buffer,
            [start] + [stop] * too_long,
            [stop - start] + [length - stop] * too_long,
            names,
            now_ms,
            consumed=length if too_long else stop,
            skipping=too_long,
        )

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        return self._kernel(buffer, starts, sizes, self.line_bytes_max, names.arrays, now_ms, self._rows)


def _first_newline(text: memoryview) -> int:
    return bytes(text).find(b"\n")


def _last_newline(text: memoryview) -> int:
    """Position of the last newline or -1; looks at the end first, where it nearly always is."""
    tail = bytes(text[-4096:]).rfind(b"\n")
    if tail >= 0:
        return max(len(text) - 4096, 0) + tail
    return bytes(text).rfind(b"\n")
