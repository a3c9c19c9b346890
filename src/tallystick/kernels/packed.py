"""`Names`: many names as two arrays, so that a million of them are no million Python objects on their way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import scanner
from tallystick.kernels.words import PADDING


@scanner
def _copy_pieces(arena: np.ndarray, begin: np.ndarray, end: np.ndarray, out: np.ndarray) -> None:
    """The pieces ``arena[begin[i]:end[i]]``, back to back."""
    at = 0
    for i in range(len(begin)):
        for k in range(begin[i], end[i]):
            out[at] = arena[k]
            at += 1


@dataclass(frozen=True, slots=True, eq=False)
class Names(Sequence[str]):
    """Names, back to back: a sequence of texts for who wants to see them, and two arrays for kernels.

    Parameters
    ----------
    arena : uint8[bytes + PADDING]
        Their UTF-8.
    offsets : int64[n + 1]
        Name ``i`` is ``arena[offsets[i]:offsets[i + 1]]``; the first offset is 0.
    """

    arena: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, names: Sequence[str]) -> "Names":
        """The same names, packed if they are not yet; they are encoded in one go where all of them are ASCII."""
        if isinstance(names, Names):
            return names
        joined = "".join(names)
        if not joined.isascii():
            return cls.of_bytes([name.encode() for name in names])
        return cls(padded(joined.encode()), _offsets(np.fromiter(map(len, names), np.int64, len(names))))

    @classmethod
    def of_bytes(cls, names: Sequence[bytes]) -> "Names":
        """Names of their UTF-8."""
        return cls(padded(b"".join(names)), _offsets(np.fromiter(map(len, names), np.int64, len(names))))

    @classmethod
    def joined(cls, parts: Iterable["Names"]) -> "Names":
        """The names of several, one after the other."""
        several = list(parts)
        if len(several) == 1:
            return several[0]
        lengths = [part.lengths for part in several] or [np.empty(0, np.int64)]
        data = [part.data for part in several]
        return cls(np.concatenate([*data, np.zeros(PADDING, np.uint8)]), _offsets(np.concatenate(lengths)))

    def part(self, span: slice) -> "Names":
        """Some names that follow each other."""
        begin, end, _ = span.indices(len(self))
        offsets = self.offsets[begin : max(begin, end) + 1]
        return Names(self.arena[offsets[0] :], offsets - offsets[0])

    @property
    def data(self) -> NDArray[np.uint8]:
        """The bytes of all names, without padding."""
        return self.arena[: self.offsets[-1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each name."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return self.texts()[at]
        begin, end = (self.offsets[:-1][at], self.offsets[1:][at])
        return self.arena[begin:end].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts())

    def texts(self) -> list[str]:
        """The names as text; they are read as UTF-8 in one go where all of them are ASCII."""
        data = self.data.tobytes()
        text = data.decode()
        if len(text) == len(data):
            return [text[begin:end] for begin, end in pairwise(self.offsets.tolist())]
        return [data[begin:end].decode() for begin, end in pairwise(self.offsets.tolist())]

    def encoded(self) -> list[bytes]:
        """The UTF-8 of each name."""
        data = self.data.tobytes()
        return [data[begin:end] for begin, end in pairwise(self.offsets.tolist())]


def pieces(arena: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64]) -> Names:
    """A copy of the pieces ``arena[begin[i]:end[i]]``."""
    offsets = _offsets(end - begin)
    out = np.zeros(int(offsets[-1]) + PADDING, np.uint8)
    _copy_pieces(arena, begin, end, out)
    return Names(out, offsets)


def padded(data: bytes | bytearray | memoryview) -> NDArray[np.uint8]:
    """A writable copy of `data` with `PADDING` behind it, as kernels need it."""
    out = np.zeros(len(data) + PADDING, np.uint8)
    out[: len(data)] = np.frombuffer(data, np.uint8)
    return out


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
