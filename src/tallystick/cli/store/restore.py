"""``tallystick store restore``."""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.store._progress import progress, size_of
from tallystick.model.extras import needed


@click.command("restore")
@click.argument("snapshot", metavar="SNAPSHOT", type=click.Path(path_type=Path))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
def command(snapshot: Path, directory: Path) -> None:
    """Copy a snapshot to where a server will open it.

    \b
    tallystick store restore /var/backups/tallystick/monday /var/lib/tallystick

    All checksums are verified first: a damaged snapshot is not restored. DIR is new, or empty.
    """
    with needed("run this command", "server"):
        from tallystick.store.snapshot import restore
    with progress("restore") as tell:
        size = restore(snapshot, directory, tell)
    click.echo(f"Restored {directory}, {size_of(size)}.")
