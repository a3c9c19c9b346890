"""Error lines by what they have in common: numbers, names and addresses taken out, a line is one of a few kinds.

The kinds of a log are counted, and the last examples of each are kept for whoever asks.
"""

import re
import zlib
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from tallystick.model.printable import printable

KINDS_MAX = 100
"""Kinds of a log that are told apart; for a further one the kind that was seen longest ago is forgotten."""
EXAMPLES_MAX = 3
EXAMPLE_CHARS_MAX = 500

ERROR = re.compile(
    rb"\b(?:error|err|crit(?:ical)?|alert|emerg(?:ency)?|fatal|panic|severe|exception|traceback)\b"
    rb"|\b\w+(?:Error|Exception)\b|\[(?:\w+:)?(?:error|crit|alert|emerg)\]",
    re.IGNORECASE,
)
"""What a line has that tells of an error, unless the config says otherwise."""

# In this order: what is longer goes before its parts do.
_VARIABLE = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\[\w{3} \w{3} +\d+ \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\]|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"), "<time>"),
    (re.compile(r"\b\w{3} +\d{1,2} \d\d:\d\d:\d\d\b"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}\b"), "<address>"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "<mail>"),
    (re.compile(r"\b\w+://[^\s\"'<>]+"), "<url>"),
    (re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"), "<text>"),
    (re.compile(r"(?<![\w.])/(?:[\w.@%+~-]+/)*[\w.@%+~-]+"), "<path>"),
    (re.compile(r"\b(?:0x)?(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b"), "<id>"),
    (re.compile(r"(?<![A-Za-z])[+-]?\d+(?:\.\d+)*(?:[eE][+-]?\d+)?"), "<n>"),
]


@dataclass(slots=True)
class ErrorKind:
    """Lines that differ only in what varies.

    Parameters
    ----------
    fingerprint
        Eight hexadecimal digits, the same on every host.
    shape
        The line with its varying parts replaced.
    count
        Lines since it was first seen by this process.
    first_s, last_s
        Epoch seconds of the first and the last.
    examples
        The last lines, as they were.
    """

    fingerprint: str
    shape: str
    count: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    examples: deque[str] = field(default_factory=lambda: deque(maxlen=EXAMPLES_MAX))


def shape_of(line: str) -> str:
    """The line without what varies from one to the next of its kind."""
    for pattern, word in _VARIABLE:
        line = pattern.sub(word, line)
    return " ".join(line.split())[:EXAMPLE_CHARS_MAX]


class ErrorKinds:
    """The kinds of errors of one log, `KINDS_MAX` at most."""

    def __init__(self) -> None:
        self._kinds: OrderedDict[str, ErrorKind] = OrderedDict()  # that seen last comes last

    def add(self, line: bytes, at_s: float) -> ErrorKind:
        """Count a line, and give its kind."""
        text = printable(line[: 4 * EXAMPLE_CHARS_MAX].decode("utf-8", "replace"))
        shape = shape_of(text)
        fingerprint = f"{zlib.crc32(shape.encode()):08x}"
        kind = self._kinds.get(fingerprint)
        if kind is None:
            kind = self._kinds[fingerprint] = ErrorKind(fingerprint, shape, first_s=at_s)
            if len(self._kinds) > KINDS_MAX:
                self._kinds.popitem(last=False)
        self._kinds.move_to_end(fingerprint)
        kind.count += 1
        kind.last_s = at_s
        kind.examples.append(text[:EXAMPLE_CHARS_MAX])
        return kind

    def __iter__(self) -> Iterator[ErrorKind]:
        return iter(list(self._kinds.values()))
