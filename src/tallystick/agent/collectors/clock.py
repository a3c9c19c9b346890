"""How right the clock is: ``clock.synchronized`` is 1 if a daemon keeps it, ``clock.offset_s`` what it corrects now.

``clock.error_max_s`` is what it may be wrong at most, by the kernel's estimate: it grows while nobody keeps the clock.
"""

import ctypes
import struct
from collections.abc import Iterable, Iterator

from tallystick.agent.collecting.collector import Collector, Found, NoSettings
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Surroundings
from tallystick.model.point import Point

_TIMEX_BYTES = 256
"""Room for the kernel's struct timex, which has 208 on machines of 64 bits."""
_TIMEX = struct.Struct("i4xqqqqi")
"""Modes, offset, frequency, maximum error, estimated error, status."""
_UNSYNCHRONIZED = 0x40
_NANOSECONDS = 0x2000


METRICS = (
    Told("synchronized", "1", "1 if a daemon keeps the clock right, else 0"),
    Told("offset_s", "seconds", "What it corrects now"),
    Told("error_max_s", "seconds", "What the clock may be wrong at most, by the kernel's estimate"),
)


@collector("clock")
class Clock(Collector[NoSettings]):
    """Asks the kernel (adjtimex(2)), which chrony, ntpd and systemd-timesyncd tell."""

    TELLS = METRICS

    @classmethod
    def discover(cls, around: Surroundings) -> Iterable[Found[NoSettings]]:
        if struct.calcsize("l") == 8 and hasattr(ctypes.CDLL(None), "adjtimex"):
            yield Found(NoSettings())

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: only look
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.adjtimex(timex) < 0:
            raise OSError(ctypes.get_errno(), "the kernel does not tell how right the clock is")
        yield from points(timex.raw)


def points(timex: bytes) -> Iterator[Point]:
    """Points of the kernel's struct."""
    _, offset, _, error_max_us, _, status = _TIMEX.unpack_from(timex)
    yield Point("synchronized", float(not status & _UNSYNCHRONIZED))
    yield Point("offset_s", offset / (1e9 if status & _NANOSECONDS else 1e6))
    yield Point("error_max_s", error_max_us / 1e6)
