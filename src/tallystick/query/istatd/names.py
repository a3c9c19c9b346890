"""Counters by istatd's patterns, and the nodes of the tree above them."""

import re
from collections.abc import Callable

import numpy as np
import re2
from numpy.typing import NDArray

from tallystick.model.errors import LimitError, QueryError
from tallystick.model.kind import Kind
from tallystick.store.contract import Catalog

GAUGE, COUNTER, AGGREGATE = 0, 1, 2
"""Types of a node: a gauge, a counter, and one that has others below it only."""
NODES_MAX = 500_000
_GLOB = re.compile(r"[*?\[\]{}\\]")


def matcher(pattern: str) -> Callable[[str], object]:
    """What matches names as istatd does: ``*`` is any run of characters, ``?`` one without dots; both may be empty.

    Raises
    ------
    QueryError
        If it is too long.
    """
    parts = [{"*": ".*", "?": "[^.]*"}.get(one, re2.escape(one)) for one in re.split(r"([*?])", pattern)]
    try:
        compiled = re2.compile("".join(parts) + r"\z")
    except re2.error as error:
        raise QueryError(f"cannot use pattern {pattern[:100]!r}: {error}; expected a shorter one") from error
    found: Callable[[str], object] = compiled.match
    return found


def nodes(catalog: Catalog, pattern: str) -> list[tuple[str, bool, int]]:
    """Name, whether a series has it, and type, of each node that a pattern matches, by name.

    Raises
    ------
    QueryError
        If the pattern cannot be used.
    LimitError
        If there are more than `NODES_MAX`.
    """
    matches = matcher(pattern)
    ids = catalog.ids()
    found: dict[str, tuple[bool, int]] = {}
    seen: set[str] = set()
    for name, kind in zip(catalog.names(ids), catalog.kinds(ids).tolist(), strict=True):
        if matches(name):
            found[name] = (True, COUNTER if kind == Kind.COUNTER else GAUGE)
        above = name.partition(";")[0].rpartition(".")[0]
        while above and above not in seen:
            seen.add(above)
            if matches(above):
                found.setdefault(above, (False, AGGREGATE))
            above = above.rpartition(".")[0]
        if len(found) > NODES_MAX:
            raise LimitError(f"cannot list names: more than {NODES_MAX} match; expected a narrower pattern")
    return [(name, *what) for name, what in sorted(found.items())]


def find_counter(catalog: Catalog, name: str) -> NDArray[np.int32]:
    """The id of the series of a name, or none: int32[0 or 1]."""
    return catalog.find(_GLOB.sub(r"\\\g<0>", name))[:1]
