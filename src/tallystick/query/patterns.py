"""Regular expressions that readers write, in RE2: time is linear whatever they hold, so no query hangs the server."""

from functools import lru_cache
from typing import Protocol, cast

import re2

from tallystick.model.errors import QueryError
from tallystick.store.names.regular import compiled

_PATTERN_CHARS_MAX = 1000


class Pattern(Protocol):
    """The part of a compiled expression that is used here."""

    def search(self, text: str) -> object | None:
        """A match anywhere in `text`, or None."""
        ...

    def sub(self, replacement: str, text: str) -> str:
        """`text` with each match replaced."""
        ...


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern:
    """A compiled expression; kept, as one query uses the same for each of its series.

    Raises
    ------
    QueryError
        If it cannot be read. RE2 has neither look-around nor back-references.
    """
    if len(text) > _PATTERN_CHARS_MAX:
        raise QueryError(
            f"cannot use a regular expression of {len(text)} characters: the limit is {_PATTERN_CHARS_MAX}"
        )
    return cast(Pattern, compiled(text, f"regular expression {text!r}"))


def substitute(search: str, replacement: str, text: str) -> str:
    r"""`text` with each match of `search` replaced; ``\1`` in the replacement stands for a group.

    Raises
    ------
    QueryError
        If the expression or the replacement cannot be read.
    """
    try:
        return pattern(search).sub(replacement, text)
    except (IndexError, re2.error) as error:
        raise QueryError(
            f"cannot use replacement {replacement!r} for {search!r}: {error}; expected groups that the expression has"
        ) from error
