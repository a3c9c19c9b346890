r"""What Prometheus' text format and OpenMetrics say of metrics: the lines ``# HELP``, ``# UNIT`` and ``# TYPE``.

The kernel passes these lines over, as they are the same in each scrape; whoever wants to know reads them now and then.
A family's series have its name, with the endings that its type brings. Counts of a histogram or summary are no values
of the family, so they have its description and not its unit. Where no unit is told, as in the text format, it is the
base unit that stands last in the family's name, by Prometheus' own rule for naming.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/, https://prometheus.io/docs/practices/naming/
"""

import re
from collections.abc import Iterator

from tallystick.parse.meant import Meant

FAMILIES_MAX = 10_000
"""Families of one text that are read; who has more is not described further."""

_LINE = re.compile(rb"^#[ \t]+(HELP|UNIT|TYPE)[ \t]+([A-Za-z_:][A-Za-z0-9_:]*)[ \t]+([^\r\n]*)", re.MULTILINE)
_ESCAPE = re.compile(r"\\([\\n\"])")
_BASE_UNIT = re.compile(r"_(seconds|bytes|meters|grams|joules|volts|amperes|celsius|ratio|percent)(?:_total)?$")

_VALUES, _COUNTS = ("",), ()
_ENDINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "histogram": (("_sum",), ("_bucket", "_count")),
    "gaugehistogram": (("_gsum",), ("_bucket", "_gcount")),
    "summary": (("", "_sum"), ("_count",)),
    "info": ((), ("_info",)),
}
"""Endings of the series of a family that have values of its unit, and of those that count."""


def meant_by(text: bytes | memoryview) -> Iterator[Meant]:
    """What a text says of the series in it.

    Parameters
    ----------
    text
        A whole answer to a scrape.
    """
    families: dict[bytes, dict[bytes, bytes]] = {}
    for line in _LINE.finditer(text):
        word, family, told = line.groups()
        if family in families or len(families) < FAMILIES_MAX:
            families.setdefault(family, {})[word] = told
    for name, told in families.items():
        words = {word: said.decode("utf-8", "replace") for word, said in told.items()}
        description = _ESCAPE.sub(lambda match: {"n": " "}.get(match[1], match[1]), words.get(b"HELP", ""))
        yield from of_family(name.decode(), words.get(b"TYPE", "").strip().lower(), words.get(b"UNIT", ""), description)


def of_series(name: str, sort: str, unit: str, description: str) -> Iterator[Meant]:
    """The same of one series whose name has its ending, and whose family is not named.

    Parameters
    ----------
    sort
        Of the family.
    """
    values, counts = _ENDINGS.get(sort, (_VALUES, _COUNTS))
    ending = next((ending for ending in (*counts, *values) if ending and name.endswith(ending)), "")
    family = name.removesuffix(ending)
    yield from (one for one in of_family(family, sort, unit, description) if one.name == name)


def of_family(name: str, sort: str, unit: str, description: str) -> Iterator[Meant]:
    """What is said of the series of a family.

    Parameters
    ----------
    sort
        ``counter``, ``histogram`` and so on; empty if that is not told.
    """
    found = _BASE_UNIT.search(name)
    unit, description = unit.strip() or (found[1] if found else ""), description.strip()
    if not (unit or description):
        return
    values, counts = _ENDINGS.get(sort, (_VALUES, _COUNTS))
    if sort == "counter" and not name.endswith("_total"):
        values = ("", "_total")  # the first in the text format, the second in OpenMetrics
    yield from (Meant(name + ending, unit, description) for ending in values)
    yield from (Meant(name + ending, "", description) for ending in counts)
