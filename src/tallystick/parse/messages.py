"""What the protocols of whole messages have in common: a datagram, or the body of a request, is one."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameTable
from tallystick.parse.contract import Parsed
from tallystick.parse.kernel import KernelParser


class MessageParser(KernelParser):
    """A parser for a protocol whose messages end where what carries them ends; no streams."""

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
        """Parse the first `length` bytes as one message, once it is `final`; until then more is waited for."""
        sizes = [length] if final else []
        return self._run(buffer, [0] * len(sizes), sizes, names, now_ms, consumed=sum(sizes))
