"""What Ganglia's metadata says of a metric: its unit, and the ``DESC`` among its further values.

gmond repeats metadata every few minutes or seldom, so Python reads it; the datagram is in `tallystick.parse.ganglia`.
"""

from tallystick.model.name import NAME_BYTES_MAX
from tallystick.parse.meant import Meant
from tallystick.parse.reading import fitting, host_component

METADATA = 128
_PAIRS_MAX = 64
_NUMBERS_BEFORE_PAIRS = 3  # slope, tmax, dmax


def meant_by_metadata(datagram: bytes, prefix: str) -> Meant | None:
    """What a datagram with metadata says; None if nothing, or if it cannot be read.

    Parameters
    ----------
    prefix
        What stands before host and metric in each name, with the dot behind it.
    """
    xdr = _Xdr(datagram)
    try:
        if xdr.number() != METADATA:
            return None
        host, metric, spoofed = xdr.text(), xdr.text(), xdr.number()
        kind, _, unit = xdr.text(), xdr.text(), xdr.text().strip()
        for _ in range(_NUMBERS_BEFORE_PAIRS):
            xdr.number()
        pairs = {xdr.text(): xdr.text() for _ in range(min(xdr.number(), _PAIRS_MAX))}
    except _EndedError:
        return None
    if kind.lower() == "string":  # of which there is no series
        return None
    if spoofed:
        host, metric = host.rpartition(":")[2], metric[:1] + metric[1:].partition(":")[0]
    name, description = f"{prefix}{host_component(host)}.{fitting(metric)}", pairs.get("DESC", "").strip()
    return Meant(name, unit, description) if (unit or description) and len(name) <= NAME_BYTES_MAX else None


class _EndedError(Exception):
    """The datagram ends before what it should hold."""


class _Xdr:
    """A cursor in a datagram."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def text(self) -> str:
        length = self.number()
        return self._take((length + 3) & ~3)[:length].decode("utf-8", "replace")

    def _take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise _EndedError
        return self._data[start : self._at]
