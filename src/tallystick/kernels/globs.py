"""`Globs`: patterns of whole names, and which of them a name has, for as many names at a time as there are.

As Python's `fnmatch` has it, which agents use for the same patterns: ``*`` stands for any text, dots too, ``?`` for one
character, ``[abc]`` and ``[!abc]`` for one of a few or any other. Of a pattern's stars only the last that was passed is
tried again, so a name costs at most its length times that of the pattern, whatever somebody writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner

PATTERN_CHARS_MAX = 1024
_ANY, _STAR, _CLASS = 256, 257, 258
"""What a step of a pattern is beside a byte; classes are numbered from the last."""


@inlined
def _after(arena: np.ndarray, i: int) -> int:
    """Behind the character at `i`: of one that has several bytes the further ones are 0b10......"""
    i += 1
    while arena[i] & 0xC0 == 0x80:  # there is padding behind the last name
        i += 1
    return i


@inlined
def _matches(
    arena: np.ndarray, start: int, stop: int, steps: np.ndarray, first: int, last: int, classes: np.ndarray
) -> bool:
    i, at = start, first
    star, again = -1, start
    while i < stop:
        step = steps[at] if at < last else -1
        if step == _STAR:
            star, again = at, i
            at += 1
        elif step == np.int64(arena[i]):
            i += 1
            at += 1
        elif step == _ANY or (step >= _CLASS and classes[step - _CLASS, arena[i]] != 0):
            i = _after(arena, i)
            at += 1
        elif star >= 0:
            again = _after(arena, again)
            i, at = again, star + 1
        else:
            return False
    while at < last and steps[at] == _STAR:
        at += 1
    return at == last


@scanner
def _first_matching(
    arena: np.ndarray,
    offsets: np.ndarray,
    entries: np.ndarray,
    steps: np.ndarray,
    ends: np.ndarray,
    classes: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the first pattern that each name has, or -1.

    Parameters
    ----------
    arena : uint8[bytes + PADDING], offsets : int64[n + 1]
        Names, back to back.
    entries : int[k]
        Which of them.
    steps : int32[s], ends : int64[p]
        What the patterns are made of, and where each of them ends.
    classes : uint8[c, 256]
        Whether each byte, as the first of a character, is in each class.
    out : int32[k]
    """
    for k in range(len(entries)):
        start, stop = offsets[entries[k]], offsets[entries[k] + 1]
        first, found = 0, -1
        for pattern in range(len(ends)):
            if _matches(arena, start, stop, steps, first, ends[pattern], classes):
                found = pattern
                break
            first = ends[pattern]
        out[k] = found


@dataclass(frozen=True, slots=True)
class Globs:
    """Patterns, compiled.

    Parameters
    ----------
    steps : int32[s], ends : int64[p], classes : uint8[c, 256]
        See `_first_matching`.
    """

    steps: NDArray[np.int32]
    ends: NDArray[np.int64]
    classes: NDArray[np.uint8]

    @classmethod
    def of(cls, patterns: Sequence[str]) -> "Globs":
        """Compile patterns.

        Raises
        ------
        ValueError
            If a pattern is too long, or has something in brackets that is not ASCII.
        """
        steps: list[int] = []
        ends: list[int] = []
        classes: list[NDArray[np.uint8]] = []
        for pattern in patterns:
            steps += _steps(pattern, classes)
            ends.append(len(steps))
        table = np.stack(classes) if classes else np.zeros((1, 256), np.uint8)
        return cls(np.array(steps, np.int32), np.array(ends, np.int64), table)

    def __len__(self) -> int:
        return len(self.ends)

    def first_matching(
        self, arena: NDArray[np.uint8], offsets: NDArray[np.int64], entries: NDArray[np.integer]
    ) -> NDArray[np.int32]:
        """The first pattern that each of some names has, by its position, or -1: int32[k].

        Parameters
        ----------
        arena, offsets
            Of `tallystick.kernels.names.NameArrays` or `tallystick.kernels.packed.Names`.
        entries : int[k]
            Which of the names.
        """
        out = np.empty(len(entries), np.int32)
        _first_matching(arena, offsets, entries.astype(np.int64), self.steps, self.ends, self.classes, out)
        return out


def _steps(pattern: str, classes: list[NDArray[np.uint8]]) -> list[int]:
    if len(pattern) > PATTERN_CHARS_MAX:
        raise ValueError(f"a pattern of {len(pattern)} characters is too long; expected at most {PATTERN_CHARS_MAX}")
    steps: list[int] = []
    i = 0
    while i < len(pattern):
        char, i = pattern[i], i + 1
        end = _class_end(pattern, i) if char == "[" else -1
        if char == "*":
            if not steps or steps[-1] != _STAR:
                steps.append(_STAR)
        elif char == "?":
            steps.append(_ANY)
        elif end >= 0:
            steps.append(_CLASS + len(classes))
            classes.append(_class(pattern[i:end]))
            i = end + 1
        else:
            steps += char.encode()
    return steps


def _class_end(pattern: str, i: int) -> int:
    """Where the bracket closes that was opened before `i`, or -1; one that comes first is a member."""
    begin = i + 1 if pattern[i : i + 1] == "!" else i
    return pattern.find("]", begin + 1)


def _class(inner: str) -> NDArray[np.uint8]:
    """Whether each byte is in what stands between brackets, as `fnmatch` reads it."""
    excluding = inner.startswith("!")
    members = inner[1:] if excluding else inner
    if not members.isascii():
        raise ValueError(f"[{inner}] has characters that are not ASCII; expected ASCII between brackets")
    table = np.zeros(256, np.uint8)
    i = 0
    while i < len(members):
        if i + 2 < len(members) and members[i + 1] == "-":
            table[ord(members[i]) : ord(members[i + 2]) + 1] = 1
            i += 3
        else:
            table[ord(members[i])] = 1
            i += 1
    return 1 - table if excluding else table
