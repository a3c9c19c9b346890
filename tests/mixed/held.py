"""`Held`: what the directory of a dead server's store holds, by who sent it, and what its ledger wrote there."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mixed.loads import OWN, by_sender
from tallystick.model.statistic import Statistic
from tallystick.native.names import component
from tallystick.store.view import StoreView

_LISTENERS = f"{OWN}ledger.listeners."
_SERIES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Held:
    """A store on disk, at rest.

    Parameters
    ----------
    samples
        By sender, as the store counts them; nothing that the server itself made.
    ledger
        Sums of the series of the ledger's listeners: by source and word, such as ``carbon-tcp-127_0_0_1-2003.stored``.
    files, size_bytes
        Of the store's directory.
    """

    samples: "Counter[str]"
    ledger: dict[str, float]
    files: int
    size_bytes: int

    @classmethod
    def on_disk(cls, data: Path, since_s: float) -> "Held":
        """What a store has had since then, read without a server."""
        view = StoreView(data)
        ids = view.catalog.ids()
        names = np.array(view.catalog.names(ids), object)
        since, until = int(since_s) // 10 * 10, (int(time.time()) + 60) // 10 * 10
        own = np.array([name.startswith(OWN) for name in names], np.bool_)
        listeners = np.array([name.startswith(_LISTENERS) for name in names], np.bool_)
        counts = _totals(view, ids[~own], since, until, Statistic.COUNT)
        sums = _totals(view, ids[listeners], since, until, Statistic.SUM)
        assert view.problems() == []
        files = [path for path in data.rglob("*") if path.is_file()]
        return cls(
            by_sender(names[~own], counts),
            {name.removeprefix(_LISTENERS): total for name, total in zip(names[listeners], sums, strict=True)},
            len(files),
            sum(path.stat().st_size for path in files),
        )

    def booked(self, source: str) -> dict[str, float]:
        """What the ledger wrote of a source: sums by word."""
        head = component(source) + "."
        return {name.removeprefix(head): total for name, total in self.ledger.items() if name.startswith(head)}


def _totals(view: StoreView, ids: NDArray[np.int32], since_s: int, until_s: int, statistic: Statistic) -> list[float]:
    """A statistic of each series, added up over all slots; some series at a time, as an hour has many slots."""
    found: list[float] = []
    for first in range(0, len(ids), _SERIES_AT_ONCE):
        some = ids[first : first + _SERIES_AT_ONCE]
        found += np.nansum(view.read(some, since_s, until_s, 10, (statistic,))[statistic], axis=1).tolist()
    return found
