"""``tallystick poll``."""

from __future__ import annotations

import logging
import sys
from datetime import datetime

import click

from tallystick.config import POLLED, Poll
from tallystick.config.validate import convert, key_name
from tallystick.model.clock import SystemClock
from tallystick.model.errors import TallystickError
from tallystick.model.extras import needed
from tallystick.model.printable import printable


@click.command("poll")
@click.argument("protocol", type=click.Choice(list(POLLED)))
@click.argument("address")
@click.option("--timeout", "timeout_s", type=click.IntRange(1, 3600), default=30, show_default=True, help="Seconds.")
@click.option("--prefix", default="", help="Stands before each name instead of the name of the protocol.")
@click.option("--query", default="", help="What gmetad's interactive port is asked.")
def command(protocol: str, address: str, timeout_s: int, prefix: str, query: str) -> None:
    """Poll a source once and print what it gives.

    Nothing is stored.

    \b
    tallystick poll munin tcp://web1:4949
    tallystick poll prometheus http://web1:9100/metrics
    tallystick poll ganglia tcp://gmetad:8652 --query '/?filter=summary'

    What would be rejected is told with its reason on stderr; a poll that fails ends with status 1.
    """
    poll = _checked(
        protocol=protocol, address=address, prefix=prefix, query=query, timeout_s=timeout_s, interval_s=timeout_s
    )
    with needed("run this command", "server"):
        from tallystick.receive.polls.trial import try_once
    logging.getLogger("tallystick").addHandler(logging.NullHandler())  # what is logged is told below
    trial = try_once(poll, SystemClock())
    _print([(printable(s.name), s.kind.name.lower(), f"{s.value:.10g}", _time(s.at_s)) for s in trial.samples])
    for reason, text in reversed(trial.complaints):
        click.echo(f"rejected as {reason}: {text}", err=True)
    if trial.fault:
        raise TallystickError(f"cannot poll {address}: {trial.fault}")


def _checked(**keys: object) -> Poll:
    """The poll, as a config would have it."""
    poll, problems = convert(keys, Poll)
    if poll is None:
        raise click.UsageError("\n".join(f"cannot use {key_name(p.path)}: {p.cause}" for p in problems))
    return poll


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _print(rows: list[tuple[str, ...]]) -> None:
    """A table for a terminal, else columns with tabs."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "kind", "value", "time", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
