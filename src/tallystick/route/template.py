"""`Template`: what a regular expression found becomes, with groups and with fields in braces."""

import re
from collections.abc import Mapping

from tallystick.config.rules import split_template

_FIELD = re.compile(r"{(\w+)}")
_GROUP = re.compile(r"\\(?:g<(\w+)>|(\d{1,2}))")
Piece = str | int | tuple[str]
"""Text as it is; a group by its number; a field by its name, alone in a tuple."""


class Template:
    """``\\1`` and ``\\g<name>`` are groups, ``{host}`` is a field.

    Parameters
    ----------
    pattern
        A regular expression; the empty one is found at the beginning of everything.
    text
        The template.
    with_fields
        Whether braces are fields; carbon has none.

    Notes
    -----
    It is taken apart once: what the standard library makes of a template costs forty microseconds each time that fields
    make it another one.
    """

    def __init__(self, pattern: str, text: str, *, with_fields: bool = True) -> None:
        self._pattern = re.compile(pattern)
        self._text = text
        self.fields = frozenset(_FIELD.findall(text)) if with_fields else frozenset()
        """The fields that it asks for."""
        self._pieces = list(_pieces(text, self._pattern)) if self.fields else []

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Of ``expression -> template``, or of a template alone."""
        return cls(*split_template(text))

    def replaced(self, name: str, fields: Mapping[str, str]) -> str:
        """The name with every place that is found replaced."""
        if not self.fields:
            return self._pattern.sub(self._text, name)
        return self._pattern.sub(lambda found: self._expanded(found, fields), name)

    def made(self, text: str, fields: Mapping[str, str]) -> str | None:
        """What the first place found becomes, by itself; None if there is none."""
        found = self._pattern.search(text)
        if found is None:
            return None
        return self._expanded(found, fields) if self.fields else found.expand(self._text)

    def renamed(self, name: str, fields: Mapping[str, str]) -> str | None:
        """A name for another: replaced where there is an expression, which has to be found, else made anew."""
        if not self._pattern.pattern:
            return self.made(name, fields)
        return self.replaced(name, fields) if self._pattern.search(name) else None

    def _expanded(self, found: re.Match[str], fields: Mapping[str, str]) -> str:
        parts: list[str] = []
        for piece in self._pieces:
            if isinstance(piece, str):
                parts.append(piece)
            elif isinstance(piece, int):
                parts.append(found[piece] or "")
            else:
                parts.append(fields[piece[0]])
        return "".join(parts)


def _pieces(text: str, pattern: re.Pattern[str]) -> list[Piece]:
    """A template taken apart; what is no group or field means what it means to the standard library."""
    pieces: list[Piece] = []
    for k, part in enumerate(_FIELD.split(text)):
        if k % 2:
            pieces.append((part,))
            continue
        at = 0
        for group in _GROUP.finditer(part.replace(r"\\", "\0\0")):  # of doubled backslashes none begins a group
            pieces.append(_plain(part[at : group.start()]))
            word = group[1] or group[2]
            pieces.append(int(word) if word.isdigit() else pattern.groupindex[word])
            at = group.end()
        pieces.append(_plain(part[at:]))
    return [piece for piece in pieces if piece != ""]


def _plain(text: str) -> str:
    """Text with its escapes undone."""
    return re.sub("", text, "", count=1) if "\\" in text else text
