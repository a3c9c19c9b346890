"""Graphite's ``storage-schemas.conf``, read as it is: how long series are kept, by regular expressions.

Sections in their order, the first whose pattern is found in a name counts::

    [carbon]
    pattern = ^carbon\\.
    retentions = 60:90d

    [default]
    pattern = .*
    retentions = 10s:6h,1m:7d
"""

from pathlib import Path

from tallystick.config.graphite_rules import Section, read_sections
from tallystick.model.retention import Retention, RetentionRule

_KEYS = ("pattern", "retentions")
_IGNORED = ("priority", "match-all")  # of old releases; the order of the file counts


def read_schemas(path: Path) -> tuple[RetentionRule, ...]:
    """The rules of a file, in its order.

    Raises
    ------
    ValueError
        If it cannot be read or a section of it cannot be used; the text names file, section and what is expected.
    """
    return tuple(_rule(section) for section in read_sections(path, "storage-schemas.conf", _KEYS, _KEYS, _IGNORED))


def _rule(section: Section) -> RetentionRule:
    pattern = section.pattern
    try:
        return RetentionRule("*", Retention.parse(section.values["retentions"]), pattern)
    except ValueError as error:
        raise ValueError(f"{section.where}: {error}") from None
