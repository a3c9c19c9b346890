"""``tallystick demo``."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from tallystick.model.address import Address, host_port
from tallystick.model.clock import SystemClock
from tallystick.model.extras import needed
from tallystick.model.retention import parse_seconds

if TYPE_CHECKING:
    from tallystick.demo import Player


@click.command("demo")
@click.option("--server", metavar="ADDRESS", help="Play to this carbon port, tcp://host:port, and start no server.")
@click.option("--http", default="127.0.0.1:8080", show_default=True, help="Where the demo's own server shows pages.")
@click.option("--hosts", default=200, show_default=True, type=click.IntRange(5, 10_000))
@click.option("--history", default="2h", show_default=True, help="How much past to fill in first.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Another one invents another fleet.")
def command(server: str | None, http: str, hosts: int, history: str, seed: int) -> None:
    """Show an invented fleet, for whoever has no servers.

    200 hosts run five applications, and one of these is deployed every five minutes. Some deploys go wrong: errors and
    latency jump on the hosts that got them, until they are rolled back. The demo starts a server of its own on a
    directory that is removed at the end, unless --server names one.

    \b
    tallystick demo
    tallystick demo --server tcp://127.0.0.1:2003 --hosts 1000

    \b
    Good to look at:
      prod.hosts.shop.*.shop.errors                 hosts that got a bad version
      sumSeries(prod.hosts.shop.*.shop.requests)    the swing of the day
      drawAsInfinite(deploys.*.started)             when something was deployed
      highestAverage(*.hosts.*.*.cpu.user, 5)       the busiest hosts
    """
    try:
        address = Address.parse(server, ("tcp",)) if server else None
        host_port(http)
        history_s = parse_seconds(history)
    except ValueError as error:
        raise click.UsageError(str(error)) from error

    with needed("run this command", "server"):
        from tallystick.demo import Fleet, Player, own_server

    stop = threading.Event()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # also while the server starts, or it would be left behind
    with ExitStack() as stack:
        if address is None:
            address = stack.enter_context(own_server(http))
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, lambda *_: stop.set()))
        fleet = Fleet(hosts, seed)
        player = Player(fleet, address, SystemClock())
        stack.callback(player.close)
        points = _backfill(player, history_s, stop)
        click.echo(f"{points:,} points of {fleet.series_count:,} series are in, and more come every ten seconds.")
        if server is None:
            click.echo(f"Look at http://{http} and end it with Ctrl-C.")
        player.live(stop)


def _backfill(player: Player, history_s: int, stop: threading.Event) -> int:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("filling in the past", total=1.0)
        return player.backfill(history_s, lambda share: bar.update(task, completed=share), stop)
