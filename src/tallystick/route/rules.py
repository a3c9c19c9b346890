"""What happens to a name before it becomes a series: normal form, then the rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate

from tallystick.model.name import NAME_BYTES_MAX, canonical
from tallystick.model.reason import Reason

_UNUSABLE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do with names of one shape.

    Parameters
    ----------
    match
        A glob for the whole name; ``*`` crosses dots.
    rename
        A regular expression and its replacement (``\\1`` for groups), applied wherever it is found in the name.
    block
        Reject samples of these names.
    """

    match: str = "*"
    rename: tuple[str, str] | None = None
    block: bool = False


class Naming:
    """All rules, compiled: from the name that was sent to the name of the series.

    Raises
    ------
    re.error
        If a regular expression of a rule cannot be compiled; the config checks them earlier.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [
            (re.compile(translate(rule.match)), re.compile(rule.rename[0]) if rule.rename else None, rule)
            for rule in rules
        ]

    def name(self, sent: str) -> str | Reason:
        """The series' canonical name, or why there is none. Rules apply in order, each to what the last one made."""
        name = normal(sent)
        for matching, renaming, rule in self._rules:
            if isinstance(name, Reason):
                return name
            if matching.match(name):
                if rule.block:
                    return Reason.BLOCKED
                if renaming is not None and rule.rename is not None:
                    name = normal(renaming.sub(rule.rename[1], name))
        return name


def normal(name: str) -> str | Reason:
    """A name without empty components and with its tags in canonical order, or why it cannot be used."""
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
