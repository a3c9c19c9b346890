"""`Census`: how many series there are, under which beginnings of names and from whom; the limit of those.

Looks at the store's series at the end of each window, and takes in between what is made. The beginnings are the first
`depth` components of names, as the ledger's are; from whom a series is is who sent it first since the start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.census.marks import Marks
from tallystick.kernels.beginnings import HOST_DEPTH
from tallystick.kernels.census import first_unknown, prefix_ends
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import Names, pieces
from tallystick.model.reason import Reason
from tallystick.store.names.catalog import SeriesCatalog

SOURCES_MAX = 1000
"""So many hosts are told apart."""
TOLD_MAX = 100
"""So many prefixes and hosts have a series of their own that says how many they have: those with most."""
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Count:
    """How many series there are of something."""

    name: str
    series: int


class Census:
    """Counts series.

    Whoever counts, refuses, notes or forgets holds the lock of the table of names; to ask takes no lock.

    Parameters
    ----------
    catalog
        Whose series are counted.
    marks
        Are told what is new.
    depth
        Components of a prefix.
    prefix_max
        Series that a prefix may have; 0 for no limit.
    host_of
        The host that an account, by its number, is of.
    """

    def __init__(
        self,
        catalog: SeriesCatalog,
        marks: Marks,
        host_of: Callable[[int], str],
        *,
        depth: int = 2,
        prefix_max: int = 0,
    ) -> None:
        self.catalog = catalog
        self.marks = marks
        self.depth = depth
        self._host_of = host_of
        self._prefix_max = prefix_max
        self._prefixes = NameTable()
        self._prefix_of = np.zeros(64, np.int32)  # by series: its prefix + 1
        self._in_prefix: NDArray[np.int64] = np.zeros(64, np.int64)
        self._hosts: dict[str, int] = {OTHERS: 1}
        self._source_of = np.zeros(64, np.int32)  # by series: its host's number; 0 while nobody sent it
        self._refused = 0
        self.count()

    def count(self) -> bool:
        """Count anew; returns whether there is room again for names that were refused."""
        ids = self.catalog.ids()
        self.marks.look(ids)
        self._prefix_of = _longer(self._prefix_of, int(ids.max(initial=-1)) + 1)
        self._source_of = _longer(self._source_of, len(self._prefix_of))
        fresh = ids[self._prefix_of[ids] == 0]
        if len(fresh):
            self._prefix_of[fresh] = self._prefixes_of(self.catalog.packed_names(fresh)) + 1
        counts = np.bincount(self._prefix_of[ids], minlength=len(self._prefixes) + 1)[1:]
        had_refused, self._refused = self._refused > 0, 0
        full = self._in_prefix[: len(counts)] >= self._prefix_max
        self._in_prefix = counts.astype(np.int64)
        return had_refused and bool((full & (counts < self._prefix_max)[: len(full)]).any())

    def refuse(self, names: Names) -> NDArray[np.uint8]:
        """Which names are one too many of their prefix: a `Reason` for each, 0 where it may become a series.

        Those that may are counted. Names that are series already are not refused.
        """
        out = np.zeros(len(names), np.uint8)
        if not self._prefix_max:
            return out
        prefixes = self._prefixes_of(names)
        self._in_prefix = _longer(self._in_prefix, len(self._prefixes))
        order = np.argsort(prefixes, kind="stable")
        begin = np.searchsorted(prefixes[order], prefixes[order])
        nth = np.empty(len(names), np.int64)
        nth[order] = np.arange(len(names)) - begin  # how many of the same prefix stand before it
        over = np.flatnonzero(self._in_prefix[prefixes] + nth >= self._prefix_max)
        texts = names.texts() if len(over) else []
        strangers = [k for k in over.tolist() if not self._is_series(texts[k])]
        out[strangers] = Reason.PREFIX_LIMIT
        self._refused += len(strangers)
        self._in_prefix += np.bincount(prefixes[out == 0], minlength=len(self._in_prefix))
        return out

    def note_sent(self, series: NDArray[np.int32], accounts: Callable[[NDArray[np.intp]], NDArray[np.int32]]) -> None:
        """Note who sends series, of those of which that is not known.

        Parameters
        ----------
        series : int32[n]
        accounts
            Gives the account of each of some rows.
        """
        if first_unknown(series, self._source_of) == len(series):
            return
        self._source_of = _longer(self._source_of, int(series.max()) + 1)
        rows = np.flatnonzero(self._source_of[series] == 0)
        who, place = np.unique(accounts(rows), return_inverse=True)
        self._source_of[series[rows]] = np.array([self._host(int(one)) for one in who], np.int32)[place]

    def forget(self, ids: NDArray[np.int32]) -> None:
        """These ids may be other series' from now on."""
        self.marks.forget(ids)
        for column in (self._prefix_of, self._source_of):
            column[ids[ids < len(column)]] = 0

    def by_prefix(self) -> list[Count]:
        """Series of each prefix, most first."""
        counts = self._in_prefix
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0]
        return [Count(self._prefixes.name(k).decode(), int(counts[k])) for k in order.tolist()]

    def by_source(self) -> list[Count]:
        """Series of each host, most first."""
        numbers = self.sources_of(self.catalog.ids())
        counts = np.bincount(numbers, minlength=len(self._hosts) + 1)
        found = [Count(host, int(counts[number])) for host, number in self._hosts.items() if counts[number]]
        return sorted(found, key=lambda one: -one.series)

    def sources_of(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """The number of the host that each of some series is from; 0 where nobody sent it since the start."""
        sources = self._source_of
        inside = ids < len(sources)
        return np.where(inside, sources[np.where(inside, ids, 0)], 0)

    @property
    def hosts(self) -> dict[int, str]:
        """The hosts by number."""
        return {number: host for host, number in self._hosts.items()}

    def full_prefixes(self) -> list[str]:
        """Those that have as many series as they may."""
        if not self._prefix_max:
            return []
        return [one.name for one in self.by_prefix() if one.series >= self._prefix_max]

    def problems(self) -> list[str]:
        """What an operator should know."""
        full = self.full_prefixes() if self._refused else []
        shown = ", ".join(full[:3]) + (f" and {len(full) - 3} more" if len(full) > 3 else "")
        return [f"{shown} have as many series as limits.series_per_prefix = {self._prefix_max} allows"] if full else []

    def told(self) -> Iterator[tuple[str, str, int]]:
        """What is worth a series of its own: of what it is (``total``, ``prefixes``, ``sources``), which, how many."""
        yield "total", "", len(self.catalog)
        for what, counts in (("prefixes", self.by_prefix()), ("sources", self.by_source())):
            for one in counts[:TOLD_MAX]:
                yield what, one.name, one.series

    def _prefixes_of(self, names: Names) -> NDArray[np.int32]:
        ends = np.empty(len(names), np.int64)
        prefix_ends(names.arena, names.offsets, self.depth, HOST_DEPTH, ends)
        return self._prefixes.intern_packed(pieces(names.arena, names.offsets[:-1], ends))

    def _is_series(self, name: str) -> bool:
        return self.catalog.series_of(name.encode()) >= 0

    def _host(self, account: int) -> int:
        host = self._host_of(account) or OTHERS
        if host not in self._hosts and len(self._hosts) > SOURCES_MAX:
            host = OTHERS
        return self._hosts.setdefault(host, len(self._hosts) + 1)


def _longer(column: NDArray[Any], needed: int) -> NDArray[Any]:
    """A column with room for so many; the same one where it has it."""
    room = len(column)
    if needed <= room:
        return column
    return np.concatenate([column, np.zeros(max(2 * room, needed) - room, column.dtype)])
