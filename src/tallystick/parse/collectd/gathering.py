"""`Gathering`: value lists that were decoded, on their way to the kernel."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.collectd_lists import Lists
from tallystick.kernels.packed import Names
from tallystick.model.reason import Reason

_TIME_MS_MAX = 9_000_000_000_000_000
_TEXTS = 5


class Gathering:
    """Gathers lists by columns, and gives them as arrays."""

    def __init__(self) -> None:
        self._texts: tuple[list[str], ...] = tuple([] for _ in range(_TEXTS))
        self._times: list[float] = []
        self._faults: dict[int, Reason] = {}
        self._counts: list[int] = []
        self._names: list[str] = []
        self._values: list[float | None] = []
        self._kinds: list[int] = []

    @property
    def size(self) -> int:
        """How many values there are, those of refused lists included."""
        return len(self._values)

    def add(
        self,
        texts: Sequence[Sequence[str]],
        times_s: Sequence[float],
        counts: Sequence[int],
        names: Sequence[str],
        values: Sequence[float | None],
        kinds: Sequence[int],
    ) -> None:
        """Some lists.

        Parameters
        ----------
        texts
            Columns of hosts, plugins and their instances, types and their instances.
        counts
            How many values each has.
        names, values, kinds
            Of all values, list by list; what has no value is None or NaN.
        """
        for column, more in zip(self._texts, texts, strict=True):
            column.extend(more)
        self._times += times_s
        self._counts += counts
        self._names += names
        self._values += values
        self._kinds += kinds

    def refuse(self, reason: Reason, text: str) -> None:
        """What is no list; `text` is told of it."""
        self._faults[len(self._times)] = reason
        self.add(([text], [""], [""], [""], [""]), [0.0], [1], [""], [0.0], [0])

    def lists(self, escape: bytes) -> Lists:
        """All of them, with the texts of good ones escaped: to do so again changes nothing."""
        n = len(self._times)
        packed = Names.of([text for column in self._texts for text in column] + self._names)
        buffer, offsets = packed.arena, packed.offsets
        text = np.arange(n)[:, None] + n * np.arange(_TEXTS)
        source = n * _TEXTS + np.arange(self.size)
        fault = np.zeros(n, np.uint8)
        fault[list(self._faults)] = list(self._faults.values())
        escaped = np.frombuffer(escape, np.uint8)[buffer]
        return Lists(
            buffer=np.where(_within(buffer, offsets, np.flatnonzero(fault)), buffer, escaped)
            if fault.any()
            else escaped,
            texts=np.stack([offsets[text], offsets[text + 1]], axis=-1).reshape(n, 2 * _TEXTS),
            time_ms=milliseconds(np.array(self._times, np.float64)),
            fault=fault,
            first=np.concatenate([[0], np.cumsum(self._counts, dtype=np.int64)]),
            source=np.stack([offsets[source], offsets[source + 1]], axis=-1),
            value=np.array(self._values, np.float64),
            hard=np.zeros((self.size, 2), np.int64),
            kind=np.array(self._kinds, np.uint8),
        )


def milliseconds(time_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rounded as collectd does; 0 for what cannot be held."""
    ms = time_s * 1000
    return np.where((ms > 0) & (ms <= _TIME_MS_MAX), np.rint(ms), 0).astype(np.int64)


def _within(buffer: NDArray[np.uint8], offsets: NDArray[np.int64], pieces: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which bytes are of some of the pieces."""
    edges = np.zeros(len(buffer) + 1, np.int32)
    np.add.at(edges, offsets[pieces], 1)
    np.add.at(edges, offsets[pieces + 1], -1)
    return edges.cumsum()[: len(buffer)] > 0
