"""The normal form of names, which they have before the rules and after each of them."""

import re

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameArrays
from tallystick.kernels.packed import Names
from tallystick.kernels.routing import TAGS_MAX, write_normal
from tallystick.kernels.words import PADDING
from tallystick.model.name import NAME_BYTES_MAX, canonical
from tallystick.model.reason import Reason

_PLAIN = re.compile(r"[!-\-/-:<-~]+(?:\.[!-\-/-:<-~]+)*")  # ASCII that can be seen, without tags
_UNUSABLE = re.compile(r"[\x00-\x20\x7f]")


def normal(name: str) -> str | Reason:
    """A name without empty components and with its tags in canonical order, or why it cannot be used."""
    if len(name) <= NAME_BYTES_MAX and _PLAIN.fullmatch(name):
        return name
    path, semicolon, tags = name.partition(";")
    if path.startswith(".") or path.endswith(".") or ".." in path:
        path = ".".join(component for component in path.split(".") if component)
    if not path:
        return Reason.NAME_EMPTY
    if len(name) > NAME_BYTES_MAX or len(name.encode()) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if _UNUSABLE.search(name):
        return Reason.NAME_BYTES
    try:
        return canonical(path + semicolon + tags)
    except ValueError:
        return Reason.TAG


def in_normal_form(table: NameArrays, entries: NDArray[np.int32]) -> tuple[Names, NDArray[np.uint8]]:
    """The normal forms of those entries that have one, and a `Reason` for each entry."""
    room = int((table.offsets[entries + 1] - table.offsets[entries]).sum()) + PADDING
    out, ends = np.zeros(room, np.uint8), np.empty(len(entries) + 1, np.int64)
    tags, faults = np.empty((TAGS_MAX, 3), np.int64), np.empty(len(entries), np.uint8)
    written = write_normal(table.arena, table.offsets, entries, tags, out, ends, faults)
    return Names(out[: ends[written] + PADDING], ends[: written + 1]), faults
