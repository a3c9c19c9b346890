"""The table `store`: where data lives, how long, and in what of its statistics when it is coarse."""

from pathlib import Path
from typing import Annotated

from tallystick.config.storage_aggregation import read_aggregation
from tallystick.config.storage_schemas import read_schemas
from tallystick.config.table import Table, key
from tallystick.model.retention import DEFAULT_KEEP, AggregationRule, Retention, RetentionRule
from tallystick.model.statistic import Statistic


def _schemas(path: str) -> tuple[RetentionRule, ...]:
    return read_schemas(Path(path).expanduser()) if path else ()


def _aggregation(path: str) -> tuple[AggregationRule, ...]:
    return read_aggregation(Path(path).expanduser()) if path else ()


def _statistic(word: str) -> Statistic:
    statistic = Statistic.parse(word)
    if statistic is Statistic.DEFAULT:
        raise ValueError("'default' is what the rule is to say; expected one of avg, sum, last, min, max, count, sdev")
    return statistic


class Keep(Table, frozen=True):
    """How long the series are kept that a glob matches."""

    match: Annotated[str, key("Glob over whole names; * crosses dots.", min_length=1)] = "*"
    keep: Annotated[str, key("step:length pairs, finest first.", Retention.parse)] = DEFAULT_KEEP


class Coarse(Table, frozen=True):
    """What the gauges that a glob matches are in slots coarser than their finest."""

    match: Annotated[str, key("Glob over whole names; * crosses dots.", min_length=1)]
    statistic: Annotated[str, key("One of avg, sum, last, min, max, count, sdev.", _statistic)]


class Store(Table, frozen=True):
    """Where and how long data is kept."""

    directory: Annotated[
        str, key("Data lives here; the user that runs the server must be able to write it.", min_length=1)
    ] = "/var/lib/tallystick"
    retention: Annotated[tuple[Keep, ...], key("The first rule that matches a name counts.", min_length=1)] = (Keep(),)
    storage_schemas: Annotated[
        str, key("A storage-schemas.conf of Graphite, whose sections follow the rules above; empty for none.", _schemas)
    ] = ""
    aggregation: Annotated[
        tuple[Coarse, ...],
        key(
            'What gauges are in coarser slots, as in { match = "*.peak", statistic = "max" }; the first rule that '
            "matches a name counts, else it is the average."
        ),
    ] = ()
    storage_aggregation: Annotated[
        str,
        key(
            "A storage-aggregation.conf of Graphite, whose sections follow the rules above; empty for none.",
            _aggregation,
        ),
    ] = ""
    commit_interval_ms: Annotated[int, key("The log is on disk at most this much later.", ge=1, le=1000)] = 200
    seal_interval_s: Annotated[int, key("How often the head is made into blocks.", ge=10, le=86400)] = 600
    future_limit_s: Annotated[int, key("Samples further ahead than this are rejected.", ge=0)] = 600
    series_max: Annotated[int, key("Names beyond this number are rejected.", ge=1)] = 2_000_000
    queue_bytes_max: Annotated[int, key("What may wait for the log before senders have to wait.", ge=1 << 20)] = (
        256 << 20
    )
    scrub_days: Annotated[int, key("So often all checksums are verified; 0 for never.", ge=0, le=3650)] = 7
    scrub_bytes_per_s: Annotated[int, key("How much of the disk's time that may take.", ge=1 << 16)] = 4 << 20
    snapshots: Annotated[
        str, key("Where 'store snapshot --server' may write; empty for below the directory, in snapshots.")
    ] = ""

    @property
    def snapshots_path(self) -> Path:
        """Where snapshots that are asked for over HTTP go."""
        return Path(self.snapshots).expanduser() if self.snapshots else self.path / "snapshots"

    @property
    def path(self) -> Path:
        """The directory, with ``~`` resolved."""
        return Path(self.directory).expanduser()

    @property
    def retention_rules(self) -> tuple[RetentionRule, ...]:
        """The rules in their order, ours before those of Graphite; the default takes what none of them matches.

        Raises
        ------
        ValueError
            If the file of `storage_schemas` changed since the config was checked and cannot be used.
        """
        ours = [] if self.storage_schemas and self.retention == (Keep(),) else self.retention
        rules = [RetentionRule(rule.match, Retention.parse(rule.keep)) for rule in ours]
        return (*rules, *_schemas(self.storage_schemas), RetentionRule("*", Retention.parse(DEFAULT_KEEP)))

    @property
    def aggregation_rules(self) -> tuple[AggregationRule, ...]:
        """What gauges are in coarser slots, ours before those of Graphite; the average where none matches.

        Raises
        ------
        ValueError
            If the file of `storage_aggregation` changed since the config was checked and cannot be used.
        """
        ours = [AggregationRule(rule.match, _statistic(rule.statistic)) for rule in self.aggregation]
        return (*ours, *_aggregation(self.storage_aggregation))
