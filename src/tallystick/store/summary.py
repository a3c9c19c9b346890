"""`summarize`: what is in a store, in figures."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tallystick.model.retention import RetentionRule
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.disk.manifest import FORMAT_VERSION
from tallystick.store.log.log import segment_path, segments
from tallystick.store.view import StoreView


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """The blocks of one resolution of one retention; `slots` is 0 if they were not counted."""

    retention: str
    step_s: int
    start_s: int
    end_s: int
    blocks: int
    series: int
    file_bytes: int
    slots: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A store in figures; moments are epoch seconds, None or 0 where there is none."""

    directory: Path
    format_version: int
    is_open: bool
    series: int
    segments: int
    log_bytes: int
    head_rows: int
    damaged: int
    oldest_s: int | None
    newest_s: int | None
    scrubbed_s: int
    rows: tuple[SummaryRow, ...]
    problems: tuple[str, ...]


def summarize(directory: Path, rules: Sequence[RetentionRule] = (), *, count_slots: bool = False) -> Summary:
    """Look at a store, which a server may have open.

    Raises
    ------
    StoreError
        If it cannot be opened.
    """
    view = StoreView(directory, rules)
    blocks = sorted(view.sources().blocks, key=_resolution)
    rows = tuple(_row(list(group), count_slots=count_slots) for _, group in groupby(blocks, key=_resolution))
    log = [segment_path(directory / "log", n) for n in segments(directory / "log") if n >= view.manifest.first_segment]
    damaged = directory / "damaged"
    heads = [slots for head in view.sources().heads if (slots := head.span_s()) is not None]
    return Summary(
        directory,
        FORMAT_VERSION,
        is_open(directory),
        len(view.catalog),
        len(log),
        sum(path.stat().st_size for path in log if path.exists()),
        sum(len(head) for head in view.sources().heads),
        sum(1 for _ in damaged.iterdir()) if damaged.is_dir() else 0,
        min([row.start_s for row in rows] + [start for start, _ in heads], default=None),
        max([row.end_s for row in rows] + [end for _, end in heads], default=None),
        view.manifest.scrubbed_s,
        rows,
        tuple(view.problems()),
    )


def is_open(directory: Path) -> bool:
    """Whether a process holds the lock of a store; asked of the system, so that nobody is kept from taking it."""
    try:
        lock = (directory / "lock").stat()
        locks = Path("/proc/locks").read_text()
    except OSError:
        return False
    identity = f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}"
    return any("FLOCK" in line and identity in line.split() for line in locks.splitlines())


def _resolution(block: OpenBlock) -> tuple[str, int]:
    return block.entry.retention, block.entry.step_s


def _row(blocks: list[OpenBlock], *, count_slots: bool) -> SummaryRow:
    entries = [block.entry for block in blocks]
    return SummaryRow(
        entries[0].retention,
        entries[0].step_s,
        min(entry.start_s for entry in entries),
        max(entry.end_s for entry in entries),
        len(entries),
        max(entry.series for entry in entries),
        sum(entry.file_bytes for entry in entries),
        sum(block.block.count_rows() for block in blocks) if count_slots else 0,
    )
