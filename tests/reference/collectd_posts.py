"""What collectd posts as JSON, by Python's own reader: the twin of `tallystick.kernels.collectd_json`."""

import json
import math
from typing import NoReturn

from reference import collectd
from reference.collectd import TEXTS, Options, Texts
from reference.otlp_json import Members, Number, depth_of
from reference.outcome import Outcome, Sample
from tallystick.kernels.json_text import DEPTH_MAX
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

KIND_WORDS = ("counter", "gauge", "derive", "absolute")
NEEDED = {"values", "dstypes", "dsnames", "time", "host", "plugin", "type"}


def refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no post")


def parse(body: bytes, options: Options, *, rates: bool = False) -> Outcome:
    """A body that begins with a bracket."""
    outcome = Outcome()
    try:
        elements = json.loads(
            body.decode(), parse_int=Number, parse_float=Number, parse_constant=refuse, object_pairs_hook=Members
        )
        if isinstance(elements, Members) or not isinstance(elements, list) or depth_of(elements) > DEPTH_MAX:
            refuse("something else than a list")
        for element in elements:
            take(element, options, rates, outcome)
    except (ValueError, RecursionError):
        outcome = Outcome()
        outcome.reject(Reason.ENCODING)
    return outcome


def take(element: object, options: Options, rates: bool, outcome: Outcome) -> None:
    if not isinstance(element, Members):
        outcome.reject(Reason.FIELDS)
        return
    for key, _ in element:
        key.encode()  # half a pair of surrogates is no key
    members = dict(element)
    if not members.keys() >= NEEDED or not all(fits(key, value) for key, value in element):
        is_notification = isinstance(members.get("labels"), Members)
        outcome.reject(Reason.UNSUPPORTED if is_notification else Reason.FIELDS)
        return
    values, kinds, names = members["values"], members["dstypes"], members["dsnames"]
    if not len(values) == len(kinds) == len(names):
        outcome.reject(Reason.FIELDS)
    elif not set(kinds) <= set(KIND_WORDS):
        outcome.reject(Reason.UNDECLARED)
    else:
        time_ms = milliseconds(float(members["time"]))
        texts = Texts(*(members.get(name, "").encode() for name in TEXTS.values()), time_ms)
        for word, name, value in zip(kinds, names, values, strict=True):
            kind = 1 if rates else KIND_WORDS.index(word)
            own = collectd.escaped(name.encode(), options)
            outcome.take(sample_of(texts, kind, own, value, len(values), options))


def fits(key: str, value: object) -> bool:
    """Whether the value of a member is of its type."""
    if key in TEXTS.values():
        return is_text(value)
    if key in ("time", "interval"):
        return isinstance(value, Number)
    is_list = isinstance(value, list) and not isinstance(value, Members)
    if key == "values":
        return is_list and all(item is None or isinstance(item, Number) for item in value)
    return key not in ("dstypes", "dsnames") or (is_list and all(map(is_text, value)))


def is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Number) and is_unicode(value)


def is_unicode(text: str) -> bool:
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in text)


def milliseconds(time_s: float) -> int:
    return round(time_s * 1000) if 0 < time_s * 1000 <= 9e15 else 0


def sample_of(
    texts: Texts, kind: int, source: bytes, value: str | None, count: int, options: Options
) -> Sample | Reason:
    if not (texts.host and texts.plugin and texts.type):
        return Reason.NAME_EMPTY
    if len(collectd.untagged(texts, options)) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if texts.time_ms == 0:
        return Reason.TIMESTAMP
    name = collectd.name_of(texts, source if count > 1 or options.always_append_ds else None, options)
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if value is None or not math.isfinite(float(value)):
        return Reason.VALUE_NOT_FINITE
    return Sample(name, texts.time_ms, float(value), 1.0, int(collectd.KINDS[kind]))
