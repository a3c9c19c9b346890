"""What Nagios' plug-ins say: a text, and behind a bar their performance data.

::

    DISK OK - free space: / 3326 MB (56%) | /=2643MB;5948;5958;0;5968
    / 15272 MB (77%)
    | /boot=68MB;88;93;0;98

An item is ``'label'=value[unit];[warning];[critical];[minimum];[maximum]``. A label may stand in quotes, with two of
them for one. Times become seconds and sizes bytes (a KB has 1,024 of them), which then ends the name. A threshold is a
range outside of which it is raised: ``10`` is ``0:10``, ``10:`` has no upper end, ``~:10`` no lower one; that of an
``@`` is raised inside.

Source: https://www.monitoring-plugins.org/doc/guidelines.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tallystick.agent.services.reading import Reading, number, scaled
from tallystick.native.names import component

_ITEM = re.compile(r"('(?:[^']|'')*+'|[^\s='|]++)=(\S*)")
_BLANK, _BEGIN = re.compile(r"\s"), re.compile(r"\S")
_VALUE = re.compile(r"([-+0-9.,eE]*?)(s|ms|us|ns|%|[KMGTPE]?i?B|b|c|)", re.ASCII)
_RANGE = re.compile(r"(@?)(?:(~|[-+.0-9eE]*):)?([-+.0-9eE]*)", re.ASCII)
_UNITS = {"s": ("_s", 1.0), "ms": ("_s", 1e-3), "us": ("_s", 1e-6), "ns": ("_s", 1e-9), "%": ("_percent", 1.0)}
_UNITS |= {f"{sign}{i}B": ("_bytes", 1024.0**power) for power, sign in enumerate(" KMGTPE") for i in ("", "i")}
_UNITS |= {"B": ("_bytes", 1.0)}
_ITEMS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Range:
    """Where a value is well, or, if it is `inside`, where it is not.

    Parameters
    ----------
    low, high
        None is no end.
    """

    low: float | None
    high: float | None
    inside: bool = False


def read(output: str) -> Reading:
    """The performance data of all lines; items that are none are left out."""
    reading = Reading()
    for data in _data(output):
        for label, value in islice(_items(data), _ITEMS_MAX):
            _take(reading, label, value)
    return reading


def range_of(text: str) -> Range | None:
    """A threshold; None if `text` is none."""
    found = _RANGE.fullmatch(text.strip())
    if not found or not found[3] + (found[2] or ""):
        return None
    low_text = "0" if found[2] is None else found[2]
    low = None if low_text == "~" else number(low_text.lstrip("+") or "0")
    high = number(found[3].lstrip("+")) if found[3] else None
    if (low is None and low_text != "~") or (high is None and found[3]):
        return None
    return Range(low, high, inside=bool(found[1]))


def _data(output: str) -> Iterator[str]:
    """What stands behind the bar: of the first line, and from the next bar on."""
    first, *lines = output.splitlines() or [""]
    yield first.partition("|")[2]
    rest = "\n".join(lines)
    yield rest.partition("|")[2].replace("\n", " ")


def _items(data: str) -> Iterator[tuple[str, str]]:
    """Labels and values; what is none is passed over up to the next blank, and looked at once only."""
    at = 0
    while begin := _BEGIN.search(data, at):
        if item := _ITEM.match(data, begin.start()):
            yield item[1], item[2]
            at = item.end()
        else:
            blank = _BLANK.search(data, begin.start())
            at = blank.end() if blank else len(data)


def _take(reading: Reading, label: str, text: str) -> None:
    if label.startswith("'"):
        label = label[1:-1].replace("''", "'")
    value_text, *limits = text.split(";")
    found = _VALUE.fullmatch(value_text)
    value = number(found[1].replace(",", ".").lstrip("+")) if found else None
    if not found or value is None:  # U is for a value that cannot be told
        return
    ending, scale = _UNITS.get(found[2], ("", 1.0))
    name = component(label)
    name = name if name.endswith(ending) else name + ending
    if found[2] == "c":
        reading.count(name, value, name)
    else:
        reading.levels[name] = scaled(value, scale)
    for what, limit in zip(("warning", "critical"), limits, strict=False):
        outside = range_of(limit)
        if outside and not outside.inside:
            for end, at in (("below", outside.low), ("above", outside.high)):
                if at is not None and not (end == "below" and at == 0):  # as 10 is 0:10, nobody meant the 0
                    reading.levels[f"{name}.{what}_{end}"] = scaled(at, scale)
    for what, limit in zip(("minimum", "maximum"), limits[2:], strict=False):
        if (at := number(limit)) is not None:
            reading.levels[f"{name}.{what}"] = scaled(at, scale)
