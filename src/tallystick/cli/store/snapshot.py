"""``tallystick store snapshot``."""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.options import server_option, token_option
from tallystick.cli.server import post
from tallystick.cli.store._closed import closed_store
from tallystick.cli.store._place import place_from, place_options
from tallystick.cli.store._progress import progress, size_of
from tallystick.model.extras import needed


@click.command("snapshot")
@click.argument("destination", metavar="DEST")
@place_options
@server_option
@token_option
def command(
    destination: str, config_file: Path | None, directory: Path | None, server: str | None, token: str | None
) -> None:
    """Keep the store as it is now in a directory of its own.

    \b
    tallystick store snapshot monday --server http://127.0.0.1:8080
    tallystick store snapshot /var/backups/tallystick/monday --directory /var/lib/tallystick

    With --server, DEST is a name below the server's store.snapshots; without it, a directory, and no server may run. On
    the same file system it costs no time and no space at first: copy it to another machine to have a backup.
    """
    if server is not None:
        answer = post(server, "/api/store/snapshot", {"name": destination}, token)
        click.echo(f"Made {answer['snapshot']}, {size_of(answer['bytes'])}.")
        return
    with needed("run this command", "server"):
        from tallystick.store.snapshot import take_snapshot
    with closed_store(*place_from(config_file, directory)) as store, progress("snapshot") as tell:
        size = take_snapshot(store, Path(destination), tell)
    click.echo(f"Made {destination}, {size_of(size)}.")
