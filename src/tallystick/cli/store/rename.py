"""``tallystick store rename``."""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.options import server_option, token_option
from tallystick.cli.server import asked
from tallystick.cli.store._closed import closed_store
from tallystick.cli.store._place import place_from, place_options
from tallystick.model.extras import needed


@click.command("rename")
@click.argument("old")
@click.argument("new")
@place_options
@server_option
@token_option
def command(
    old: str, new: str, config_file: Path | None, directory: Path | None, server: str | None, token: str | None
) -> None:
    """Give a series another name; it keeps all of its data.

    \b
    tallystick store rename web.h1.requests shop.h1.requests --server http://127.0.0.1:8080
    tallystick store rename recovered.series.17 prod.hosts.web.web1.load.1m --directory /var/lib/tallystick

    With --server a running server does it; without, the store must not be in use. What is still sent under the old name
    makes a new series.
    """
    if server is not None:
        asked(server, token, "/api/series/rename", [("query", old), ("name", new)])
    else:
        with needed("run this command", "server"):
            from tallystick.store.names.finding import one_series, usable_name
        with closed_store(*place_from(config_file, directory)) as store:
            store.rename(one_series(store.catalog, old), usable_name(new))
    click.echo(f"renamed {old} to {new}")
