"""Which series somebody means who deletes or renames."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.model.name import canonical, is_canonical
from tallystick.store.contract import Catalog


def selected_series(catalog: Catalog, pattern: str, expressions: Sequence[str] = ()) -> NDArray[np.int32]:
    """Ids of the series that a glob, or else tag expressions, select, by name.

    Raises
    ------
    QueryError
        If not exactly one of the two is given, it cannot be read, or nothing matches.
    """
    if bool(pattern) == bool(expressions):
        raise QueryError("cannot find series: expected either a path such as web.*.cpu or tag expressions")
    ids = catalog.find(pattern) if pattern else catalog.tagged(expressions)
    if not len(ids):
        raise QueryError(
            f"cannot find series {pattern or ', '.join(expressions)}: there is none; expected at least one"
        )
    return ids


def one_series(catalog: Catalog, pattern: str) -> int:
    """Id of the one series that a glob selects.

    Raises
    ------
    QueryError
        If there is none, or more than one.
    """
    ids = selected_series(catalog, pattern)
    if len(ids) > 1:
        raise QueryError(f"cannot rename {pattern}: it matches {len(ids)} series; expected the name of one")
    return int(ids[0])


def usable_name(name: str) -> str:
    """The canonical spelling of a name that a series is to get.

    Raises
    ------
    QueryError
        If no series can have it.
    """
    path = name.partition(";")[0]
    try:
        spelt = canonical(name)
    except ValueError as error:
        raise QueryError(str(error)) from error
    if not is_canonical(spelt) or "" in path.split(".") or any(c <= " " or c == "\x7f" for c in name):
        raise QueryError(
            f"cannot use name {name[:200]!r}: expected components between dots, without spaces, of together 1024 bytes"
        )
    return spelt
