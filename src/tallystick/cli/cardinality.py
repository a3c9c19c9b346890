"""``tallystick cardinality``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import token_option
from tallystick.cli.server import asked, server_asked
from tallystick.cli.tables import table, unbroken
from tallystick.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.table import Table

_SORTS = ("series", "hour", "day", "unread")


@click.command("cardinality")
@click.argument("under", required=False, default="")
@server_asked
@token_option
@click.option("--sort", type=click.Choice(_SORTS), default="series", show_default=True, help="What comes first.")
@click.option("--unread", "unread_days", metavar="DAYS", type=click.IntRange(1, 10_000), default=30, show_default=True,
              help="Who was not read for so many days counts as unread.")  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many rows of each sort."
)
@click.option("--json", "as_json", is_flag=True, help="The server's whole answer.")
def command(under: str, server: str, token: str | None, sort: str, unread_days: int, limit: int, as_json: bool) -> None:
    """Show who has how many series, and which nobody reads.

    UNDER is the beginning of names, whole components: the next ones are counted below it.

    \b
    tallystick cardinality                       by the first components, by tags, by hosts that send
    tallystick cardinality shop.web              what of it
    tallystick cardinality --sort hour           what grew most in the last hour
    tallystick cardinality --sort unread         what could be done without
    """
    fields = [
        ("under", under),
        ("unread_days", str(unread_days)),
        ("limit", "10000" if sort != "series" else str(limit)),
    ]
    answer = asked(server, token, "/api/cardinality", fields)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    unbroken().print(_shown(answer, sort, limit))


def _shown(answer: dict[str, Any], sort: str, limit: int) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    total = answer["total"]
    place = f" below {answer['under']}" if answer["under"] else ""
    tables: list[RenderableType] = [
        Text(printable(f"{total['series']:,} series{place}, {total['hour']:,} of them new in the last hour")),
        Text(f"reads are noted since {time.strftime('%Y-%m-%d', time.localtime(answer['noted_since_s']))}"),
    ]
    for what, heading in (("prefixes", "names below"), ("tags", "tag"), ("sources", "sent by")):
        groups = sorted(answer[what], key=lambda one: -one[sort])[:limit]
        if groups:
            tables += ["", _table(heading, groups, with_values=what == "tags")]
    return Group(*tables)


def _table(heading: str, groups: Sequence[dict[str, Any]], *, with_values: bool) -> Table:
    words = ("series", "hour", "day", "unread", *(("values",) if with_values else ()))
    counts = [{"hour": "new in 1 h", "day": "new in 1 d"}.get(word, word) for word in words]
    rows = [(one["name"], *(f"{one[word]:,}" if one[word] else "-" for word in words)) for one in groups]
    return table((heading, *counts), rows, counts)
