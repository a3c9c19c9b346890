"""What readers of other programs' files share: names from paths, and what such files leave unsaid about their slots."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.model.name import NAME_BYTES_MAX

Column = NDArray[np.float64]

_NOT_IN_A_NAME = re.compile(r"[.;\s\x00-\x1f\x7f]")


def component(text: str) -> str:
    """`text` as one component of a name, as collectd's ``write_graphite`` escapes it: ``web1.lan`` is ``web1_lan``."""
    return _NOT_IN_A_NAME.sub("_", text)


def joined(components: list[str]) -> str:
    """The series' name.

    Raises
    ------
    ValueError
        If it would be empty, longer than a name may be, or has bytes that are no text.
    """
    name = ".".join(c for c in components if c)
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise ValueError(f"cannot name a series {name!r}: its path is not UTF-8") from None
    if not 0 < length <= NAME_BYTES_MAX:
        raise ValueError(f"cannot name a series of {length} bytes; expected 1 to {NAME_BYTES_MAX}")
    return name


def folders_below(
    path: Path, watch: Callable[[str], None] | None = None
) -> Iterator[tuple[tuple[str, ...], list[Path]]]:
    """The files of each directory of a tree, with the directories that lead there; of a single file only that.

    Links to directories are not followed, and what is no file (a pipe, a device) is left out: it may have no end.

    Parameters
    ----------
    watch
        Is told of directories that cannot be listed.
    """
    if not path.is_dir():
        yield (), [path]
        return

    def tell(error: OSError) -> None:
        if watch is not None:
            watch(f"cannot list {error.filename}: {error.strerror}; expected a directory that may be read")

    for folder, folders, names in os.walk(path, onerror=tell):
        folders.sort()
        files = [Path(folder) / name for name in sorted(names)]
        yield Path(folder).relative_to(path).parts, [file for file in files if file.is_file()]
