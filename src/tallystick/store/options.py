"""`StoreOptions`: how an embedded store works."""

from dataclasses import dataclass
from typing import Self

from tallystick.config import Store


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store works.

    Parameters
    ----------
    commit_interval_s
        Longest time between taking a sample and its being safe on disk.
    seal_interval_s
        How often the head becomes blocks.
    head_rows_max
        The head is sealed earlier when it has this many rows: it bounds memory at about 12 bytes a row.
    queue_bytes_max
        Bytes that may wait for the log.
    future_limit_s
        Imported slots that begin further ahead than this are not taken.
    scrub_interval_s
        How often all checksums are verified; 0 for never.
    scrub_bytes_per_s
        How fast that goes.
    """

    commit_interval_s: float = 0.2
    seal_interval_s: float = 600.0
    head_rows_max: int = 60_000_000
    queue_bytes_max: int = 256 << 20
    future_limit_s: int = 600
    scrub_interval_s: float = 7 * 86400.0
    scrub_bytes_per_s: float = 4 << 20

    @classmethod
    def configured(cls, store: Store) -> Self:
        """As the config says."""
        return cls(
            commit_interval_s=store.commit_interval_ms / 1000,
            seal_interval_s=store.seal_interval_s,
            queue_bytes_max=store.queue_bytes_max,
            future_limit_s=store.future_limit_s,
            scrub_interval_s=store.scrub_days * 86400,
            scrub_bytes_per_s=store.scrub_bytes_per_s,
        )
