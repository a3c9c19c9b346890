"""What a line says, before it has a place: `Sample`, and the names that samples are stored under."""

from typing import NamedTuple

from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX, canonical
from tallystick.model.reason import Reason

LINE_BYTES_MAX = 16_384
"""A longer line is rejected, as by the server."""


class Sample(NamedTuple):
    """One number of a line.

    Parameters
    ----------
    name
        As it was sent.
    at_ms
        Milliseconds since the epoch; None for the time of its arrival.
    weight
        So many samples it stands for.
    is_change
        Of a gauge: whether the value is added to what it was.
    """

    name: bytes
    kind: Kind
    value: float
    at_ms: int | None = None
    weight: float = 1.0
    is_change: bool = False


class Member(NamedTuple):
    """A member of a set, which is counted when it arrives."""

    name: bytes
    text: bytes


class Tallied(NamedTuple):
    """A slot that its sender tallied: count, sum, M2, minimum and maximum."""

    name: bytes
    kind: Kind
    at_ms: int
    last: float
    spread: tuple[float, float, float, float, float]


Read = Sample | Member | Tallied | Reason
"""What is made of a part of a line: something to be counted, or why it is nothing."""


def stored_name(name: bytes) -> str | Reason:
    """The spelling that a name is stored under, or why it can have none."""
    if not name:
        return Reason.NAME_EMPTY
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return Reason.NAME_BYTES
    if any(byte <= 0x20 or byte == 0x7F for byte in name):
        return Reason.NAME_BYTES
    try:
        return canonical(text)
    except ValueError:
        return Reason.TAG
