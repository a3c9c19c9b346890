"""The normal form of a name, which it has before the rules and after each of them."""

import re

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
