"""`Position`: how far a file has been read, so that it is found again under another name."""

import zlib
from dataclasses import dataclass

HEAD_BYTES = 1024
"""So many bytes at the start of a file tell it from others; logs begin with a time."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two lines of a file.

    Parameters
    ----------
    device, inode
        Of the file when it was read; a renamed file keeps them, a copy does not.
    offset
        Bytes in front of the place, counted without compression.
    head_bytes, head_crc
        Length and CRC-32 of the start of what was read, `HEAD_BYTES` at most: a copy has the same, and a file that was
        emptied and written anew does not.
    """

    device: int
    inode: int
    offset: int
    head_bytes: int = 0
    head_crc: int = 0

    def __str__(self) -> str:
        return f"{self.device} {self.inode} {self.offset} {self.head_bytes} {self.head_crc}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read what `str` gave.

        Raises
        ------
        ValueError
            If it is no position.
        """
        words = [int(word) for word in text.split()]
        if len(words) != 5 or min(words) < 0:
            raise ValueError(f"cannot read position {text[:100]!r}: expected five whole numbers")
        return cls(*words)

    def begins(self, head: bytes) -> bool:
        """Whether a file that starts with `head` has the start of the one that was read."""
        return len(head) >= self.head_bytes and zlib.crc32(head[: self.head_bytes]) == self.head_crc
