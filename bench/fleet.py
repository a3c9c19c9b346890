"""What a fleet of servers sends: names, values that move as those of servers do, and carbon lines."""

import time

import numpy as np
from numpy.typing import NDArray

SERIES_A_HOST = 100


def names_of(count: int) -> list[str]:
    """Names of `count` series, a hundred a host, 41 bytes each."""
    return [f"prod.app.host{i // 100:04d}.cpu.core{i // 10 % 10:02d}.metric{i % 10:02d}" for i in range(count)]


def slot_now(slots_ago: int = 0, step_s: int = 10) -> int:
    """Start of the present slot, or of one before it, in epoch seconds."""
    return (int(time.time()) // step_s - slots_ago) * step_s


class Fleet:
    """Series of which seven in ten are gauges that walk with two decimals, two are counters, and one never changes."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self.names = names_of(count)
        self._random = np.random.default_rng(seed)
        self._mixed = np.arange(count) % 10
        self._level = np.where(self._mixed < 7, self._random.uniform(100, 900, count).round(2), np.arange(count) % 1000)

    def values(self) -> NDArray[np.float64]:
        """float64[count]: the values of the next slot."""
        n = len(self.names)
        walk = (self._level + self._random.normal(0, 0.25, n)).round(2)
        count = self._level + self._random.integers(0, 50, n)
        self._level = np.where(self._mixed < 7, walk, np.where(self._mixed < 9, count, self._level))
        return self._level

    def lines(self, timestamp_s: int, order: str = "same") -> bytes:
        """A line for each series; `order` is ``same``, ``hosts`` (of the hosts by chance) or ``any``."""
        values = [
            f"{v:.2f}" if k < 7 else f"{v:.0f}"
            for v, k in zip(self.values().tolist(), self._mixed.tolist(), strict=True)
        ]
        if order == "same":
            return "".join(
                [f"{name} {value} {timestamp_s}\n" for name, value in zip(self.names, values, strict=True)]
            ).encode()
        if order == "hosts":
            hosts = self._random.permutation(len(self.names) // SERIES_A_HOST)
            rows = (hosts[:, None] * SERIES_A_HOST + np.arange(SERIES_A_HOST)).ravel().tolist()
        else:
            rows = self._random.permutation(len(self.names)).tolist()
        return "".join([f"{self.names[i]} {values[i]} {timestamp_s}\n" for i in rows]).encode()

    def rounds(self, count: int, *, order: str = "same") -> bytes:
        """Lines of `count` slots, the last of them the present one."""
        return b"".join(self.lines(slot_now(count - 1 - k), order) for k in range(count))
