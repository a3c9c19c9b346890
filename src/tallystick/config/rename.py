"""``pattern -> replacement``, as rules of names are written."""

import re


def split_rename(text: str) -> tuple[str, str]:
    """Regular expression and replacement of ``pattern -> replacement``.

    Raises
    ------
    ValueError
        If there is no arrow, the expression cannot be compiled, or the replacement names a group that it has not.
    """
    pattern, arrow, replacement = (part.strip() for part in text.partition("->"))
    if not arrow or not pattern:
        raise ValueError(f"{text!r} is no rename; expected 'regular expression -> replacement'")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is broken: {error}; expected a regular expression") from error
    try:
        compiled.sub(replacement, "")
    except (re.error, IndexError) as error:
        raise ValueError(f"{replacement!r} is broken: {error}; expected groups that {pattern!r} has") from error
    return pattern, replacement
