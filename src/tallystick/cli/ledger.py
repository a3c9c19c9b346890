"""``tallystick ledger``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import checked_address, token_option
from tallystick.cli.store._server import asked

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

SERVER = "http://127.0.0.1:8080"
_WATCH_S = 2.0
_OFFENDERS = 20


@click.command("ledger")
@click.option("--server", metavar="URL", default=SERVER, show_default=True, envvar="TALLYSTICK_SERVER",
              callback=checked_address, help="Whom to ask.")  # fmt: skip
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

    tables: list[RenderableType] = [_balances(answer)]
    if with_prefixes:
        prefixes = sorted(answer["prefixes"], key=lambda one: -one["received"])[:_OFFENDERS]
        table = _headed("prefix")
        for one in prefixes:
            table.add_row(one.get("prefix", "(no name)"), *_figures(one))
        tables += ["", table]
    return Group(*tables)


def _balances(answer: dict[str, Any]) -> RenderableType:
    from rich.text import Text

    table = _headed("source")
    for source in answer["sources"]:
        table.add_row(Text(source["source"], style="bold"), *_figures(source))
        peers = [peer for peer in source["peers"] if peer.get("peer")]
        if len(peers) > 1 or (peers and peers[0]["peer"] != "127.0.0.1"):
            for peer in sorted(peers, key=lambda one: -one["received"]):
                table.add_row(Text(f"  {peer['peer']}"), *_figures(peer))
    return table if answer["sources"] else "nothing was received yet"


def _headed(first: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(first, overflow="fold")
    for heading in ("received", "stored", "late", "in flight", "lost"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("rejected", overflow="fold")
    return table


def _figures(one: dict[str, Any]) -> list[Any]:
    from rich.text import Text

    lost = one["kernel_drops"] + one["queue_drops"] + (one.get("lost_on_the_way") or 0)
    counts = [f"{one[term]:,}" if one[term] else "-" for term in ("received", "stored", "late", "in_flight")]
    rejected = ", ".join(
        f"{reason} {count:,}" for reason, count in sorted(one["rejected"].items(), key=lambda r: -r[1])
    )
    return [*counts, Text(f"{lost:,}" if lost else "-", style="red" if lost else ""), Text(rejected, style="yellow")]


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
        table.add_row(when, Text(who), Text(one["reason"], style="yellow"), Text(one["text"]))
    return table
