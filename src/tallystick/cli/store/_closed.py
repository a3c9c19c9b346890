"""A store that no server has open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tallystick.model.errors import StoreError
from tallystick.model.extras import needed

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
    with needed("run this command", "server"):
        from tallystick.files import Files
        from tallystick.model.clock import SystemClock
        from tallystick.store.disk.manifest_file import find_manifest
        from tallystick.store.embedded import EmbeddedStore
    if find_manifest(directory, Files()).manifest is None:
        raise StoreError(f"cannot open store {directory}: it has no manifest; expected a store's directory")
    store = EmbeddedStore(directory, rules, SystemClock())
    try:
        yield store
    finally:
        store.close()
