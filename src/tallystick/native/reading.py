"""The native protocol's messages read in plain Python, by those who are sent them and are no server.

Whatever the bytes are, they are read whole or refused by a `ValueError`; a slot whose statistics no samples can have
had costs itself only.
"""

import math
import re
import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tallystick.model.kind import Kind
from tallystick.native.messages import (
    FINGERPRINT,
    FINGERPRINTS,
    TEXTS_SAID,
    TOLD_BYTES_MAX,
    VERSION,
    Name,
    Slot,
    read_long,
    read_text,
)

_DOUBLE, _SPREAD = struct.Struct("<d"), struct.Struct("<5d")
WORD = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Who sends, or by which protocol."""
RUN = re.compile(r"[A-Za-z0-9._-]{0,64}")
_BUCKET_SHIFT, _BUCKET_MAX = 40_000, 1100 * 32  # a double's exponent goes from -1074 to 1023
_TIME_MS_MAX = 1 << 53


class Hello(NamedTuple):
    """Who sends, and which of its runs; an empty one numbers nothing."""

    agent: str
    run: str
    token: str

    @property
    def sender(self) -> str:
        """Whose numbers they are; empty where batches have none."""
        return f"{self.agent}/{self.run}" if self.run else ""


class Batch(NamedTuple):
    """Slots of one batch.

    Parameters
    ----------
    generated
        Slots that were made since the batch before.
    blocked
        Those of them that were not sent since they are not wanted.
    slots
        None for each whose statistics no samples can have had.
    """

    number: int
    generated: int
    blocked: int
    slots: list[Slot | None]


class _Bytes:
    """A message, and how far it is read."""

    def __init__(self, message: bytes, at: int) -> None:
        self.message = message
        self.at = at

    def long(self) -> int:
        value, self.at = read_long(self.message, self.at)
        return value

    def taken(self, size: int) -> bytes:
        end = self.at + size
        if not 0 <= size <= len(self.message) - self.at:
            raise ValueError(f"cannot read {size} bytes at byte {self.at} of a message: it ends before")
        taken, self.at = self.message[self.at : end], end
        return taken

    def name(self) -> Name:
        text = self.taken(self.long()).decode()
        kind = Kind(self.long())
        said = [self.taken(self.long())[:TOLD_BYTES_MAX].decode(errors="replace") for _ in range(TEXTS_SAID)]
        return Name(text, kind, *said)

    def double(self) -> float:
        return float(_DOUBLE.unpack(self.taken(8))[0])

    def items(self) -> Iterator[None]:
        """One turn for each item of an array, which comes in blocks; what is read in a turn is one item."""
        while count := self.long():
            if count < 0:  # then the block's size in bytes follows
                count = -count
                self.long()
            if count > len(self.message) - self.at:
                raise ValueError(f"cannot read {count} items at byte {self.at} of a message: it is too short for them")
            for _ in range(count):
                yield

    def expect_end(self) -> None:
        if self.at != len(self.message):
            raise ValueError(f"cannot read a message of {len(self.message)} bytes: it ends at byte {self.at}")


def read_hello(message: bytes, at: int) -> Hello | None:
    """A greeting, behind its position in the union; None if it is of another version or schema.

    Raises
    ------
    ValueError
        If it is none.
    """
    version, at = read_long(message, at)
    end = at + len(FINGERPRINT)
    if version != VERSION or message[at:end] not in FINGERPRINTS:
        return None
    agent, at = read_text(message, end)
    run, at = read_text(message, at)
    token, at = read_text(message, at)
    if at != len(message) or not (WORD.fullmatch(agent) and RUN.fullmatch(run)):
        raise ValueError("cannot read a greeting: expected agent and run of up to 64 letters, digits and . _ -")
    return Hello(agent, run, token)


def read_names(message: bytes, at: int) -> tuple[int, list[Name]]:
    """The number of the first name, and the names.

    Raises
    ------
    ValueError
        If it is no message of names.
    """
    given = _Bytes(message, at)
    first = given.long()
    names = [given.name() for _ in given.items()]
    given.expect_end()
    return first, names


def read_origin(message: bytes, at: int, names: int) -> tuple[str, list[int]]:
    """A protocol, and the numbers of those among `names` names whose samples came by it.

    Raises
    ------
    ValueError
        If it is no such message.
    """
    given = _Bytes(message, at)
    protocol = given.taken(given.long()).decode()
    if not WORD.fullmatch(protocol):
        raise ValueError("cannot read an origin: expected up to 64 letters, digits and . _ -")
    numbers = [given.long() for _ in given.items()]
    given.expect_end()
    if numbers and not 0 <= min(numbers) <= max(numbers) < names:
        raise ValueError(f"cannot read an origin of names up to {max(numbers)}: {names} are known")
    return protocol, numbers


def read_batch(message: bytes, at: int, names: Sequence[Name]) -> Batch:
    """A batch, whose slots have the numbers of `names`.

    Raises
    ------
    ValueError
        If it is none.
    """
    given = _Bytes(message, at)
    number, generated, blocked, base_ms = (given.long() for _ in range(4))
    if min(number, generated, blocked) < 0:
        raise ValueError("cannot read a batch: its numbers are below 0")
    slots = [_slot(given, base_ms, names) for _ in given.items()]
    given.expect_end()
    return Batch(number, generated, blocked, slots)


def _slot(given: _Bytes, base_ms: int, names: Sequence[Name]) -> Slot | None:
    series, at_ms, last = given.long(), base_ms + given.long(), given.double()
    spread = None
    branch = given.long()
    if branch == 1:
        spread = _SPREAD.unpack(given.taken(_SPREAD.size))
    elif branch:
        raise ValueError(f"cannot read a slot: it has {branch} for its statistics; expected 0 or 1")
    buckets = [(given.long(), given.double()) for _ in given.items()]
    sketch = given.taken(given.long())
    if not 0 <= series < len(names):
        raise ValueError(f"cannot read a slot of name {series}: {len(names)} are known")
    name = names[series]
    slot = Slot(name.name, name.kind, at_ms, last, spread, buckets, sketch, name.origin)
    return slot if _is_usable(slot) else None


def _is_usable(slot: Slot) -> bool:
    """Whether samples can have had these statistics; of a sketch only that it is there where one has to be."""
    if not (math.isfinite(slot.last) and 0 <= slot.at_ms <= _TIME_MS_MAX) or bool(slot.sketch) != (
        slot.kind is Kind.SET
    ):
        return False
    if slot.spread is not None:
        count, _, m2, low, high = slot.spread
        if not (all(map(math.isfinite, slot.spread)) and count > 0.0 and m2 >= 0.0 and low <= high):
            return False
    return not slot.buckets or (slot.kind is Kind.TIMING and _are_usable(slot.buckets))


def _are_usable(buckets: Sequence[tuple[int, float]]) -> bool:
    """Whether buckets ascend, are such that doubles fall into them, and have weights above 0."""
    known = all(bucket == 0 or abs(abs(bucket) - _BUCKET_SHIFT) <= _BUCKET_MAX for bucket, _ in buckets)
    weighed = all(0.0 < weight < math.inf for _, weight in buckets)
    return known and weighed and all(one < other for (one, _), (other, _) in pairwise(buckets))
