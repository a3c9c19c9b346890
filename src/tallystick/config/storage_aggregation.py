"""Graphite's ``storage-aggregation.conf``, read as it is: what gauges are in coarser slots, by regular expressions.

Sections in their order, the first whose pattern is found in a name counts::

    [max]
    pattern = \\.max$
    xFilesFactor = 0.1
    aggregationMethod = max

``xFilesFactor`` is checked and has no effect: carbon needs it because a coarser point of its does not say how many
points it was made of, whereas our slots keep their number of samples.
"""

import re
from pathlib import Path

from tallystick.config.graphite_rules import Section, read_sections
from tallystick.model.retention import AggregationRule
from tallystick.model.statistic import Statistic

_KEYS = ("pattern", "xfilesfactor", "aggregationmethod")
_SHARE = re.compile(r"0|1|0?\.\d+|[01]\.0*")
_METHODS = {
    "average": Statistic.AVG,
    "sum": Statistic.SUM,
    "last": Statistic.LAST,
    "max": Statistic.MAX,
    "min": Statistic.MIN,
}


def read_aggregation(path: Path) -> tuple[AggregationRule, ...]:
    """The rules of a file, in its order.

    Raises
    ------
    ValueError
        If it cannot be read or a section of it cannot be used; the text names file, section and what is expected.
    """
    return tuple(_rule(section) for section in read_sections(path, "storage-aggregation.conf", _KEYS, ("pattern",)))


def _rule(section: Section) -> AggregationRule:
    pattern = section.pattern
    share = section.values.get("xfilesfactor", "0")
    if not _SHARE.fullmatch(share):
        raise ValueError(f"{section.where}: xFilesFactor {share!r} is no share; expected 0 to 1, as in 0.5")
    method = section.values.get("aggregationmethod", "average").lower()
    if method not in _METHODS:
        raise ValueError(
            f"{section.where}: aggregationMethod {method!r} is none that slots keep; expected one of "
            f"{', '.join(_METHODS)}"
        )
    return AggregationRule("*", _METHODS[method], pattern)
