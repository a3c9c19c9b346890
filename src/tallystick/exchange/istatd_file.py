"""One file of istatd: a header of 464 bytes in a page of its own, and pages of buckets that are a ring.

A bucket is 32 bytes, and where it lies follows from its time. Old ones are not cleared, so a bucket counts if its time
belongs to its place and to the last round of the ring. Files are written without waiting for the disk: after a crash
the newest buckets may be missing or, where the header is behind, newer than it says.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import ForeignFileError

MAGIC = b"istatd 4.0\n\x00\xf5\x14\x07"
BUCKET = np.dtype(
    [("time", "<i8"), ("sum", "<f8"), ("min", "<f4"), ("max", "<f4"), ("count", "<i4"), ("sum_sq", "<f4")]
)
HEADER_BYTES = 464
READ_VERSION_MAX = 4
COLLATED, TRAILING, COUNTER_AGGREGATE = 1, 2, 4

_PAGE_BYTES_MAX = 1 << 20
_FILE_BYTES_MAX = 1 << 30
_DAY_S = 86400


@dataclass(frozen=True, slots=True)
class StatFile:
    """What a file holds.

    Parameters
    ----------
    interval_s
        Seconds of a bucket.
    flags
        Of `COLLATED` (the finest file of a counter), `COUNTER_AGGREGATE` (a coarser one) and `TRAILING`.
    fixed_count
        Of a coarser file of a counter: how many of the finest interval are in a bucket; 0 where older versions wrote
        none.
    buckets
        Structured array of `BUCKET`, ascending by time.
    damage
        What is wrong with the file, empty if nothing is.
    """

    interval_s: int
    flags: int
    fixed_count: int
    buckets: NDArray[Any]
    damage: str

    @property
    def counter(self) -> bool:
        """Whether its sums are rates of events."""
        return bool(self.flags & (COLLATED | COUNTER_AGGREGATE))

    @property
    def collated(self) -> bool:
        """Whether it is the finest file of a counter."""
        return bool(self.flags & COLLATED)

    @property
    def trailing(self) -> bool:
        """Whether it is a blend of seasons."""
        return bool(self.flags & TRAILING)


def recognised(path: Path) -> bool:
    """Whether a file is one of istatd's, of the present version of its format."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_file(path: Path) -> StatFile:
    """Read a file, or what is left of it.

    Raises
    ------
    ForeignFileError
        If its header makes no sense; expected is one of version 4.
    """
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    size = path.stat().st_size
    if len(header) < HEADER_BYTES or size > _FILE_BYTES_MAX:
        raise ForeignFileError(f"cannot read {path}: it has {size} bytes; expected a header and pages of buckets")
    interval_s, flags, _, version = struct.unpack_from("<4i", header, 20)
    page_bytes, pages = struct.unpack_from("<2q", header, 40)
    (created_s,) = struct.unpack_from("<q", header, 112)
    (fixed_count,) = struct.unpack_from("<q", header, 456)
    if version > READ_VERSION_MAX:
        raise ForeignFileError(f"cannot read {path}: its version is {version}; expected {READ_VERSION_MAX}")
    if not (
        0 < interval_s <= 366 * _DAY_S
        and BUCKET.itemsize <= page_bytes <= _PAGE_BYTES_MAX
        and page_bytes % BUCKET.itemsize == 0
        and 0 < pages <= _FILE_BYTES_MAX // page_bytes
        and 0 <= created_s < 1 << 40
        and 0 <= fixed_count <= interval_s
    ):
        raise ForeignFileError(f"cannot read {path}: its header is damaged; expected what istatd writes")
    ring = pages * page_bytes // BUCKET.itemsize
    there = min(max(size - page_bytes, 0) // BUCKET.itemsize, ring)
    buckets = np.fromfile(path, BUCKET, there, offset=page_bytes)
    damage = "" if there == ring else f"it ends after {there} of {ring} buckets"
    (last_s,) = struct.unpack_from("<q", header, 72)
    return StatFile(interval_s, flags, fixed_count, _valid(buckets, ring, interval_s, created_s, last_s), damage)


def _valid(buckets: NDArray[Any], ring: int, interval_s: int, created_s: int, last_s: int) -> NDArray[Any]:
    """The buckets of the last round, ascending by time."""
    at = buckets["time"]
    place = (at - created_s) // interval_s % ring
    own = (at > 0) & (at % interval_s == 0) & (buckets["count"] > 0) & (place == np.arange(len(buckets)))
    # A header that was written before the last buckets is behind them by a few flushes, never by days.
    own &= at <= max(last_s, created_s) + _DAY_S
    for column in ("sum", "min", "max"):
        own &= np.isfinite(buckets[column])
    own &= buckets["min"] <= buckets["max"]
    found = buckets[own]
    if len(found):
        found = found[found["time"] > int(found["time"].max()) - ring * interval_s]
    return np.sort(found, order="time")
