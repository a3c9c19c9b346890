"""What a block file consists of, in words: for whoever looks for what is wrong with one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tallystick.kernels.page import CODED, HISTOGRAM, SKETCH, SLOT_LIST, SPREAD
from tallystick.store.blocks.anatomy import EXTENT_BYTES
from tallystick.store.blocks.block import Block

_FLAGS = ((SPREAD, "spread"), (HISTOGRAM, "histograms"), (SKETCH, "sketches"), (SLOT_LIST, "slots listed"))


def describe(path: Path) -> Iterator[str]:
    """A line for the block, for each damaged extent of its pages, and for each page.

    Raises
    ------
    DamageError
        If the footer or the index does not match its checksum.
    """
    block = Block(path)
    footer = block.footer
    start, end = footer.start_slot * footer.step_s, (footer.start_slot + footer.slots) * footer.step_s
    yield f"{path}: version {footer.version}, {path.stat().st_size:,} bytes, footer and index match their checksums"
    yield f"  {footer.slots} slots of {footer.step_s} s from {_moment(start)} to {_moment(end)}"
    yield f"  {footer.series:,} series kept by {footer.retention}, {footer.page_bytes:,} bytes of pages"
    yield from _extents(block, path)
    for series, at, size_bytes, flags, rows in block.page_heads():
        kept = ", ".join(["coded" if flags & CODED else "raw", *(word for flag, word in _FLAGS if flags & flag)])
        yield f"  page of series {series}: {size_bytes:,} bytes at {at}, {rows} slots, {kept}"


def _extents(block: Block, path: Path) -> Iterator[str]:
    damaged = block.damaged_extents()
    total = -(-block.footer.page_bytes // EXTENT_BYTES)
    if not damaged:
        yield f"  all {total} extents match their checksums"
    for extent in damaged:
        begin = extent * EXTENT_BYTES
        yield f"  DAMAGED: bytes {begin} to {begin + EXTENT_BYTES} of the pages do not match their checksum"


def _moment(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
