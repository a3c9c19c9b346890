"""Where the parts of a block are: read from its end, and checked, before anything in it is believed."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import DamageError, UnreadableError
from tallystick.store.disk.checksum import checksum

MAGIC = b"TLYBLK01"
VERSION = 1
EXTENT_BYTES = 16 * 1024
PAGE_UNIT_BYTES = 8
"""Pages are multiples of it; the index counts in it."""
PAGES_BYTES_MAX = PAGE_UNIT_BYTES * np.iinfo(np.uint32).max
TRAILER = struct.Struct("<IQ8s")

Read = Callable[[int, int], bytes]
"""Gives so many bytes of a file from a position on, fewer at its end; raises OSError if the disk cannot."""


class BlockFooter(msgspec.Struct, frozen=True):
    """What a block says of itself, as JSON behind its index.

    `start_slot` counts slots of `step_s` seconds since the epoch; `retention` is the one that its series are kept by.
    """

    version: int
    retention: str
    step_s: int
    start_slot: int
    slots: int
    series: int = 0
    page_bytes: int = 0
    index_checksum: str = ""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The parts of a block.

    Parameters
    ----------
    footer
        What it says of itself.
    index_at
        Position of the index, behind the magic and the pages.
    sums : uint64[k]
        Checksums of the extents of the pages.
    """

    footer: BlockFooter
    index_at: int
    sums: NDArray[np.uint64]

    def extent(self, k: int) -> tuple[int, int]:
        """Position in the file and size of an extent."""
        at = k * EXTENT_BYTES
        return len(MAGIC) + at, min(EXTENT_BYTES, self.footer.page_bytes - at)


def examine(path: Path, size: int, read: Read) -> Anatomy:
    """Read the footer and the index of a block of `size` bytes.

    Raises
    ------
    DamageError
        If one of them does not match its checksum.
    UnreadableError
        If the disk cannot read them.
    """
    try:
        if size < len(MAGIC) + TRAILER.size or read(0, len(MAGIC)) != MAGIC:
            raise damaged(path, "it does not begin as one")
        footer, footer_at = _footer(path, size, read)
        index_at = len(MAGIC) + footer.page_bytes
        index = read(index_at, footer_at - index_at)
    except OSError as error:
        raise unreadable(path, error) from error
    if checksum(index) != int(footer.index_checksum, 16):
        raise damaged(path, "its index does not match its checksum")
    extents = -(-footer.page_bytes // EXTENT_BYTES)
    return Anatomy(footer, index_at, np.frombuffer(index, "<u8", extents).copy())


def check_extent(path: Path, anatomy: Anatomy, k: int, data: bytes | memoryview) -> None:
    """See that the bytes of an extent match their checksum.

    Raises
    ------
    DamageError
        If they do not.
    """
    if checksum(data) != int(anatomy.sums[k]):
        raise damaged(path, f"bytes {k * EXTENT_BYTES} to {(k + 1) * EXTENT_BYTES} of its pages changed")


def damaged(path: Path, cause: str) -> DamageError:
    """What to raise of a block whose bytes are not those that were written."""
    return DamageError(f"cannot read block {path}: {cause}")


def unreadable(path: Path, error: OSError) -> UnreadableError:
    """What to raise of a block that the disk cannot read at present."""
    return UnreadableError(f"cannot read block {path}: {error.strerror}")


def _footer(path: Path, size: int, read: Read) -> tuple[BlockFooter, int]:
    length, expected, magic = TRAILER.unpack(read(size - TRAILER.size, TRAILER.size))
    at = max(0, size - TRAILER.size - length)
    text = read(at, size - TRAILER.size - at)
    if magic != MAGIC or len(text) != length or checksum(text) != expected:
        raise damaged(path, "its footer does not match its checksum")
    footer = msgspec.json.decode(text, type=BlockFooter)
    if footer.version != VERSION:
        raise damaged(path, f"its format is version {footer.version}; expected {VERSION}")
    return footer, at
