"""The series file: what series there are, record by record: defined, renamed, forgotten."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Buffer, Files
from tallystick.kernels.packed import Names
from tallystick.store.log import codec
from tallystick.store.log.codec import SeriesRecord
from tallystick.store.log.record import Record, Scan, frame
from tallystick.store.names.catalog import SeriesCatalog

SERIES_AT_ONCE = 65_536
DEAD_DEFINITIONS_MIN = 4096
"""The file is written anew when so many of its entries, and most of them, count no more."""
RECOVERED = b"recovered.series."
"""How the name of a series begins whose own name was lost; its id follows."""


def read_records(scan: Scan) -> Iterator[SeriesRecord]:
    """What the records of a series file say, in their order; definitions that follow each other come together."""
    gathered: list[SeriesRecord] = []
    n = 0
    for record in map(codec.decode_series, filter(len, scan)):  # an empty one marks an end in order
        if gathered and (record.type != codec.DEFINE or n >= SERIES_AT_ONCE):
            yield _joined(gathered)
            gathered, n = [], 0
        if record.type == codec.DEFINE:
            gathered.append(record)
            n += len(record.ids)
        else:
            yield record
    if gathered:
        yield _joined(gathered)


def _joined(records: list[SeriesRecord]) -> SeriesRecord:
    return SeriesRecord(
        codec.DEFINE,
        np.concatenate([record.ids for record in records]),
        Names.joined(record.names for record in records),
        np.concatenate([record.kinds for record in records]),
    )


def write_series(
    path: Path,
    ids: NDArray[np.int32],
    names: Names,
    kinds: NDArray[np.uint8],
    dead: NDArray[np.int32],
    files: Files,
) -> None:
    """Write the file anew: these series, and those that are dead while something still refers to their ids."""

    def content() -> Iterator[Buffer]:
        for first in range(0, len(ids), SERIES_AT_ONCE):
            part = slice(first, first + SERIES_AT_ONCE)
            yield from frame(Record(codec.encode_define(ids[part], names.part(part), kinds[part])))
        if len(dead):
            yield from frame(Record(codec.encode_forget(dead)))
        yield from frame(Record([]))

    files.write_whole(path, content())


def recovered_names(ids: NDArray[np.int32]) -> Names:
    """The names that series get whose own were lost."""
    return Names.of_bytes([RECOVERED + b"%d" % series for series in ids.tolist()])


class Found(Protocol):
    """What was found in a series file, and what is to be in it."""

    catalog: SeriesCatalog
    definitions: int
    torn: bool
    damaged: bool

    @property
    def dead(self) -> NDArray[np.int32]:
        """Ids that are no series any more and that something still refers to."""
        ...


def mend(path: Path, found: Found, files: Files) -> bool:
    """Write a file anew if it was damaged (the old one is kept in ``damaged/``) or most of it counts no more.

    Also if a write was torn so that whole records are behind a gap: what is appended would make damage of it.
    Returns whether it was necessary.
    """
    if found.damaged:
        kept = path.parent / "damaged" / f"{path.name}.{path.stat().st_mtime_ns}"
        if not kept.exists():
            files.link(path, kept)
            files.sync_directory(kept.parent)
    living = len(found.catalog)
    stale = found.definitions - living > max(living, DEAD_DEFINITIONS_MIN)
    if found.damaged or found.torn or stale:
        ids = found.catalog.ids()
        write_series(path, ids, found.catalog.packed_names(ids), found.catalog.kinds(ids), found.dead, files)
        return True
    return False
