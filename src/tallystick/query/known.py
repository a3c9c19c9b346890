"""What is known of series beside their numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import LimitError, QueryError
from tallystick.model.kind import Kind
from tallystick.model.name import tags_of
from tallystick.model.series import Part, Series
from tallystick.store.contract import StoreReader


def known_series(store: StoreReader, pattern: str, expressions: Sequence[str], series_max: int) -> list[Series]:
    """The series that a glob or tag expressions select, by name.

    Raises
    ------
    QueryError
        If not exactly one of the two is given, or it cannot be read.
    LimitError
        If there are more than `series_max`.
    """
    catalog, ids = store.catalog, selected_series(store, pattern, expressions, series_max)
    kept = [tuple((r.step_s, r.keep_s) for r in store.retention(one).resolutions) for one in ids.tolist()]
    columns = zip(catalog.names(ids), catalog.kinds(ids).tolist(), kept, store.last_seen(ids).tolist(), strict=True)
    return [
        Series(name, tags_of(name), Kind(kind).name.lower(), resolutions, last_s if last_s >= 0 else None)
        for name, kind, resolutions, last_s in columns
    ]


def known_parts(
    store: StoreReader, pattern: str, expressions: Sequence[str], start_s: int, until_s: int, series_max: int
) -> list[Part]:
    """A range of time in stretches, each with the finest step that all series selected can be read at.

    Raises
    ------
    QueryError
        As for `known_series`.
    LimitError
        If there are more than `series_max`.
    """
    ids = selected_series(store, pattern, expressions, series_max)
    return store.parts(ids, start_s, until_s) if len(ids) else []


def selected_series(store: StoreReader, pattern: str, expressions: Sequence[str], series_max: int) -> NDArray[np.int32]:
    """The series that a glob or tag expressions select; see `known_series`."""
    if bool(pattern) == bool(expressions):
        raise QueryError("cannot find series: expected either a path such as web.*.cpu or tag expressions")
    catalog = store.catalog
    ids = catalog.find(pattern) if pattern else catalog.tagged(expressions)
    if len(ids) > series_max:
        raise LimitError(
            f"cannot describe {len(ids)} series: more than the limit series_max = {series_max}; "
            "expected a narrower path"
        )
    return ids
