"""Reading what collectd's plugin ``write_http`` posts as commands in text."""

import math
import re
from collections.abc import Mapping

from tallystick.kernels.collectd_values import GAUGE
from tallystick.model.reason import Reason
from tallystick.parse.collectd.gathering import Gathering
from tallystick.parse.collectd.types import Sources

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_ESCAPED = re.compile(r"\\(.)")
_OPTION = re.compile(r"(interval|meta:[^=]*)=", re.IGNORECASE)
_UNKNOWN = {"u", "nan", "-nan"}


def gather_commands(
    body: bytes, gathering: Gathering, types: Mapping[str, Sources], now_s: float, *, rates: bool
) -> None:
    """Gather the lists of ``PUTVAL`` commands, a line each.

    Parameters
    ----------
    types
        Names and kinds of the values of each type.
    now_s
        What ``N`` is.
    rates
        Whether all values are rates, whatever their types say.
    """
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
    kinds = [GAUGE if rates else kind for _, kind in sources]
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


def _shown(body: bytes) -> str:
    return body[:512].decode("utf-8", "replace")
