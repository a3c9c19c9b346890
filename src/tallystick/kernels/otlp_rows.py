"""What kernels of OTLP's data points share: where histograms are written, names of series, refused points."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.attributes import append_attribute
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.distributions import Reports
from tallystick.kernels.fields import name_valid
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, find_or_add, guess, learn
from tallystick.kernels.protobuf import BAD, read_bounds
from tallystick.kernels.rows import DONE, PREVIOUS, SEEN, TRUST, Rows, reject
from tallystick.kernels.words import same_bytes

OUT_FULL = 2
"""A histogram finds no room: make more and call again."""

_NS_A_MS = np.uint64(1_000_000)

DELTA, SINCE_START = 1, 2
"""Temporalities."""
EMPTY, NO_BOUNDS = np.zeros(0, np.uint8), np.zeros(1, np.int64)
"""Keys that are wanted, where all are."""

# Positions in `Out.state`.
REPORTS, BUCKETS, BOUNDS = 0, 1, 2  # used of the columns of histograms
POINT = 3  # number of the point that comes next in the body
STATE_SIZE = 4

# Positions in `Out.metric`: what holds for all points of a metric.
NAME_AT, NAME_STOP, PREFIX, FAULT, KIND, TEMPORALITY, SORT = 0, 1, 2, 3, 4, 5, 6
METRIC_SIZE = 7

LEVEL_SIZE = 12


class Out(NamedTuple):
    """Output and scratch memory beside `Rows`.

    Parameters
    ----------
    reports
        Histograms.
    place : int64[n, 2]
        Where the metric's name of each histogram stands in the buffer: position and length.
    state : int64[STATE_SIZE]
    metric : int64[METRIC_SIZE]
    level : int64[LEVEL_SIZE]
    tags : uint8[NAME_SCRATCH_BYTES]
        Tags of the resource.
    name : uint8[2 * NAME_SCRATCH_BYTES]
        A name with a suffix under construction.
    wanted : uint8[m]
    wanted_bounds : int64[k + 1]
        Keys of resources that become tags.
    scope_key : uint8[m]
        The key under which the scope's name becomes one; empty if it does not.
    writer : uint64[4]
        A key, and the hashes of the resource, and of it and the scope, by which writers are told apart.
    """

    reports: Reports
    place: NDArray[np.int64]
    state: NDArray[np.int64]
    metric: NDArray[np.int64]
    level: NDArray[np.int64]
    tags: NDArray[np.uint8]
    name: NDArray[np.uint8]
    wanted: NDArray[np.uint8]
    wanted_bounds: NDArray[np.int64]
    scope_key: NDArray[np.uint8]
    writer: NDArray[np.uint64]


@scanner
def take_attribute(
    buffer: NDArray[np.uint8], at: int, stop: int, name: NDArray[np.uint8], length: int, fault: int
) -> tuple[int, int, int]:
    """Append the attribute of a point whose bounds are at `at` to the `length` bytes of its name.

    Returns
    -------
    int, int, int
        The length, the first fault of the point, and where the attribute ends; `BAD` if it cannot be read.
    """
    begin, end = read_bounds(buffer, at, stop)
    if end < 0:
        return length, fault, BAD
    length, why, read = append_attribute(buffer, begin, end, name, length, EMPTY, NO_BOUNDS)
    return length, why if fault == reasons.NONE else fault, end if read >= 0 else BAD


@inlined
def low32(value: int) -> int:
    return value & np.uint64(0xFFFFFFFF)


@inlined
def signed32(value: int) -> int:
    """A sint32: the lower 32 bits, zigzag."""
    low = low32(value)
    return np.int64(low >> np.uint64(1)) ^ -np.int64(low & np.uint64(1))


@inlined
def float_of(bits: int) -> float:
    return np.uint64(bits).view(np.float64)


@inlined
def resolve_name(buffer: np.ndarray, length: int, names: NameArrays, rows: Rows) -> tuple[int, int]:
    """The entry of the name of so many bytes in `buffer`, or `NO_ROOM`; and any fault."""
    progress = rows.progress
    entry = guess(names, progress[PREVIOUS], progress[TRUST], progress[SEEN])
    hit = (
        entry >= 0
        and names.offsets[entry + 1] - names.offsets[entry] == length
        and same_bytes(names.arena, names.offsets[entry], buffer, 0, length)
    )
    if not hit:
        if not name_valid(buffer, 0, length):
            return -1, reasons.NAME_BYTES
        entry = find_or_add(names, buffer, 0, length)
        if entry == NO_ROOM:
            return NO_ROOM, reasons.NONE
        if entry == LIMIT:
            return -1, reasons.SERIES_LIMIT
    progress[TRUST] = learn(names, progress[PREVIOUS], entry, progress[TRUST], hit)
    progress[PREVIOUS] = entry
    return entry, reasons.NONE


@scanner
def resolved(buffer: np.ndarray, length: int, names: NameArrays, rows: Rows) -> tuple[int, int]:
    """As `resolve_name`."""
    return resolve_name(buffer, length, names, rows)


@inlined
def refuse(rows: Rows, out: Out, fault: int) -> int:
    """Count the point as rejected, at the place of its metric's name."""
    rows.progress[SEEN] += 1
    reject(rows, fault, out.metric[NAME_AT], out.metric[NAME_STOP])
    return DONE


@inlined
def milliseconds(nanoseconds: int) -> int:
    return np.int64(nanoseconds // _NS_A_MS)
