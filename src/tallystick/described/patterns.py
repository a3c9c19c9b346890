"""`Pattern`: a glob that single names are held against, where the catalog finds many names by one."""

from tallystick.store.names.glob import Glob, split


class Pattern:
    """A glob of names; one without tags is for whatever tags a name has.

    Raises
    ------
    QueryError
        If it cannot be read.
    """

    def __init__(self, text: str) -> None:
        self._has_tags = ";" in text
        self._ways: list[list[Glob]] = split(text)

    @property
    def is_name(self) -> bool:
        """Whether it is one name and nothing else."""
        return len(self._ways) == 1 and all(glob.literal is not None for glob in self._ways[0])

    def matches(self, name: str) -> bool:
        """Whether `name` is meant."""
        path, semicolon, tags = name.partition(";")
        parts = path.split(".")
        if self._has_tags:
            parts[-1] += semicolon + tags
        return any(len(way) == len(parts) and _match(way, parts) for way in self._ways)


def _match(way: list[Glob], parts: list[str]) -> bool:
    for glob, part in zip(way, parts, strict=True):
        if glob.literal is None:
            if not glob.matches([part])[0]:
                return False
        elif glob.literal != part:
            return False
    return True
