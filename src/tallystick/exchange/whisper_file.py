"""One file of whisper, Graphite's database: a ring of points for each of its archives.

Big-endian: a header (aggregation method, longest retention, x-files factor, number of archives), for each archive its
place in the file, seconds between points and number of points, finest first; then the points, each a time and a value.

A point's place in its ring follows from its time and that of the ring's first point. What does not stand where its time
says was never written, or is left over from an earlier round; both are passed over, as Graphite does.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import ForeignFileError

_HEADER = struct.Struct(">2LfL")
_ARCHIVE = struct.Struct(">3L")
_POINT = np.dtype([("time", ">u4"), ("value", ">f8")])
_ARCHIVES_MAX = 64
METHODS = {1: "average", 2: "sum", 3: "last", 4: "max", 5: "min", 6: "avg_zero", 7: "absmax", 8: "absmin"}


@dataclass(frozen=True, slots=True)
class Archive:
    """The points of one archive that are there.

    Parameters
    ----------
    step_s, points
        Seconds between points, and how many the ring holds.
    time_s : int64[n]
        Ascending.
    value : float64[n]
    """

    step_s: int
    points: int
    time_s: NDArray[np.int64]
    value: NDArray[np.float64]

    def take(self, rows: NDArray[np.bool_]) -> "Archive":
        """The points selected."""
        return Archive(self.step_s, self.points, self.time_s[rows], self.value[rows])


def parse(content: bytes) -> tuple[str, list[Archive]]:
    """The aggregation method of a file and its archives, finest first, each as it is.

    Raises
    ------
    ForeignFileError
        If the header says what cannot be, or the file is shorter than it says.
    """
    if len(content) < _HEADER.size:
        raise ForeignFileError(f"it has {len(content)} bytes; expected a header of {_HEADER.size}")
    method, _, _, n_archives = _HEADER.unpack_from(content)
    if method not in METHODS or not 0 < n_archives <= _ARCHIVES_MAX:
        raise ForeignFileError(f"its header names method {method} and {n_archives} archives; expected 1 to 8, and some")
    end = _HEADER.size + n_archives * _ARCHIVE.size
    if len(content) < end:
        raise ForeignFileError(f"it ends within its header; expected {n_archives} archives")
    heads = [_ARCHIVE.unpack_from(content, _HEADER.size + k * _ARCHIVE.size) for k in range(n_archives)]
    for offset, step_s, points in heads:
        if offset < end or not step_s or not points or offset + points * _POINT.itemsize > len(content):
            raise ForeignFileError(
                f"its archive of {points} points every {step_s} s at byte {offset} does not fit into its "
                f"{len(content)} bytes; expected it whole"
            )
    if any(coarse[1] <= fine[1] for fine, coarse in pairwise(heads)):
        raise ForeignFileError("its archives are not in order; expected the finest first")
    return METHODS[method], [_archive(content, *head) for head in heads]


def _archive(content: bytes, offset: int, step_s: int, points: int) -> Archive:
    ring = np.frombuffer(content, _POINT, points, offset)
    time_s = ring["time"].astype(np.int64)
    distance = time_s - time_s[0]
    stands = (distance // step_s - np.arange(points)) % points == 0
    there = np.flatnonzero(stands & (time_s > 0) & (time_s % step_s == 0) & (time_s[0] > 0))
    newest_s = int(time_s[there].max(initial=0))
    there = there[time_s[there] > newest_s - points * step_s]
    value = ring["value"][there].astype(np.float64)
    there, value = there[~np.isnan(value)], value[~np.isnan(value)]
    # A ring is at most two ascending stretches.
    order = np.argsort(time_s[there], kind="stable")
    return Archive(step_s, points, time_s[there][order], value[order])


def each_moment_once(archives: list[Archive]) -> list[Archive]:
    """Archives cut so that each moment is in the finest that has it.

    A slot of a coarser archive counts where the finer ones have nothing in it, and where they reach back to only a part
    of it: there it holds what they have forgotten, and their rest of it is left out.
    """
    newest_s = max((int(a.time_s[-1]) for a in archives if len(a.time_s)), default=0)
    cut: list[Archive] = []
    for archive in archives:
        taken = np.zeros(len(archive.time_s), np.bool_)
        for k, finer in enumerate(cut):
            reach_s = newest_s - (finer.points - 1) * finer.step_s
            slot = finer.time_s // archive.step_s * archive.step_s
            forgotten = (slot < reach_s) & _among(slot, archive.time_s)
            cut[k] = finer.take(~forgotten)
            taken |= _among(archive.time_s, slot[~forgotten])
        cut.append(archive.take(~taken))
    return cut


def _among(values: NDArray[np.int64], ascending: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which values occur in an ascending column."""
    if not len(ascending):
        return np.zeros(len(values), np.bool_)
    at = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    found: NDArray[np.bool_] = ascending[at] == values
    return found
