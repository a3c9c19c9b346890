"""``tallystick store delete``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from tallystick.cli.options import server_option, token_option
from tallystick.cli.server import asked
from tallystick.cli.store._closed import closed_store
from tallystick.cli.store._place import place_from, place_options
from tallystick.model.extras import needed
from tallystick.model.printable import printable

_SHOWN = 20


@click.command("delete")
@click.argument("pattern")
@click.option("--yes", is_flag=True, help="Do not ask.")
@place_options
@server_option
@token_option
def command(
    pattern: str, yes: bool, config_file: Path | None, directory: Path | None, server: str | None, token: str | None
) -> None:
    """Forget series and all that is known of them.

    \b
    tallystick store delete 'prod.hosts.web.old-web7.*.*' --server http://127.0.0.1:8080
    tallystick store delete 'prod.hosts.web.old-web7.*.*' --directory /var/lib/tallystick

    Shows what matches and asks. With --server a running server does it; without, the store must not be in use. What is
    still sent makes a new series.
    """
    if server is not None:
        found = asked(server, token, "/api/series", [("query", pattern)])["series"]
        _confirm([one["name"] for one in found], pattern, yes=yes)
        deleted = asked(server, token, "/api/series/delete", [("query", pattern)])["deleted"]
        click.echo(f"deleted {deleted} series")
        return
    with needed("run this command", "server"):
        from tallystick.store.names.finding import selected_series
    with closed_store(*place_from(config_file, directory)) as store:
        ids = selected_series(store.catalog, pattern)
        _confirm(store.catalog.names(ids), pattern, yes=yes)
        store.delete(ids)
    click.echo(f"deleted {len(ids)} series")


def _confirm(names: list[str], pattern: str, *, yes: bool, echo: Callable[[str], None] = click.echo) -> None:
    """Show what would be deleted, and ask."""
    if not names:
        raise click.UsageError(f"no series matches {pattern}")
    for name in names[:_SHOWN]:
        echo(f"  {printable(name)}")
    if len(names) > _SHOWN:
        echo(f"  and {len(names) - _SHOWN} more")
    if not yes:
        click.confirm(f"Delete {len(names)} series and all of their data?", abort=True)
