"""Carbon's lines, ``name value timestamp``; `tallystick.parse.carbon` tells the rules, which are the same here."""

from collections.abc import Iterator

from tallystick.agent.doors.numbers import milliseconds, number
from tallystick.agent.doors.sample import Read, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason


def words_of(line: bytes) -> list[bytes]:
    """The words of a line without its newline, which spaces and tabs part."""
    return [word for word in line.removesuffix(b"\r").replace(b"\t", b" ").split(b" ") if word]


def is_fit(word: bytes) -> bool:
    """Whether a name can hold the word: no blanks, no control characters, UTF-8."""
    if any(byte <= 0x20 or byte == 0x7F for byte in word):
        return False
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_carbon(line: bytes, now_ms: int) -> Iterator[Read]:
    """The sample of a line."""
    words = words_of(line)
    if len(words) == 3:
        yield _sample(words, now_ms)
    elif words:
        yield Reason.FIELDS


def _sample(words: list[bytes], now_ms: int) -> Read:
    name, value_text, time_text = words
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if not is_fit(name):
        return Reason.NAME_BYTES
    value = number(value_text)
    if isinstance(value, Reason):
        return value
    at_ms = milliseconds(time_text, now_ms)
    return Reason.TIMESTAMP if at_ms is None else Sample(name, Kind.GAUGE, value, at_ms)
