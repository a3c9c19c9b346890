"""`Marks`: which series came by StatsD, known also after a restart.

Kinds alone do not tell: gauges come by many protocols, and a dashboard's ``stats.gauges.*`` is to show StatsD's only.
The file beside the store holds the names, a line each. It is not needed to be whole: a series is marked anew by its
next sample, so what a crash loses of it are keys that fell silent in the seconds before.
"""

import contextlib
import logging
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Files
from tallystick.model.columns import grown
from tallystick.store.contract import StoreReader

logger = logging.getLogger(__name__)


class Marks:
    """A bit for each series; any thread may call.

    Parameters
    ----------
    store
        Whose series are marked.
    path
        The file; None for one that is not kept.
    """

    def __init__(self, store: StoreReader, path: Path | None = None) -> None:
        self._store = store
        self._path = path
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._marked = np.zeros(1024, np.bool_)
        self._unsaved: list[NDArray[np.int32]] = []
        self._stale = False
        if path is not None:
            self._load(path)

    def note(self, ids: NDArray[np.int32]) -> None:
        """Mark the series of samples that came by StatsD."""
        marked = self._marked
        if not len(ids) or (int(ids.max()) < len(marked) and marked[ids].all()):
            return
        with self._lock:
            self._mark(ids)

    def forget(self, ids: NDArray[np.int32]) -> None:
        """Unmark series that are no more: others get their ids."""
        with self._lock:
            known = ids[ids < len(self._marked)]
            if self._marked[known].any():
                self._marked[known] = False
                self._stale = True

    def of(self, ids: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether each of some series is marked."""
        marked = self._marked
        inside = ids < len(marked)
        return inside & marked[np.where(inside, ids, 0)]

    def ids(self) -> NDArray[np.int32]:
        """All that are marked, ascending."""
        return np.flatnonzero(self._marked).astype(np.int32)

    def save(self) -> None:
        """Write what is not in the file yet."""
        if self._path is None:
            return
        with self._saving:
            with self._lock:
                stale, unsaved = self._stale, self._unsaved
                self._stale, self._unsaved = False, []
            try:
                self._write(self._path, stale=stale, unsaved=unsaved)
            except OSError as error:
                self._stale = True  # all of it is written once the disk takes it
                logger.warning("cannot write %s: %s", self._path, error.strerror)

    def _write(self, path: Path, *, stale: bool, unsaved: list[NDArray[np.int32]]) -> None:
        if stale:
            Files().write_whole(path, [self._lines(self.ids())])
        elif unsaved:
            path.touch(0o640)
            with path.open("ab") as file:
                file.write(self._lines(np.concatenate(unsaved)))

    def _mark(self, ids: NDArray[np.int32]) -> None:
        self._marked = grown(self._marked, int(ids.max(initial=-1)) + 1)
        new = np.unique(ids[~self._marked[ids]])
        self._marked[new] = True
        self._unsaved.append(new)

    def _lines(self, ids: NDArray[np.int32]) -> bytes:
        names = self._store.catalog.names(ids)
        return "".join(f"{name}\n" for name in names if name).encode()

    def _load(self, path: Path) -> None:
        named: set[str] = set()
        with contextlib.suppress(FileNotFoundError):
            named = set(path.read_text("utf-8", "replace").split("\n")[:-1])
        if named:
            ids = self._store.catalog.ids()
            found = [i for i, name in zip(ids.tolist(), self._store.catalog.names(ids), strict=True) if name in named]
            self._mark(np.array(found, np.int32))
            self._unsaved, self._stale = [], len(found) < len(named)
