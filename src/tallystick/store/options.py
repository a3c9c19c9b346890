"""`StoreOptions`: how an embedded store works."""

from dataclasses import dataclass


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
    """

    commit_interval_s: float = 0.2
    seal_interval_s: float = 600.0
    head_rows_max: int = 60_000_000
    queue_bytes_max: int = 256 << 20
    future_limit_s: int = 600
