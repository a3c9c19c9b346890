"""Which store a command is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallystick.cli.options import config_from, config_option

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
    """The directory, and how its series are kept.

    Raises
    ------
    ConfigError
        If the config cannot be used.
    """
    store = config_from(config_file).store
    return directory or store.path, store.retention_rules
