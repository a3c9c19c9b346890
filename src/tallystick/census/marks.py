"""`Marks`: when each series came and when it was last read, kept over restarts.

The file beside the store need not be whole: what a crash loses of it are the marks of some minutes, and a series that
was read is marked again when it is read again. Ids may be given to other names meanwhile, so each mark has a
fingerprint of the name that it is of; one that is of another name is forgotten.
"""

import logging
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Files
from tallystick.kernels.census import fingerprints
from tallystick.model.clock import Clock
from tallystick.model.columns import grown
from tallystick.store.names.catalog import SeriesCatalog

logger = logging.getLogger(__name__)

FILE_NAME = "series-marks"
"""In the directory of the store."""

DAY_S = 86400
BEFORE_S = 1
"""When series came that were there before anybody looked."""
SAVE_S = 600.0
"""So often the file is written, and at the end."""
_MAGIC = np.frombuffer(b"TLYMARK1", np.uint8)
_ROW = np.dtype([("id", "<i4"), ("name", "<u4"), ("born_s", "<u4"), ("read_day", "<u2")])


class Marks:
    """Columns by series; any thread may call.

    Parameters
    ----------
    catalog
        Whose series are marked.
    path
        The file; None for one that is not kept.

    Notes
    -----
    Six bytes a series in memory, fourteen in the file. To note a read costs about a nanosecond a series.
    """

    def __init__(self, catalog: SeriesCatalog, clock: Clock, path: Path | None = None) -> None:
        self._catalog = catalog
        self._clock = clock
        self._path = path
        self._files = Files()
        self._lock = threading.Lock()
        self._born_s = np.zeros(64, np.uint32)  # 0: nobody looked yet
        self._read_day = np.zeros(64, np.uint16)  # 0: never
        self.since_s = int(clock.now())
        """Since when reads are noted: what was read before is not known."""
        self._changed = False
        self._looked = False
        self._saved_s = clock.monotonic()
        if path is not None:
            self._load(path)

    def note_read(self, ids: NDArray[np.int32]) -> None:
        """Somebody reads these series."""
        today = int(self._clock.now() // DAY_S)
        if len(ids):
            with self._lock:
                self._grow(int(ids.max()) + 1)
                self._read_day[ids] = today
                self._changed = True

    def look(self, ids: NDArray[np.int32]) -> None:
        """Mark those of all living series that are new as born now; to be called now and then.

        What is there when nobody has looked yet came before.
        """
        with self._lock:
            self._grow(int(ids.max(initial=-1)) + 1)
            fresh = ids[self._born_s[ids] == 0]
            if len(fresh):
                self._born_s[fresh] = int(self._clock.now()) if self._looked else BEFORE_S
                self._changed = True
            self._looked = True

    def forget(self, ids: NDArray[np.int32]) -> None:
        """These ids may be other series' from now on."""
        with self._lock:
            known = ids[ids < len(self._born_s)]
            self._born_s[known] = self._read_day[known] = 0
            self._changed = True

    def born_s(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """When each of some series came, as far as is known: epoch seconds, 0 where nobody looked yet."""
        with self._lock:
            self._grow(int(ids.max(initial=-1)) + 1)
            return self._born_s[ids].astype(np.int64)

    def read_day(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """The day since the epoch on which each of some series was last read; 0 where it was not."""
        with self._lock:
            self._grow(int(ids.max(initial=-1)) + 1)
            return self._read_day[ids].astype(np.int64)

    def save(self, after_s: float = 0.0) -> None:
        """Write the file anew if anything changed; a disk that refuses is tried again at the next call.

        Parameters
        ----------
        after_s
            Only if so much time has passed since the last one.
        """
        now_s = self._clock.monotonic()
        if self._path is None or not self._changed or now_s - self._saved_s < after_s:
            return
        self._changed, self._saved_s = False, now_s
        try:
            head = _MAGIC.tobytes() + self.since_s.to_bytes(8, "little")
            self._files.write_whole(self._path, [head, self._rows().tobytes()])
        except OSError as error:
            self._changed = True
            logger.warning("cannot write %s: %s", self._path, error.strerror)

    def _rows(self) -> NDArray[np.void]:
        ids = self._catalog.ids()
        rows = np.zeros(len(ids), _ROW)
        rows["id"], rows["name"] = ids, self._fingerprints(ids)
        rows["born_s"], rows["read_day"] = self.born_s(ids), self.read_day(ids)
        return rows

    def _load(self, path: Path) -> None:
        try:
            since_s, rows = _read(path)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            logger.warning("cannot use %s: %s; what was read before is not known", path, error)
            return
        living = self._catalog.ids()
        rows = rows[np.isin(rows["id"], living)]
        rows = rows[self._fingerprints(rows["id"]) == rows["name"]]
        self._grow(int(rows["id"].max(initial=-1)) + 1)
        self._born_s[rows["id"]], self._read_day[rows["id"]] = rows["born_s"], rows["read_day"]
        self.since_s, self._looked = since_s, True

    def _fingerprints(self, ids: NDArray[np.int32]) -> NDArray[np.uint32]:
        names = self._catalog.packed_names(ids)
        out = np.empty(len(names), np.uint32)
        fingerprints(names.arena, names.offsets, out)
        return out

    def _grow(self, needed: int) -> None:
        self._born_s, self._read_day = grown(self._born_s, needed), grown(self._read_day, needed)


def _read(path: Path) -> tuple[int, NDArray[np.void]]:
    data = path.read_bytes()
    head = len(_MAGIC) + 8
    if not data.startswith(_MAGIC.tobytes()) or (len(data) - head) % _ROW.itemsize:
        raise ValueError("it is not of this version or cut off")
    rows = np.frombuffer(data, _ROW, offset=head)
    if len(rows) and int(rows["id"].min()) < 0:
        raise ValueError("it has negative ids")
    return int.from_bytes(data[len(_MAGIC) : head], "little"), rows
