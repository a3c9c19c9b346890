"""``tallystick unblock``."""

from __future__ import annotations

import click

from tallystick.cli.block import PATH, user
from tallystick.cli.options import token_option
from tallystick.cli.server import post, server_asked
from tallystick.model.printable import printable


@click.command("unblock")
@click.argument("pattern", required=False)
@click.option("--source", metavar="HOST", default="", help="The host or network that it was blocked from.")
@click.option("--why", metavar="TEXT", default="", help="For the audit trail.")
@click.option("--who", metavar="NAME", help="Who says so; by default the user who runs this.")
@server_asked
@token_option
def command(pattern: str | None, source: str, why: str, who: str | None, server: str, token: str | None) -> None:
    """Take names off the block list.

    PATTERN and --source are as 'tallystick block' shows them.

    \b
    tallystick unblock 'web.*.request_id.*' --why "fixed in 2.4"
    tallystick unblock --source 10.1.2.3
    """
    if pattern is None and not source:
        raise click.UsageError("cannot unblock nothing; expected PATTERN or --source")
    body = {"pattern": pattern or "*", "source": source, "why": why, "who": who or user()}
    ended = post(server, PATH, body, token, "DELETE")
    place = f" from {ended['source']}" if ended["source"] else ""
    click.echo(f"no longer blocked: {printable(ended['pattern'] + place)}")
