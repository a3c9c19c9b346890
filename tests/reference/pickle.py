"""Carbon's pickled frames as its receiver reads them, with Python's own unpickler: the twin of `kernels.pickle`."""

import io
import math
import pickle

from reference import carbon
from reference.outcome import Outcome, Sample
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason


class Plain(pickle.Unpickler):
    """Refuses everything that is not built in."""

    def find_class(self, module: str, name: str) -> object:
        raise pickle.UnpicklingError(f"{module}.{name}")


def parse(frame: bytes, now_ms: int) -> Outcome:
    """What a frame holds; a frame that cannot be unpickled is one reject."""
    outcome = Outcome()
    try:
        items = Plain(io.BytesIO(frame)).load()
    except Exception:
        items = None
    if not isinstance(items, list | tuple):
        outcome.reject(Reason.FRAME)
        return outcome
    for item in items:
        outcome.take(sample(item, now_ms))
    return outcome


def sample(item: object, now_ms: int) -> Sample | Reason:
    if not is_pair(item) or not isinstance(item[0], str | bytes) or not is_pair(item[1]):
        return Reason.FIELDS
    name, (seconds, value) = item
    name = name.encode("utf-8", "surrogatepass") if isinstance(name, str) else name
    if not name:
        return Reason.NAME_EMPTY
    if len(name) > carbon.NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if any(byte <= 0x20 or byte == 0x7F for byte in name) or not carbon.is_utf8(name):
        return Reason.NAME_BYTES
    value = number(value)
    if value is None:
        return Reason.VALUE
    if not math.isfinite(value):
        return Reason.VALUE_NOT_FINITE
    seconds = None if isinstance(seconds, str | bytes) and is_hard(seconds) else number(seconds)
    if seconds is None or not (seconds == -1 or 0 <= seconds <= 9e12):
        return Reason.TIMESTAMP
    ms = now_ms if seconds == -1 else math.floor(seconds * 1000.0)
    return Sample(name, ms, value, 1.0, int(Kind.GAUGE))


def is_pair(item: object) -> bool:
    return isinstance(item, list | tuple) and len(item) == 2


def number(value: object) -> float | None:
    """A number, or a string that is one."""
    if isinstance(value, bool | float):
        return float(value)
    if isinstance(value, int):
        return float(value) if -(1 << 63) <= value < 1 << 63 else None
    if not isinstance(value, str | bytes):
        return None
    text = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return float(text) if carbon.NUMBER.fullmatch(text) else None


def is_hard(value: str | bytes) -> bool:
    """Whether the kernel leaves a number in text to Python, which it does not do for times."""
    text = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return carbon.NUMBER.fullmatch(text) is not None and carbon.is_hard(text, float(text))
