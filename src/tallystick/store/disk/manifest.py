"""The manifest: the one file that says which blocks and which log segments make up the store.

It is replaced whole by a rename, so a crash leaves the old state or the new one. What it does not name does not exist,
so a flipped bit in it could cost anything: its first line has a checksum of all that follows, and it is kept twice.
"""

from collections.abc import Sequence

import msgspec

from tallystick.model.retention import AggregationRule, Retention, RetentionRule, reached
from tallystick.model.statistic import Statistic

FILE_NAME = "manifest"
COPY_NAME = "manifest.copy"
FORMAT_VERSION = 2


class BlockEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block: slots of `step_s` seconds in ``[start_s, end_s)`` of series kept by `retention`.

    `number` names the file and grows in the order of writing. `rolled_into_s` is the step of the coarser blocks that
    hold its content too (0 if none do): readers of a step that they serve pass it over. A block is `primary` if its
    content is in no finer one although its series are kept finer than that: imported history, or what a change of rules
    left. It is `stale` until compaction has looked whether its series are kept by another retention since the rules
    changed, or a series got another name.
    """

    number: int
    retention: str
    step_s: int
    start_s: int
    end_s: int
    series: int
    file_bytes: int
    rolled_into_s: int = 0
    compressed: bool = False
    primary: bool = False
    stale: bool = False

    @property
    def rolled(self) -> bool:
        """Whether a coarser block holds the content too."""
        return self.rolled_into_s > 0

    @property
    def file_name(self) -> str:
        """Name of the file below ``blocks/``."""
        return f"{self.number:010d}.block"


class RuleText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A retention rule: series whose name the glob `match` fits, or else `pattern` is found in, are kept by `keep`."""

    keep: str
    match: str | None = None
    pattern: str | None = None


class AggregationText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An aggregation rule: gauges whose name `match` or `pattern` is for are `statistic` in coarse slots."""

    statistic: Statistic
    match: str | None = None
    pattern: str | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the store consists of beside the series file.

    `sequence` grows with each writing. `settled_s` is the time by which data was deleted for its age when it was
    written, and `scrubbed_s` that at which all checksums had last been verified; 0 if not yet. `rules` and
    `aggregation` are those that the store was last opened with.
    """

    sequence: int = 0
    next_block: int = 1
    first_segment: int = 1
    settled_s: int = 0
    scrubbed_s: int = 0
    blocks: tuple[BlockEntry, ...] = ()
    rules: tuple[RuleText, ...] = ()
    aggregation: tuple[AggregationText, ...] = ()

    @property
    def retention_rules(self) -> tuple[RetentionRule, ...]:
        """The rules, to be used."""
        return tuple(RetentionRule(r.match or "*", Retention.parse(r.keep), r.pattern) for r in self.rules)

    @property
    def aggregation_rules(self) -> tuple[AggregationRule, ...]:
        """The rules of what gauges are in coarse slots."""
        return tuple(AggregationRule(r.match or "*", r.statistic, r.pattern) for r in self.aggregation)


def rule_texts(rules: Sequence[RetentionRule]) -> tuple[RuleText, ...]:
    """Rules as the manifest keeps them, as far as they are reached: others change nothing."""
    return tuple(RuleText(str(r.retention), r.match if r.pattern is None else None, r.pattern) for r in reached(rules))


def aggregation_texts(rules: Sequence[AggregationRule]) -> tuple[AggregationText, ...]:
    """Aggregation rules as the manifest keeps them."""
    return tuple(AggregationText(r.statistic, r.match if r.pattern is None else None, r.pattern) for r in rules)
