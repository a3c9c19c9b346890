"""`Figure`, and the benchmarks that yield them."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and what it should be.

    Parameters
    ----------
    what
        What was measured, without the number.
    value, unit
        The number.
    at_most, at_least
        The target of the design, where it has one.
    note
        What a reader has to know beside it.
    """

    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def target(self) -> str:
        """The target in words, empty if there is none."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""

    @property
    def met(self) -> bool:
        """Whether the target is reached; true where there is none."""
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    @property
    def number(self) -> str:
        """The value with three figures that count."""
        if self.value and abs(self.value) < 100:
            return f"{self.value:#.3g}".rstrip(".")
        return f"{self.value:,.0f}"

    def line(self) -> str:
        """The figure for a terminal."""
        target = f"  [{self.target}{'' if self.met else ', missed'}]" if self.target else ""
        return f"{self.what:66s} {self.number:>9s} {self.unit}{target}{f'  ({self.note})' if self.note else ''}"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A subject, what it measures in a sentence, and how."""

    name: str
    about: str
    run: Callable[[], Iterator[Figure]]
    peer: bool


BENCHMARKS: dict[str, Benchmark] = {}
"""Filled by `benchmark` as the files are imported, in their order."""


def benchmark(
    name: str, *, peer: bool = False
) -> Callable[[Callable[[], Iterator[Figure]]], Callable[[], Iterator[Figure]]]:
    """Register a generator of figures; its docstring says what is measured. Peers run only when asked for."""

    def register(run: Callable[[], Iterator[Figure]]) -> Callable[[], Iterator[Figure]]:
        about = (run.__doc__ or "").strip().split("\n")[0]
        BENCHMARKS[name] = Benchmark(name, about, run, peer)
        return run

    return register


def load() -> str:
    """The load average of the last minute: how much of the machine was not ours."""
    return f"load {os.getloadavg()[0]:.1f}"
