"""A store that no server has open, and how far a long piece of work on one is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tallystick.cli.options import server_extra
from tallystick.model.errors import StoreError

if TYPE_CHECKING:
    from tallystick.model.retention import RetentionRule
    from tallystick.store.embedded import EmbeddedStore


@contextmanager
def closed_store(directory: Path, rules: tuple[RetentionRule, ...]) -> Iterator[EmbeddedStore]:
    """The store of a directory, opened for writing; none is made.

    Raises
    ------
    StartError
        If a server has it open.
    StoreError
        If there is none, or it cannot be opened.
    """
    with server_extra():
        from tallystick.model.clock import SystemClock
        from tallystick.store.embedded import EmbeddedStore
        from tallystick.store.files import Files
        from tallystick.store.manifest_file import find_manifest
    if find_manifest(directory, Files()).manifest is None:
        raise StoreError(f"cannot open store {directory}: it has no manifest; expected a store's directory")
    store = EmbeddedStore(directory, rules, SystemClock())
    try:
        yield store
    finally:
        store.close()


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr; it is told of bytes that are done, and of all there are."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def size_of(n_bytes: float) -> str:
    """A number of bytes for people: ``12.3 MB``."""
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if n_bytes >= 10**power:
            return f"{n_bytes / 10**power:.1f} {unit}"
    return f"{n_bytes:.0f} bytes"
