"""What tables of the config have in common."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from tallystick.config.places import KeyPath

Conflict = tuple[KeyPath, str]
"""A key, and why its value does not fit together with others: cause and expectation."""


def key(description: str, check: Callable[[Any], object] | None = None, **limits: Any) -> msgspec.Meta:
    """What is known of a key: its comment in the sample, what `check` refuses by a ValueError, and msgspec's limits."""
    return msgspec.Meta(description=description, extra={"check": check} if check else None, **limits)


def one_of(what: str, words: tuple[str, ...]) -> Callable[[str], None]:
    """A check that a word is one of `words`."""

    def check(word: str) -> None:
        if word not in words:
            raise ValueError(f"there is no {what} {word!r}; expected one of {', '.join(words)}")

    return check


def word(text: str) -> None:
    """Check what becomes one component of a name, if it is not empty.

    Raises
    ------
    ValueError
        If it cannot be one as it is.
    """
    if text and not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError(f"{text!r} is no component of a name; expected letters, digits, _ and -")


def expression(text: str) -> re.Pattern[str]:
    """A regular expression.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is broken: {error}; expected a regular expression") from None


def start_of_names(text: str) -> None:
    """Check what is to stand before names.

    Raises
    ------
    ValueError
        If no name can begin so.
    """
    if text.strip(".") != text or any(c.isspace() or not c.isprintable() or c in ";*?[]{}" for c in text):
        raise ValueError(f"{text!r} cannot stand before names; expected words with dots between them")


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the config."""

    def conflicts(self) -> Iterator[Conflict]:
        """Where keys that are right each for itself do not fit together."""
        return iter(())


def toml(value: Any) -> str:
    """A value on one line; JSON's strings, numbers and booleans are TOML's, too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {toml(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(entry) for entry in value) + "]"
    if isinstance(value, str) and "\\" in value and "'" not in value:
        return f"'{value}'"  # regular expressions read best without doubled backslashes
    return json.dumps(value)


def _key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml(name)


def foreign_keys(
    item: Table, unset: Table, options: Mapping[str, tuple[str, ...]], protocol: str
) -> Iterator[Conflict]:
    """Keys of an item that are set, and that only other protocols have.

    Parameters
    ----------
    unset
        The same item with nothing but what it needs.
    options
        Which protocols have a key, where not all have it.
    """
    for option, having in sorted(options.items()):
        if protocol not in having and getattr(item, option) != getattr(unset, option):
            yield (option,), f"{protocol} has no such key; expected it for {' or '.join(having)}"


def foreign_scheme(address: str, schemes: tuple[str, ...], protocol: str) -> Iterator[Conflict]:
    """That a protocol is not spoken over what its address says, if it is not."""
    scheme = address.partition("://")[0]
    if scheme not in schemes:
        yield ("address",), f"{protocol} is not spoken over {scheme}; expected {' or '.join(schemes)}"
