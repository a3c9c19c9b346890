"""A Graphite tree: a file of whisper for each series, named by its directories.

**Names**: ``servers/web1/cpu.wsp`` is ``servers.web1.cpu``. Series with tags are below ``_tagged``, named by the file:
``disk_DOT_used;host=web1.wsp`` is ``disk.used;host=web1``. carbon can be told to name these files by a hash; what they
are called is then in Graphite's database only, so they are named and passed over.

**Kinds**: a file whose method is ``sum`` is a counter, every other a gauge.

**Statistics**: each point is one sample. Of the methods ``max``, ``min``, ``last`` and the like the coarser points are
what Graphite shows, and of these the maximum of any time stays the maximum; of coarse points that are averages, minimum
and maximum are those of averages: the file has no others.

**Time**: each moment is taken from the finest archive that has it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tallystick.exchange.foreign import component, folders_below, joined
from tallystick.exchange.registry import Watch, reader
from tallystick.exchange.whisper_file import each_moment_once, parse
from tallystick.model.errors import ForeignFileError
from tallystick.model.kind import Kind
from tallystick.model.name import canonical
from tallystick.model.tally import Tally
from tallystick.store.history import History

SUFFIX = ".wsp"
_TAGGED = "_tagged"
_DOT = "_DOT_"
_FILE_BYTES_MAX = 1 << 30
_HASH = re.compile(r"[0-9a-f]{64}")


@reader("whisper")
def read(path: Path, watch: Watch) -> Iterator[History]:
    """What a file, or all files of a tree, hold: a piece for each archive of each file."""
    for folders, files in folders_below(path, watch):
        for file in files:
            if file.suffix == SUFFIX:
                try:
                    content = _content(file)
                    yield from histories(name_of(folders, file.name), content)
                    watch.came(len(content))
                except (ForeignFileError, OSError, ValueError) as cause:
                    watch(f"cannot read {file}: {cause}")


def _content(file: Path) -> bytes:
    size = file.stat().st_size
    if size > _FILE_BYTES_MAX:
        raise ForeignFileError(f"it has {size} bytes; expected at most {_FILE_BYTES_MAX}")
    return file.read_bytes()


def name_of(folders: tuple[str, ...], file_name: str) -> str:
    """The series that a file of a tree is of.

    Raises
    ------
    ValueError
        If the path is no name.
    """
    stem = file_name.removesuffix(SUFFIX)
    if _TAGGED not in folders:
        return joined([component(part) for part in (*folders, stem)])
    if _HASH.fullmatch(stem):
        raise ValueError("its name is a hash of the series' (TAG_HASH_FILENAMES); expected the series' own")
    return canonical(stem.replace(_DOT, "."))


def histories(name: str, content: bytes) -> Iterator[History]:
    """The pieces of one file, finest step first.

    Raises
    ------
    ForeignFileError
        If it is damaged.
    """
    method, archives = parse(content)
    kind = Kind.COUNTER if method == "sum" else Kind.GAUGE
    for archive in each_moment_once(archives):
        n = len(archive.time_s)
        if n:
            slot = archive.time_s // archive.step_s
            yield History([name], [kind], Tally(archive.step_s, np.zeros(n, np.int32), slot, archive.value))
