"""``tallystick agent``."""

import logging
import signal
import threading
import time
from pathlib import Path

import click

from tallystick.cli.options import config_from, config_option
from tallystick.config import Config
from tallystick.model.clock import SystemClock
from tallystick.model.errors import ConfigError


@click.group("agent", invoke_without_command=True)
@config_option
@click.option("--print", "print_once", is_flag=True, help="Show what would be sent, once, and end.")
@click.pass_context
def command(context: click.Context, config_file: Path | None, print_once: bool) -> None:
    """Collect the metrics of this host and forward them to servers.

    Without a file, everything that is found is collected every ten seconds and sent to the carbon port of this machine.
    While a server is away, lines are kept in memory up to a limit; what is dropped beyond it is counted.

    \b
    tallystick agent --print
    tallystick agent test --config /etc/tallystick/agent.toml
    tallystick agent --config /etc/tallystick/agent.toml

    \b
    # agent.toml
    [agent]
    servers = ["tcp://metrics.example.org:2003"]
    """
    from tallystick.agent import program

    if context.invoked_subcommand is not None:
        return
    config = _config(config_file)
    if print_once:
        click.echo(program.once(config, SystemClock(), time.sleep), nl=False)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    until = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: until.set())
    program.run(config, SystemClock(), until)


@command.command("test", short_help="Try the configuration out.")
@config_option
def test(config_file: Path | None) -> None:
    """Try the configuration out: look once at everything that would be looked at, and tell what came of it.

    Exit status 1 if something that was looked at failed.
    """
    from tallystick.agent import trial

    failed = False
    for outcome in trial.collectors(_config(config_file), SystemClock()):
        failed |= bool(outcome.failure)
        what = outcome.failure or f"{outcome.points} numbers"
        click.echo(f"{'FAILED' if outcome.failure else 'ok':7} {outcome.name:24} {what}")
    if failed:
        raise SystemExit(1)


def _config(file: Path | None) -> Config:
    config = config_from(file)
    if not (config.collectors or config.agent.discover):
        raise ConfigError([f"cannot run an agent with {file}: it collects nothing; expected [[collectors]]"])
    return config
