"""``tallystick agent``."""

import logging
import signal
import threading
import time
from pathlib import Path

import click

from tallystick.cli.options import config_from, config_option
from tallystick.model.clock import SystemClock
from tallystick.model.errors import ConfigError


@click.command("agent")
@config_option
@click.option("--print", "print_once", is_flag=True, help="Show what would be sent, once, and end.")
def command(config_file: Path | None, print_once: bool) -> None:
    """Collect the metrics of this host and forward them to servers.

    Without a file, everything is collected every ten seconds and sent to the carbon port of this machine. While a
    server is away, lines are kept in memory up to a limit; what is dropped beyond it is counted.

    \b
    tallystick agent --print
    tallystick agent --config /etc/tallystick/agent.toml

    \b
    # agent.toml
    [[collectors]]
    name = "cpu"
    [agent]
    servers = ["tcp://metrics.example.org:2003"]
    """
    from tallystick.agent import program

    config = config_from(config_file)
    if not config.collectors:
        raise ConfigError([f"cannot run an agent with {config_file}: it collects nothing; expected [[collectors]]"])
    if print_once:
        click.echo(program.once(config, SystemClock(), time.sleep), nl=False)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    until = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: until.set())
    program.run(config, SystemClock(), until)
