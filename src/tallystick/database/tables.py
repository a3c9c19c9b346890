"""Results as Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from tallystick.database.result import Result

_TIME = pa.timestamp("ms", "UTC")  # Parquet knows no seconds


def wide(result: Result) -> pa.Table:
    """A row for each slot: ``time``, and a column for each series and statistic; null where there is no value."""
    names, arrays = ["time"], [_times(result)]
    for i, name in enumerate(result.names):
        for word, values in result.columns.items():
            names.append(name if len(result.columns) == 1 else f"{name}:{word}")
            arrays.append(_nulled(values[i]))
    return pa.Table.from_arrays(arrays, names)


def long(result: Result) -> pa.Table:
    """A row for each series and slot that has a value: ``time``, ``name``, and a column for each statistic."""
    known = np.zeros((len(result), result.slots), np.bool_)
    for values in result.columns.values():
        known |= ~np.isnan(values)
    series, slots = np.nonzero(known)
    names = pa.DictionaryArray.from_arrays(pa.array(series.astype(np.int32)), pa.array(list(result.names), pa.string()))
    columns = {word: _nulled(values[series, slots]) for word, values in result.columns.items()}
    return pa.table({"time": _times(result).take(pa.array(slots)), "name": names, **columns})


def _times(result: Result) -> pa.Array:
    return pa.array(result.times).cast(_TIME)


def _nulled(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pa.Array:
    """Gaps as Arrow has them."""
    return pa.array(values, pa.float64(), from_pandas=True)
