"""`Incoming`: the pieces of an import on their way, renamed, counted and followed."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tallystick.exchange.foreign import folders_below
from tallystick.exchange.registry import Reader
from tallystick.model.name import canonical
from tallystick.store.history import History

_NAMES_SHOWN_MAX = 10


def renaming(rules: Sequence[tuple[str, str]], prefix: str) -> Callable[[str], str]:
    """What makes the new name of a series of its old one: each rule on what the one before it made, then the prefix.

    Parameters
    ----------
    rules
        A regular expression that is searched for, and what takes the place of what it matches.

    Raises
    ------
    re.error
        If an expression or a replacement cannot be read.
    """
    compiled = [(re.compile(pattern), replacement) for pattern, replacement in rules]
    for pattern, replacement in compiled:
        pattern.sub(replacement, "")

    def rename(name: str) -> str:
        for pattern, replacement in compiled:
            name = pattern.sub(replacement, name)
        try:
            return canonical(prefix + name)
        except ValueError:
            return prefix + name  # the store refuses and counts it

    return rename


class Incoming:
    """Iterates over the pieces of files; once.

    Parameters
    ----------
    reader
        Of their format.
    paths
        Files, or trees.
    rename
        Makes the new name of a series.

    Attributes
    ----------
    rows
        Slots so far.
    size_bytes, came_bytes
        Of all files, and how many were read so far; some formats tell the latter only at the end.
    passed_over : list of str
        What cannot be read, a sentence each.
    """

    def __init__(self, reader: Reader, paths: Sequence[Path], rename: Callable[[str], str]) -> None:
        self._reader = reader
        self._paths = paths
        self._rename = rename
        self._names: set[str] = set()
        self._by_step: Counter[int] = Counter()
        self._oldest_s, self._newest_s = 1 << 62, 0
        self.rows = 0
        self.came_bytes = 0
        self.passed_over: list[str] = []
        files = (file for path in paths for _, files in folders_below(path) for file in files)
        self.size_bytes = sum(file.stat().st_size for file in files if file.is_file())

    def __iter__(self) -> Iterator[History]:
        for path in self._paths:
            for piece in self._reader(path, self):
                self._count(piece)
                yield replace(piece, names=[self._rename(name) for name in piece.names])

    def __call__(self, sentence: str) -> None:
        """See `Watch`."""
        self.passed_over.append(sentence)

    def came(self, size_bytes: int) -> None:
        """See `Watch`."""
        self.came_bytes += size_bytes

    def summary(self) -> str:
        """What came, for people: how many series and points, of what steps and times, and some of the names."""
        if not self.rows:
            return "nothing would come"
        lines = [f"{len(self._names):,} series with {self.rows:,} points would come:"]
        lines += [f"  every {step_s} s: {n:,} points" for step_s, n in sorted(self._by_step.items())]
        lines.append(f"  from {_moment(self._oldest_s)} to {_moment(self._newest_s)}")
        lines += [f"  {name}" for name in sorted(self._names)[:_NAMES_SHOWN_MAX]]
        if len(self._names) > _NAMES_SHOWN_MAX:
            lines.append(f"  ... and {len(self._names) - _NAMES_SHOWN_MAX:,} more")
        return "\n".join(lines)

    def _count(self, piece: History) -> None:
        tally = piece.tally
        if len(tally):
            self.rows += len(tally)
            self._by_step[tally.step_s] += len(tally)
            slot = np.asarray(tally.slot)
            self._oldest_s = min(self._oldest_s, int(slot.min()) * tally.step_s)
            self._newest_s = max(self._newest_s, int(slot.max()) * tally.step_s)
            self._names.update(self._rename(piece.names[k]) for k in np.unique(tally.series).tolist())


def _moment(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
