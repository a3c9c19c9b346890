"""`Grid`: a matrix series x slots of one statistic on one step; what a query function takes and gives."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


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

    def named(self, name: str) -> "Row":
        """The same row under another name; its path stays."""
        return replace(self, name=name)


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
    rows: tuple[Row, ...]
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
