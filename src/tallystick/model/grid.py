"""`Grid`: a matrix series x slots of one statistic on one step; what a query function takes and gives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from tallystick.model.name import tags_of


@dataclass(frozen=True, slots=True)
class Row:
    """What a grid knows of one of its series beside the numbers.

    Parameters
    ----------
    name
        What is shown: the name of the series, or what functions made of it.
    path
        The path expression that the series was found by; names of aggregates are made of it.
    tags
        Graphite's tags, always with ``name``.
    consolidation
        How slots are joined for pixels: one of average, sum, min, max, first, last.
    x_files_factor
        Share of slots that must be known for a joined slot to be known; None leaves it to the request.
    options
        Drawing options that functions set (colour, dashes, axis), by Graphite's names.
    """

    name: str
    path: str
    tags: dict[str, str] = field(default_factory=dict)
    consolidation: str = "average"
    x_files_factor: float | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def marked(self, name: str, marks: dict[str, str]) -> "Row":
        """The same row under another name, which is its path too, with further tags; there are thousands at a time."""
        return Row(name, name, self.tags | marks, self.consolidation, self.x_files_factor, self.options)

    def named(self, name: str) -> "Row":
        """The same row under another name; its path stays."""
        return replace(self, name=name)


class Found(Sequence[Row]):
    """The rows of series as a path found them: made when they are looked at, which aggregates need not.

    Parameters
    ----------
    names
        Of the series.
    path
        The path expression that found them.
    consolidation
        How their slots are joined.
    """

    __slots__ = ("_rows", "consolidation", "names", "path")

    def __init__(self, names: Sequence[str], path: str, consolidation: str) -> None:
        self.names = names
        self.path = path
        self.consolidation = consolidation
        self._rows: tuple[Row, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, at: int | slice) -> Row | tuple[Row, ...]:
        return self._made()[at]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._made())

    @property
    def tagged(self) -> bool:
        """Whether any of the names has tags."""
        return any(";" in name for name in self.names)

    def _made(self) -> tuple[Row, ...]:
        if self._rows is None:
            self._rows = tuple(Row(name, self.path, tags_of(name), self.consolidation) for name in self.names)
        return self._rows


@dataclass(frozen=True, slots=True)
class Grid:
    """Series on one common time line.

    Parameters
    ----------
    values : float64[n, m]
        One row a series; NaN where there is no value.
    rows : length n
        What is known of each series.
    start_s
        Epoch seconds of the first slot.
    step_s
        Seconds between slots.
    """

    values: NDArray[np.float64]
    rows: Sequence[Row]
    start_s: int
    step_s: int

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def end_s(self) -> int:
        """Epoch seconds after the last slot."""
        return self.start_s + int(self.values.shape[1]) * self.step_s

    @property
    def times(self) -> NDArray[np.int64]:
        """Epoch seconds of each slot, int64[m]."""
        return self.start_s + self.step_s * np.arange(self.values.shape[1], dtype=np.int64)
