"""OpenTSDB's lines, ``put metric timestamp value key=value ...``, and the commands that its senders try.

`tallystick.parse.opentsdb` tells the rules, which are the same here.
"""

from collections.abc import Iterator

from tallystick.agent.doors.carbon import is_fit, words_of
from tallystick.agent.doors.numbers import milliseconds, number
from tallystick.agent.doors.sample import Read, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.version import __version__

_SECONDS_MAX = 0xFFFF_FFFF  # a larger timestamp is in milliseconds
_TEXT_BYTES_MAX = 200
_ANSWERS = {
    b"version": f"tallystick {__version__}, which takes what net.opentsdb.tools takes".encode(),
    b"help": b"available commands: put version help stats exit",
}


def read_put(line: bytes, now_ms: int) -> Iterator[Read]:
    """The sample of a line; none of a command."""
    command, *words = words_of(line) or [b""]
    if command == b"put":
        yield _sample(words, now_ms)


def answer_of(line: bytes, stats: bytes) -> bytes | None:
    """What a command is answered, None if it is ``exit``; nothing where there is no command.

    Parameters
    ----------
    stats
        The answer to ``stats``, without its last newline.
    """
    command = (words_of(line) or [b"put"])[0]
    if command == b"put":
        return b""
    if command == b"exit":
        return None
    if command == b"stats":
        return stats + b"\n"
    return _ANSWERS.get(command, b"unknown command: " + command[:_TEXT_BYTES_MAX] + b".  Try `help'.") + b"\n"


def answer_to_fault(line: bytes, reason: Reason) -> bytes:
    """What a ``put`` that is no good is answered."""
    text = line[:_TEXT_BYTES_MAX].strip()
    return b"put: illegal argument: " + reason.name.lower().replace("_", " ").encode() + b": " + text + b"\n"


def _sample(words: list[bytes], now_ms: int) -> Read:
    if len(words) < 3:
        return Reason.FIELDS
    metric, time_text, value_text, *tags = words
    if not is_fit(metric):
        return Reason.NAME_BYTES
    for tag in tags:
        key, _, value = tag.partition(b"=")
        if not key or not value or b";" in tag:
            return Reason.TAG
        if not is_fit(tag):
            return Reason.NAME_BYTES
    name = b";".join([metric, *tags])
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    return _at(name, number(value_text), milliseconds(time_text, now_ms))


def _at(name: bytes, value: float | Reason, at_ms: int | None) -> Read:
    if isinstance(value, Reason):
        return value
    if at_ms is None:
        return Reason.TIMESTAMP
    return Sample(name, Kind.GAUGE, value, at_ms // 1000 if at_ms > _SECONDS_MAX * 1000 else at_ms)
