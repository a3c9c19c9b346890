"""`Event`: something that happened at a moment."""

from dataclasses import dataclass

WHAT_CHARS_MAX = 1024
TAG_CHARS_MAX = 255
DATA_CHARS_MAX = 1 << 16
TAGS_MAX = 64
ONCE_CHARS_MAX = 64
"""Of the word by which a sender has an event kept once."""
TIME_S_MAX = 253402300799
"""The end of the year 9999: later times cannot be written as a date."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Parameters
    ----------
    id
        Given by the store, ascending, never given twice.
    time_s
        Epoch seconds.
    what
        A line that says what happened.
    tags
        Words without blanks, each once, as the sender ordered them.
    data
        Whatever belongs to it, often a text of several lines.
    """

    id: int
    time_s: int
    what: str
    tags: tuple[str, ...] = ()
    data: str = ""


def split_tags(text: str) -> tuple[str, ...]:
    """The tags of a text, in which blanks or commas part them; each once."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))
