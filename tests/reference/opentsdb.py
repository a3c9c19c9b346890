"""OpenTSDB's lines as its page says them: the twin of `tallystick.kernels.opentsdb`."""

import math
import re

from reference.carbon import NUMBER, is_hard, is_utf8, milliseconds, number
from reference.outcome import Outcome, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

SECONDS_MAX = 0xFFFF_FFFF


def parse(text: bytes, now_ms: int, line_bytes_max: int) -> Outcome:
    """Everything in `text`, whose end ends the last line; commands yield nothing."""
    outcome = Outcome()
    for line in text.split(b"\n"):
        if len(line) > line_bytes_max:
            outcome.reject(Reason.LINE_LONG)
            continue
        words = [word for word in re.split(rb"[ \t]", line.removesuffix(b"\r")) if word]
        if words and words[0] == b"put":
            outcome.take(sample(words[1:], now_ms))
    return outcome


def sample(words: list[bytes], now_ms: int) -> Sample | Reason:
    """The sample of the words behind ``put``, or the first reason why there is none."""
    if len(words) < 3:
        return Reason.FIELDS
    metric, time_text, value_text, *tags = words
    if not fit(metric):
        return Reason.NAME_BYTES
    name = metric
    for tag in tags:
        key, _, value = tag.partition(b"=")
        if not key or not value or b";" in tag:
            return Reason.TAG
        if not fit(tag):
            return Reason.NAME_BYTES
        name += b";" + tag
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    value = number(value_text)
    ms = milliseconds(time_text, now_ms)
    # A number that is left to Python is known to be too large only once the rest of the line was found to be good.
    late = value is Reason.VALUE_NOT_FINITE and NUMBER.fullmatch(value_text) and is_hard(value_text, math.inf)
    if isinstance(value, Reason) and not (late and ms is None):
        return value
    if ms is None:
        return Reason.TIMESTAMP
    return Sample(name, ms // 1000 if ms > SECONDS_MAX * 1000 else ms, value, 1.0, int(Kind.GAUGE))


def fit(word: bytes) -> bool:
    """Whether a name can hold the word."""
    return all(byte > 0x20 and byte != 0x7F for byte in word) and is_utf8(word)
