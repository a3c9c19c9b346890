"""OpenTSDB's points as JSON by Python's own reader: the twin of `tallystick.kernels.opentsdb_json`."""

import json
import math
import re
from typing import NoReturn

from reference.carbon import NOT_FINITE, NUMBER
from reference.outcome import Outcome, Sample
from tallystick.kernels.opentsdb_json import DEPTH_MAX
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

TIME = re.compile(r"(\d{1,16})(?:\.(\d+))?", re.ASCII)


class Members(list[tuple[str, object]]):
    """An object's members, as they stand there."""


def refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def parse(text: bytes) -> Outcome:
    """A whole body."""
    outcome = Outcome()
    try:
        points = points_of(text.decode())
    except (ValueError, RecursionError):
        outcome.reject(Reason.ENCODING)
        return outcome
    for point in points:
        outcome.take(sample(point))
    return outcome


def points_of(text: str) -> list[dict[str, object]]:
    if text.startswith("\ufeff"):
        refuse("a byte order mark")
    body = json.loads(text, parse_int=str, parse_float=str, parse_constant=refuse, object_pairs_hook=Members)
    points = [body] if isinstance(body, Members) else body
    if not isinstance(points, list) or not all(isinstance(point, Members) and is_flat(point, 1) for point in points):
        refuse("something else than points")
    return [dict(point) for point in points]


def is_flat(value: object, depth: int) -> bool:
    """Whether it is nested no deeper than the kernel looks."""
    if not isinstance(value, list):
        return True
    inner = (member for _, member in value) if isinstance(value, Members) else value
    return depth <= DEPTH_MAX and all(is_flat(item, depth + 1) for item in inner)


def sample(point: dict[str, object]) -> Sample | Reason:
    metric = written(point.get("metric"))
    if not metric:
        return Reason.NAME_EMPTY
    ms = milliseconds(written(point.get("timestamp")))
    if not 0 < ms <= 9_000_000_000_000_000:
        return Reason.TIMESTAMP
    text = written(point.get("value")).encode()
    if NUMBER.fullmatch(text) is None:
        return Reason.VALUE_NOT_FINITE if NOT_FINITE.fullmatch(text) else Reason.VALUE
    tags = point.get("tags")
    tags = Members() if tags is None else tags
    if not isinstance(tags, Members) or not all(key and written(value) for key, value in tags):
        return Reason.TAG
    parts = [clean(metric), *(f"{clean(key, key=True)}={clean(written(value))}" for key, value in tags)]
    name = ";".join(parts).encode()
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    value = float(text)
    return Sample(name, ms, value, 1.0, int(Kind.GAUGE)) if math.isfinite(value) else Reason.VALUE_NOT_FINITE


def written(value: object) -> str:
    """A string, or what stands for a number or boolean; nothing for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str) else ""


def milliseconds(text: str) -> int:
    match = TIME.fullmatch(text)
    if match is None:
        return 0
    count = int(match[1])
    return count * 1000 + int(f"{match[2] or ''}000"[:3]) if count <= 0xFFFF_FFFF else count


def clean(text: str, *, key: bool = False) -> str:
    return re.sub("[\x00-\x20\x7f;=\ud800-\udfff]" if key else "[\x00-\x20\x7f;\ud800-\udfff]", "_", text)
