"""Names of series: dotted, with optional tags in Graphite's form, ``disk.used;host=web1;rack=a1``."""

import re

NAME_BYTES_MAX = 1024
"""Longer names are rejected by every parser."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def canonical(name: str) -> str:
    """The one spelling of a name: tags sorted by key, a tag given twice keeps its last value.

    Parameters
    ----------
    name
        As sent, for instance ``disk.used;rack=a1;host=web1``.

    Returns
    -------
    str
        ``disk.used;host=web1;rack=a1``.

    Raises
    ------
    ValueError
        If the path is empty or a tag is not ``key=value`` with both parts.
    """
    if ";" not in name:
        if not name:
            raise ValueError("cannot use an empty name")
        return name
    path, *pairs = name.split(";")
    if not path:
        raise ValueError(f"cannot use name {name!r}: nothing stands before the tags")
    tags = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals and value) or value.startswith("~") or any(c in key for c in "!^"):
            raise ValueError(f"cannot use tag {pair!r} of {name!r}: expected key=value")
        tags[key] = value
    return path + "".join(f";{key}={tags[key]}" for key in sorted(tags))


def is_canonical(name: str) -> bool:
    """Whether a name is spelt as `canonical` does, not too long, and of one line that a terminal shows as it is."""
    try:
        is_short = len(name.encode()) <= NAME_BYTES_MAX
        return is_short and _CONTROL.search(name) is None and canonical(name) == name
    except ValueError:
        return False


def tags_of(name: str) -> dict[str, str]:
    """The tags of a canonical name, always with ``name``, as Graphite shows them."""
    if ";" not in name:
        return {"name": name}
    path, *pairs = name.split(";")
    return {"name": path} | dict(pair.split("=", 1) for pair in pairs if "=" in pair)
