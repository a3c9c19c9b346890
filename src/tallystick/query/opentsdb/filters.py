"""OpenTSDB's filters on tags, as tag expressions of the catalog."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import re2

from tallystick.model.errors import QueryError

_CALL = re.compile(r"([a-z_]+)\((.*)\)", re.IGNORECASE | re.DOTALL)
FILTERS_MAX = 50
"""In one query; each looks at all series of the metric."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What the value of a tag must be.

    Parameters
    ----------
    kind
        A name of `FILTER_KINDS`.
    key
        Of the tag.
    text
        What the kind takes: words, a glob, a regular expression.
    group_by
        Whether series are told apart by the tag's value.
    """

    kind: str
    key: str
    text: str
    group_by: bool = False

    def expressions(self) -> tuple[str, ...]:
        """The tag expressions that mean the same."""
        return FILTER_KINDS[self.kind].expressions(self.key, self.text)


@dataclass(frozen=True, slots=True)
class FilterKind:
    """A kind of filters, and what ``/api/config/filters`` says of it."""

    expressions: Callable[[str, str], tuple[str, ...]]
    description: str
    examples: str


def _words(text: str) -> str:
    words = [re2.escape(word) for word in text.split("|") if word]
    if not words:
        raise QueryError(f"Filter must contain more than just a pipe: {text!r}")
    return f"(?:{'|'.join(words)})$"


def _any_of(key: str, text: str) -> tuple[str, ...]:
    return (f"{key}=~{_words(text)}",) if "|" in text else (f"{key}={text}",)


def _glob(text: str) -> str:
    if "*" not in text:
        raise QueryError(f"Filter must contain an asterisk: {text!r}")
    pattern = ".*".join(re2.escape(part) for part in text.split("*"))
    return f"{pattern}$" if text.strip("*") else "."


FILTER_KINDS = {
    "literal_or": FilterKind(_any_of, "The value is one of some words.", "host=literal_or(web01|web02)"),
    "iliteral_or": FilterKind(
        lambda key, text: (f"{key}=~(?i){_words(text)}",),
        "The value is one of some words, in capitals or not.",
        "host=iliteral_or(WEB01|web02)",
    ),
    "not_literal_or": FilterKind(
        lambda key, text: (f"{key}!=~{_words(text)}",),
        "The value is none of some words, or the tag is not there.",
        "host=not_literal_or(web01|web02)",
    ),
    "not_iliteral_or": FilterKind(
        lambda key, text: (f"{key}!=~(?i){_words(text)}",),
        "The value is none of some words, in capitals or not, or the tag is not there.",
        "host=not_iliteral_or(WEB01|web02)",
    ),
    "wildcard": FilterKind(
        lambda key, text: (f"{key}=~{_glob(text)}",),
        "The value matches, where an asterisk is any number of characters; an asterisk alone is any value.",
        "host=wildcard(web*), host=wildcard(web*.example.net)",
    ),
    "iwildcard": FilterKind(
        lambda key, text: (f"{key}=~(?i){_glob(text)}",),
        "The same, in capitals or not.",
        "host=iwildcard(WEB*)",
    ),
    "regexp": FilterKind(
        lambda key, text: (f"{key}=~.", f"{key}=~.*(?:{text})"),
        "Something in the value matches a regular expression.",
        r"host=regexp(web[0-9]+\.(lax|dal)\.example\.net)",
    ),
    "not_key": FilterKind(lambda key, text: (f"{key}=",), "The tag is not there.", "host=not_key()"),
}
"""By name."""


def new_filter(kind: str, key: str, text: str, *, group_by: bool = False) -> Filter:
    """A filter that can be used.

    Raises
    ------
    QueryError
        If there is no such kind, or something is missing.
    """
    kind = kind.lower()
    if kind not in FILTER_KINDS:
        raise QueryError(
            f"Could not find a tag value filter of the type: {kind!r}; expected one of {', '.join(FILTER_KINDS)}"
        )
    if not key:
        raise QueryError("Tagk cannot be null or empty")
    if not text and kind != "not_key":
        raise QueryError("Filter cannot be null or empty")
    found = Filter(kind, key, text, group_by)
    found.expressions()
    return found


def tag_filter(key: str, text: str, *, group_by: bool) -> Filter:
    """What ``key=text`` means where no type is named: ``*``, ``we*``, ``a|b``, ``regexp(...)``.

    Raises
    ------
    QueryError
        If it cannot be read.
    """
    if match := _CALL.fullmatch(text):
        return new_filter(match[1], key, match[2], group_by=group_by)
    if "*" in text:
        return new_filter("wildcard" if text == "*" else "iwildcard", key, text, group_by=group_by)
    return new_filter("literal_or", key, text, group_by=group_by)


def joined_filters(filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """Filters without those that are there twice; one of two that are alike groups if either does.

    Raises
    ------
    QueryError
        If there are more than `FILTERS_MAX`.
    """
    alike: dict[tuple[str, str, str], Filter] = {}
    for one in filters:
        key = (one.kind, one.key, one.text)
        if key not in alike or one.group_by:
            alike[key] = one
    if len(alike) > FILTERS_MAX:
        raise QueryError(f"cannot use {len(alike)} filters: the limit is {FILTERS_MAX}; expected fewer")
    return tuple(alike.values())


def group_keys(filters: Sequence[Filter]) -> tuple[str, ...]:
    """The keys of the tags that series are told apart by, in order."""
    return tuple(sorted({one.key for one in filters if one.group_by}))
