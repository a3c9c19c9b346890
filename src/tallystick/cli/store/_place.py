"""Which store a command is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallystick.cli.options import config_from, config_option
from tallystick.model.extras import needed

if TYPE_CHECKING:
    from tallystick.model.retention import RetentionRule

F = TypeVar("F", bound=Callable[..., Any])

_directory_option = click.option(
    "--directory",
    metavar="DIRECTORY",
    type=click.Path(path_type=Path, file_okay=False),
    help="The store's directory. Without it, the one of the config.",
)


def place_options(command: F) -> F:
    """The options ``--config`` and ``--directory``."""
    return config_option(_directory_option(command))


def place_from(config_file: Path | None, directory: Path | None) -> tuple[Path, tuple[RetentionRule, ...]]:
    """The directory, and how its series are kept: as a config says that is given, else as the store was last opened.

    Raises
    ------
    ConfigError
        If the config cannot be used.
    StoreError
        If the store's manifest is damaged or of another format.
    """
    store = config_from(config_file).store
    path = directory or store.path
    if config_file is not None:
        return path, store.retention_rules
    with needed("run this command", "server"):
        from tallystick.files import Files
        from tallystick.store.disk.manifest_file import find_manifest
    manifest = find_manifest(path, Files()).manifest
    return path, (manifest and manifest.retention_rules) or store.retention_rules
