"""``tallystick block``."""

from __future__ import annotations

import getpass
import json
import time
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import token_option
from tallystick.cli.server import asked, post, server_asked
from tallystick.cli.tables import table, unbroken
from tallystick.model.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

PATH = "/api/blocks"
_ACTS = 20
_COUNTS = ("kept out", "kept out here", "not sent")


@click.command("block")
@click.argument("pattern", required=False)
@click.option("--source", metavar="HOST", default="", help="Only from this host or network: 10.1.2.3, 10.1.0.0/16.")
@click.option("--for", "lasts", metavar="TIME", default="", help="So long: 30m, 2h, 7d. For good if it is not given.")
@click.option("--why", metavar="TEXT", help="For whoever misses the data, and for the audit trail.")
@click.option("--who", metavar="NAME", help="Who says so; by default the user who runs this.")
@server_asked
@token_option
@click.option("--json", "as_json", is_flag=True, help="The server's whole answer.")
def command(
    pattern: str | None, source: str, lasts: str, why: str | None, who: str | None, server: str, token: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Take no more samples of some names, or show the list.

    Without PATTERN and --source it is shown. A block holds within a second, on the server and at agents, which stop
    sending. In PATTERN, a glob of whole names, * crosses dots. What is kept out is counted: see 'tallystick ledger'.

    \b
    tallystick block                                              what is blocked, and who did what
    tallystick block 'web.*.request_id.*' --for 2h --why "one series per request"
    tallystick block --source 10.1.2.3 --for 30m --why "its clock is wrong"
    tallystick block '*.debug.*' --source 10.1.0.0/16 --why "nobody reads these"
    """
    if pattern is None and not source:
        answer = asked(server, token, PATH, [])
        if as_json:
            click.echo(json.dumps(answer, indent=2))
            return
        unbroken().print(_shown(answer))
        return
    if not why:
        raise click.UsageError("cannot block without a reason; expected --why TEXT")
    body = {"pattern": pattern or "*", "source": source, "for": lasts, "why": why, "who": who or user()}
    kept = post(server, PATH, body, token)
    if as_json:
        click.echo(json.dumps(kept, indent=2))
        return
    click.echo(f"blocked: {printable(_meant(kept))} {_until(kept['until'])}")


def user() -> str:
    """Who runs this, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return ""


def _meant(one: dict[str, Any]) -> str:
    return f"{one['pattern']} from {one['source']}" if one["source"] else str(one["pattern"])


def _until(at_s: float | None) -> str:
    return "for good" if at_s is None else f"until {_moment(at_s)}"


def _moment(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_s))


def _shown(answer: dict[str, Any]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    tables: list[RenderableType] = []
    if answer["blocks"]:
        blocks = [
            (_meant(b), _until(b["until"]), f"{b['refused']:,}", b["why"], b["who"], _moment(b["since"]))
            for b in answer["blocks"]
        ]
        tables += [table(("blocked", "until", "kept out", "why", "who", "since"), blocks, _COUNTS)]
    else:
        tables += [Text("nothing is blocked by the list")]
    if answer["rules"]:
        tables += ["", table(("blocked by rules of the config",), [(r["pattern"],) for r in answer["rules"]])]
    if answer["sources"]:
        sources = [
            (f"{s['source']} {s['peer']}".rstrip(), f"{s['blocked']:,}", f"{s['withheld']:,}")
            for s in answer["sources"][:_ACTS]
        ]
        tables += ["", table(("from", "kept out here", "not sent"), sources, _COUNTS)]
    if answer["acts"]:
        acts = [(_moment(a["at"]), a["what"], _meant(a), a["why"], a["who"]) for a in answer["acts"][:_ACTS]]
        tables += ["", table(("when", "what", "names", "why", "who"), acts)]
    return Group(*tables)
