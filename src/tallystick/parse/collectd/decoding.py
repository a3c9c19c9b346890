"""Reading what collectd's plugin ``write_http`` posts: value lists as JSON, or as commands in text."""

import math
import re
from collections.abc import Mapping

import msgspec

from tallystick.model.reason import Reason
from tallystick.parse.collectd.gathering import Gathering
from tallystick.parse.collectd.types import KINDS, Sources

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_ESCAPED = re.compile(r"\\(.)")
_OPTION = re.compile(r"(interval|meta:[^=]*)=", re.IGNORECASE)
_UNKNOWN = {"u", "nan", "-nan"}
_KIND_OF = {kind: number for number, kind in enumerate(KINDS)}
_GAUGE = _KIND_OF["gauge"]


class ValueList(msgspec.Struct, kw_only=True, gc=False):
    """An element of a body of JSON, in the order in which the plugin writes it; other members are passed over."""

    values: list[float | None]
    dstypes: list[str]
    dsnames: list[str]
    time: float
    interval: float = 0.0
    host: str
    plugin: str
    plugin_instance: str = ""
    type: str
    type_instance: str = ""


class _Notification(msgspec.Struct):
    """What a notification has in the place of values."""

    labels: dict[str, msgspec.Raw]


_ALL = msgspec.json.Decoder(list[ValueList])
_EACH = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(ValueList)
_NOTICE = msgspec.json.Decoder(_Notification)
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)


def gather_json(body: bytes, gathering: Gathering, *, rates: bool) -> None:
    """Gather the lists of a body of JSON; an element that is none costs itself only.

    Parameters
    ----------
    rates
        Whether all values are rates, whatever their types say.
    """
    try:
        several = _ALL.decode(body)
    except _BROKEN:
        _gather_each(body, gathering, rates)
        return
    if not _take(several, gathering, rates):
        for one in several:
            if not _take([one], gathering, rates):
                gathering.refuse(_fault_of(one), f"{one.host}/{one.plugin}-{one.plugin_instance}/{one.type}"[:512])


def _gather_each(body: bytes, gathering: Gathering, rates: bool) -> None:
    """Gather the elements of a body of which some, or all, are no value lists."""
    try:
        elements = _EACH.decode(body)
    except _BROKEN:
        gathering.refuse(Reason.ENCODING, _shown(body))
        return
    for element in elements:
        try:
            one = _ONE.decode(element)
        except _BROKEN:
            gathering.refuse(Reason.UNSUPPORTED if _is_notification(element) else Reason.FIELDS, _shown(bytes(element)))
            continue
        if not _take([one], gathering, rates):
            gathering.refuse(_fault_of(one), f"{one.host}/{one.plugin}-{one.plugin_instance}/{one.type}"[:512])


def _take(several: list[ValueList], gathering: Gathering, rates: bool) -> bool:
    """Gather lists, column by column; False if one of them is bad, and none was taken."""
    counts = [len(one.values) for one in several]
    kinds = [_KIND_OF.get(word, -1) for one in several for word in one.dstypes]
    if counts != [len(one.dstypes) for one in several] or counts != [len(one.dsnames) for one in several]:
        return False
    if min(kinds, default=0) < 0:
        return False
    gathering.add(
        (
            [one.host for one in several],
            [one.plugin for one in several],
            [one.plugin_instance for one in several],
            [one.type for one in several],
            [one.type_instance for one in several],
        ),
        [one.time for one in several],
        counts,
        [name for one in several for name in one.dsnames],
        [value for one in several for value in one.values],
        [_GAUGE] * len(kinds) if rates else kinds,
    )
    return True


def _fault_of(one: ValueList) -> Reason:
    """Why a list is bad: it has as many types and names as values, or not."""
    return Reason.UNDECLARED if len(one.values) == len(one.dstypes) == len(one.dsnames) else Reason.FIELDS


def gather_commands(
    body: bytes, gathering: Gathering, types: Mapping[str, Sources], now_s: float, *, rates: bool
) -> None:
    """Gather the lists of ``PUTVAL`` commands, a line each; as `gather_json`."""
    for encoded in body.split(b"\n"):
        try:
            line = encoded.decode()
        except UnicodeDecodeError:
            gathering.refuse(Reason.NAME_BYTES, _shown(encoded))
            continue
        words = _WORD.findall(line)
        if not words:
            continue
        command, *rest = words
        if command.upper() == "PUTNOTIF":
            gathering.refuse(Reason.UNSUPPORTED, line[:512])
        elif command.upper() != "PUTVAL" or not rest:
            gathering.refuse(Reason.FIELDS, line[:512])
        else:
            _gather_command(line[:512], rest, gathering, types, now_s, rates)


def _gather_command(
    line: str, words: list[str], gathering: Gathering, types: Mapping[str, Sources], now_s: float, rates: bool
) -> None:
    identifier, *others = words
    texts = _texts(_unquoted(identifier))
    value_words = [word for word in others if not _OPTION.match(word)]
    if texts is None or not value_words:
        gathering.refuse(Reason.FIELDS, line)
        return
    sources = types.get(texts[3])
    if sources is None:
        gathering.refuse(Reason.UNDECLARED, texts[3])
        return
    names = [name for name, _ in sources]
    kinds = [_GAUGE if rates else kind for _, kind in sources]
    for word in value_words:
        time_word, *number_words = word.split(":")
        numbers = [_number(number) for number in number_words]
        time_s = now_s if time_word == "N" else _number(time_word)
        values = [number for number in numbers if number is not None]
        if len(number_words) != len(sources):
            gathering.refuse(Reason.FIELDS, line)
        elif len(values) != len(numbers):
            gathering.refuse(Reason.VALUE, line)
        elif time_s is None or not math.isfinite(time_s):
            gathering.refuse(Reason.TIMESTAMP, line)
        else:
            gathering.add([[text] for text in texts], [time_s], [len(values)], names, values, kinds)


def _texts(identifier: str) -> tuple[str, str, str, str, str] | None:
    """Host, plugin and its instance, type and its instance of ``host/plugin-instance/type-instance``."""
    parts = identifier.split("/", 2)
    if len(parts) != 3:
        return None
    plugin, _, plugin_instance = parts[1].partition("-")
    type_, _, type_instance = parts[2].partition("-")
    return parts[0], plugin, plugin_instance, type_, type_instance


def _unquoted(word: str) -> str:
    return _ESCAPED.sub(r"\1", word[1:-1]) if len(word) >= 2 and word[0] == word[-1] == '"' else word


def _number(word: str) -> float | None:
    """A number; NaN for what stands for none, and None for what is not even that."""
    if word.lower() in _UNKNOWN:
        return math.nan
    return float(word) if _NUMBER.fullmatch(word) else None


def _is_notification(element: msgspec.Raw) -> bool:
    try:
        _NOTICE.decode(element)
    except _BROKEN:
        return False
    return True


def _shown(body: bytes) -> str:
    return body[:512].decode("utf-8", "replace")
