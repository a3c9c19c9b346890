"""``tallystick ledger``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import token_option
from tallystick.cli.server import asked, server_asked
from tallystick.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_WATCH_S = 2.0
_OFFENDERS = 20
_ALWAYS = ("received", "stored")


@click.command("ledger")
@server_asked
@token_option
@click.option("--source", metavar="SOURCE", default="", help="Only this way in, with the prefixes of its names.")
@click.option("--rejected", metavar="REASON", help="The last inputs rejected for this reason, or for 'any'.")
@click.option("--name", metavar="TEXT", default="", help="Only rejected inputs that hold this text.")
@click.option("--json", "as_json", is_flag=True, help="The server's whole answer.")
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
def command(
    server: str, token: str | None, source: str, rejected: str | None, name: str, as_json: bool, watch: bool
) -> None:
    """Show what became of everything that was sent.

    Why does my metric not show up? Received is stored, rejected or in flight, to the sample; "lost" is what never
    arrived: datagrams that the kernel dropped, and what numbered senders made and we never saw.

    \b
    tallystick ledger                                  all ways in, and the hosts that send
    tallystick ledger --rejected any --name shop.      what was not taken of it, and why
    tallystick ledger --rejected throttled             who floods with new names
    tallystick ledger --source 'carbon tcp://127.0.0.1:2003' --watch
    tallystick ledger --json | jq '.sources[].rejected'
    """
    fields = [("source", source), ("name", name), ("limit", str(_OFFENDERS if not as_json else 1000))]
    if rejected and rejected != "any":
        fields.append(("reason", rejected))
    if as_json:
        click.echo(json.dumps(asked(server, token, "/ledger", fields), indent=2))
        return
    show_rejected = rejected is not None or bool(name)

    def look() -> RenderableType:
        answer = asked(server, token, "/ledger", fields)
        return _rejected(answer) if show_rejected else _accounts(answer, with_prefixes=bool(source))

    from rich.console import Console
    from rich.live import Live

    if not watch:
        Console().print(look())
        return
    with Live(look(), screen=False, auto_refresh=False) as live:
        while True:
            time.sleep(_WATCH_S)
            live.update(look(), refresh=True)


def _accounts(answer: dict[str, Any], *, with_prefixes: bool) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    tables: list[RenderableType] = [_balances(answer)]
    if with_prefixes:
        prefixes = sorted(answer["prefixes"], key=lambda one: -one["received"])[:_OFFENDERS]
        tables += ["", _table("prefix", [(Text(printable(one.get("prefix", "(no name)"))), one) for one in prefixes])]
    return Group(*tables)


def _balances(answer: dict[str, Any]) -> RenderableType:
    from rich.text import Text

    rows = []
    for source in answer["sources"]:
        rows.append((Text(printable(source["source"]), style="bold"), source))
        peers = [peer for peer in source["peers"] if peer.get("peer")]
        if len(peers) > 1 or (peers and peers[0]["peer"] != "127.0.0.1"):
            rows += [
                (Text(f"  {printable(peer['peer'])}"), peer) for peer in sorted(peers, key=lambda one: -one["received"])
            ]
    return _table("source", rows) if rows else "nothing was received yet"


def _table(first: str, rows: Sequence[tuple[Text, dict[str, Any]]]) -> Table:
    """Balances in columns; what is nearly always 0 has none unless it is not."""
    from rich.table import Table
    from rich.text import Text

    told = ("received", "made", "stored", "late", "in_flight")
    terms = [t for t in told if t in _ALWAYS or any(one.get(t) for _, one in rows)]
    table = Table(box=None, pad_edge=False)
    table.add_column(first, overflow="fold", min_width=min(max((len(name) for name, _ in rows), default=0), 44))
    for heading in (*(term.replace("_", " ") for term in terms), "lost"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("rejected", overflow="fold")
    for name, one in rows:
        lost = one["kernel_drops"] + one["queue_drops"] + (one.get("lost_on_the_way") or 0)
        rejected = sorted(one["rejected"].items(), key=lambda r: -r[1])
        table.add_row(
            name,
            *(_count(one[term]) for term in terms),
            Text(_count(lost), style="red" if lost else ""),
            Text(
                "\n".join(f"{count:,} {reason}" for reason, count in rejected) or "-",
                style="yellow" if rejected else "",
            ),
        )
    return table


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


def _rejected(answer: dict[str, Any]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    if not answer["offenders"]:
        return "nothing of that kind was rejected"
    table = Table(box=None, pad_edge=False)
    for heading in ("when", "source", "reason", "as it came"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "when")
    for one in answer["offenders"]:
        when = time.strftime("%H:%M:%S", time.localtime(one["at"]))
        who = f"{one['source']} {one['peer']}".rstrip()
        # What a sender wrote is text, and no markup.
        table.add_row(when, Text(printable(who)), Text(one["reason"], style="yellow"), Text(printable(one["text"])))
    return table
