"""`Result`: numbers of series as a matrix, as Arrow, as pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tallystick.model.errors import QueryError
from tallystick.model.extras import needed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

Layout = Literal["wide", "long"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Result:
    """Series on one time line, in the order in which the targets gave them.

    Parameters
    ----------
    names, tags : length n
        Of each series.
    kinds : length n
        gauge, counter, timing, set or cumulative; None where functions made the series.
    kept_s : length n
        So many seconds after its time a slot of what was read is forgotten; None where functions made the series.
    start_s, step_s
        Epoch seconds of the first slot, and seconds between slots.
    columns : dict of float64[n, m]
        By statistic, in the order in which they were asked for; NaN where there is no value.
    """

    names: tuple[str, ...]
    tags: tuple[dict[str, str], ...]
    kinds: tuple[str | None, ...]
    kept_s: tuple[int | None, ...]
    start_s: int
    step_s: int
    columns: Mapping[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def statistics(self) -> tuple[str, ...]:
        """Which there are."""
        return tuple(self.columns)

    @property
    def slots(self) -> int:
        """Slots of each series."""
        return int(self.values.shape[1])

    @property
    def values(self) -> NDArray[np.float64]:
        """The first statistic, float64[n, m]."""
        return next(iter(self.columns.values()))

    @property
    def times(self) -> NDArray[np.datetime64]:
        """When each slot begins, datetime64[s] in UTC."""
        import numpy as np

        return (self.start_s + self.step_s * np.arange(self.slots, dtype=np.int64)).astype("datetime64[s]")

    def to_numpy(self, statistic: str | None = None) -> NDArray[np.float64]:
        """A statistic, float64[n, m]; the first one if none is named. Not a copy.

        Raises
        ------
        QueryError
            If it was not asked for.
        """
        if statistic is None:
            return self.values
        if statistic not in self.columns:
            raise QueryError(f"cannot give statistic {statistic!r}: expected one of {', '.join(self.columns)}")
        return self.columns[statistic]

    def to_pandas(self) -> pd.DataFrame:
        """A row for each slot, a column for each series.

        Returns
        -------
        pandas.DataFrame
            The index ``time`` is in UTC and knows its frequency. Columns are ``name``, and below each name
            ``statistic`` if there are several.

        Raises
        ------
        StartError
            If pandas is not installed.
        """
        with needed("make a DataFrame", "pandas"):
            import numpy as np
            import pandas as pd
        first = pd.Timestamp(self.start_s, unit="s", tz="UTC")
        step = pd.Timedelta(seconds=self.step_s)
        index = pd.date_range(first, periods=self.slots, freq=step, name="time", unit="s")
        if len(self.columns) == 1:
            return pd.DataFrame(self.values.T, index, pd.Index(self.names, name="name", dtype=object))
        pairs = [(name, word) for name in self.names for word in self.columns]
        columns = pd.MultiIndex.from_arrays([[n for n, _ in pairs], [w for _, w in pairs]], names=["name", "statistic"])
        stacked = np.stack(list(self.columns.values()), axis=1).reshape(len(pairs), self.slots)
        return pd.DataFrame(stacked.T, index, columns)

    def to_arrow(self, layout: Layout = "wide") -> pa.Table:
        """An Arrow table, for Parquet, DuckDB, Polars.

        Parameters
        ----------
        layout
            ``wide``: a row for each slot with ``time`` and a column for each series, ``name`` or, if there are several
            statistics, ``name:statistic``. ``long``: a row for each series and slot that has a value, with ``time``,
            ``name`` and a column for each statistic.

        Raises
        ------
        QueryError
            If the layout is another.
        StartError
            If pyarrow is not installed.
        """
        if layout not in ("wide", "long"):
            raise QueryError(f"cannot use layout {layout!r}: expected wide or long")
        with needed("make an Arrow table", "pandas"):
            from tallystick.database import tables
        return tables.wide(self) if layout == "wide" else tables.long(self)

    def __repr__(self) -> str:
        from tallystick.database.shown import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from tallystick.database.shown import as_html

        return as_html(self)
