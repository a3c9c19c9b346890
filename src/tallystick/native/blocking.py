"""`Blocking`: the names that a server told its senders not to send."""

import re
from collections.abc import Sequence
from fnmatch import translate

_DECIDED_MAX = 100_000


class Blocking:
    """Whether names are blocked; by default none is.

    Parameters
    ----------
    version
        Of the server's list.
    patterns
        Globs for whole names; ``*`` crosses dots.
    """

    def __init__(self, version: int = 0, patterns: Sequence[str] = ()) -> None:
        self.version = version
        self.patterns = tuple(patterns)
        self._matching = re.compile("|".join(map(translate, patterns))) if patterns else None
        self._decided: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return self._matching is not None

    def blocks(self, name: str) -> bool:
        """Whether slots of this name are not to be sent."""
        if self._matching is None:
            return False
        found = self._decided.get(name)
        if found is None:
            if len(self._decided) >= _DECIDED_MAX:
                self._decided.clear()
            found = self._decided[name] = self._matching.match(name) is not None
        return found


NOTHING_BLOCKED = Blocking()
