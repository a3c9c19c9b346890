"""`Template`: what a regular expression found becomes, with groups and with fields in braces."""

import re
from collections.abc import Mapping

from tallystick.config.rules import split_template

_FIELD = re.compile(r"{(\w+)}")


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
    """

    def __init__(self, pattern: str, text: str, *, with_fields: bool = True) -> None:
        self._pattern = re.compile(pattern)
        self._text = text
        self.fields = frozenset(_FIELD.findall(text)) if with_fields else frozenset()
        """The fields that it asks for."""

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Of ``expression -> template``, or of a template alone."""
        return cls(*split_template(text))

    def replaced(self, name: str, fields: Mapping[str, str]) -> str:
        """The name with every place that is found replaced."""
        return self._pattern.sub(self._filled(fields), name)

    def made(self, text: str, fields: Mapping[str, str]) -> str | None:
        """What the first place found becomes, by itself; None if there is none."""
        found = self._pattern.search(text)
        return None if found is None else found.expand(self._filled(fields))

    def renamed(self, name: str, fields: Mapping[str, str]) -> str | None:
        """A name for another: replaced where there is an expression, which has to be found, else made anew."""
        if not self._pattern.pattern:
            return self.made(name, fields)
        return self.replaced(name, fields) if self._pattern.search(name) else None

    def _filled(self, fields: Mapping[str, str]) -> str:
        if not self.fields:
            return self._text
        return _FIELD.sub(lambda field: fields[field[1]].replace("\\", r"\\"), self._text)
