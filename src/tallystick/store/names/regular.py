"""Regular expressions that somebody wrote, in RE2: time is linear whatever they hold."""

from typing import Any

import re2

from tallystick.model.errors import QueryError


def compiled(text: str, what: str) -> Any:
    """A compiled expression.

    Parameters
    ----------
    what
        What is told of one that cannot be used, as ``regular expression '('``.

    Raises
    ------
    QueryError
        If it cannot be read. RE2 has neither look-around nor back-references.
    """
    options = re2.Options()
    options.log_errors = False  # a slip of who asks is his: it does not belong to the server's log
    try:
        return re2.compile(text, options)
    except re2.error as error:
        cause = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise QueryError(f"cannot use {what}: {cause}; expected RE2 syntax") from error
