"""``tallystick store compact``."""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.options import server_option, token_option
from tallystick.cli.server import post
from tallystick.cli.store._closed import closed_store
from tallystick.cli.store._place import place_from, place_options
from tallystick.cli.store._progress import size_of


@click.command("compact")
@place_options
@server_option
@token_option
def command(config_file: Path | None, directory: Path | None, server: str | None, token: str | None) -> None:
    """Write what is in memory as blocks, merge blocks, roll up, and forget what is over.

    \b
    tallystick store compact --server http://127.0.0.1:8080
    tallystick store compact --directory /var/lib/tallystick

    A server does this by itself, every ten minutes; without --server, none may run.
    """
    from rich.console import Console

    with Console(stderr=True).status("compacting"):
        if server is not None:
            answer = post(server, "/api/store/compact", {}, token)
            jobs, blocks, size = answer["jobs"], answer["blocks"], answer["bytes"]
        else:
            with closed_store(*place_from(config_file, directory)) as store:
                store.maintenance.seal()
                jobs = store.maintenance.compact()
                entries = store.block_set.manifest.blocks
            blocks, size = len(entries), sum(entry.file_bytes for entry in entries)
    click.echo(f"Blocks written anew: {jobs}; there are {blocks} now, {size_of(size)}.")
