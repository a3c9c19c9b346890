"""``tallystick tail``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import click

from tallystick.cli.options import token_option
from tallystick.cli.server import opened, server_asked
from tallystick.model.printable import printable


@click.command("tail")
@click.argument("pattern")
@server_asked
@token_option
@click.option(
    "--source", metavar="SOURCE", default="", help="Only what comes by this way, as 'tallystick ledger' names it."
)
@click.option("--count", metavar="N", type=click.IntRange(min=1), help="End after so many samples.")
@click.option("--json", "as_json", is_flag=True, help="The server's lines as they are.")
def command(pattern: str, server: str, token: str | None, source: str, count: int | None, as_json: bool) -> None:
    """Show live what arrives for some names.

    A glob tells which, as they are sent. Each line has the sample's own time, name, value, kind and who sent it; x10
    says that it stands for ten. What comes faster than it can be shown is skipped, and it says how much. Senders do not
    notice that somebody looks.

    \b
    tallystick tail 'prod.hosts.web.web1.cpu.*'
    tallystick tail '*.*.*.errors' --source 'statsd udp://127.0.0.1:8125'
    tallystick tail shop.orders --count 1         wait for the next sample, and show it
    """
    shown = 0
    for line in _lines(server, token, pattern, source):
        told = json.loads(line)
        click.echo(line if as_json else _written(told))
        shown += "skipped" not in told
        if shown == count:
            return


def _written(told: dict[str, Any]) -> str:
    if "skipped" in told:
        return click.style(f"... {told['skipped']:,} more were skipped", dim=True)
    when = time.strftime("%H:%M:%S", time.localtime(told["time_s"]))
    weight = f" x{told['weight']:g}" if told["weight"] != 1 else ""
    who = click.style(printable(f"{told['source']} {told['peer']}".rstrip()), dim=True)
    return f"{when} {click.style(printable(told['name']), bold=True)} {told['value']:g}{weight} {told['kind']} {who}"


def _lines(server: str, token: str | None, pattern: str, source: str) -> Iterator[str]:
    """What the server sends, line by line.

    Raises
    ------
    TallystickError
        If it does not answer, or refuses; with its own sentence.
    """
    from urllib.parse import urlencode

    with opened(server, f"/ledger/tail?{urlencode({'pattern': pattern, 'source': source})}", token) as answer:
        for line in answer:
            if line.strip():
                yield line.decode().rstrip("\n")
