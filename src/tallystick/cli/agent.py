"""``tallystick agent``."""

from __future__ import annotations

import logging
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import config_from, config_option
from tallystick.cli.signals import Signals
from tallystick.cli.tables import unbroken
from tallystick.config import Config
from tallystick.model.clock import SystemClock
from tallystick.model.errors import ConfigError, StartError
from tallystick.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from tallystick.agent.logs.report import ToldError

_UNIT_CONFIG = Path("/etc/tallystick/agent.toml")


@click.group("agent", invoke_without_command=True)
@config_option
@click.option("--print", "print_once", is_flag=True, help="Show what would be sent, once, and end.")
@click.pass_context
def command(ctx: click.Context, config_file: Path | None, print_once: bool) -> None:
    """Collect the metrics of this host and send them to servers.

    Without a file, everything that is found is collected every ten seconds and sent to the server of this machine. What
    a server has not yet on its disk waits on ours, through restarts of either.

    \b
    tallystick agent --print                 what it would send
    tallystick agent test --config FILE      whether everything in it can be used
    tallystick agent --config /etc/tallystick/agent.toml
    tallystick agent unit                    a unit for systemd

    \b
    # agent.toml
    [agent]
    servers = ["tls://metrics.example.org:8120"]
    token_file = "/etc/tallystick/token"

    SIGHUP has it read its file again.
    """
    if ctx.invoked_subcommand is not None:
        return
    config = _config(config_file)
    if print_once:
        _print(config)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    _run(config, config_file)


@command.command("errors", short_help="Show which errors the logs told of.")
@config_option
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many kinds of each log."
)
def errors(config_file: Path | None, limit: int) -> None:
    """Show which errors the logs told of that the agent of this host follows, with the last line of each kind.

    The fingerprint of a kind is the same on every host, and stands at the end of the name of its series.
    """
    import msgspec

    from tallystick.agent.logs import ERRORS_FILE, read_errors

    file = _config(config_file).agent.spool_path() / ERRORS_FILE
    try:
        told = read_errors(file)
    except FileNotFoundError as error:
        raise StartError(f"cannot show errors: there is no {file}; expected an agent that follows logs") from error
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f"cannot read {file}: {error}; expected what an agent writes there") from error
    for path, kinds in told.items():
        unbroken().print(_errors_table(path, kinds[:limit]))


@command.command("test", short_help="Try everything that the config names.")
@config_option
def test(config_file: Path | None) -> None:
    """Try everything that the config names: each collector is looked at, each server greeted, each door bound.

    Nothing is sent. Exit status 1 if anything cannot be used.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from tallystick.agent.trial import trials

    config = _config(config_file)
    table = Table("", "what", "which", "found", box=None, pad_edge=False)
    bad = 0
    with Console(stderr=True).status("trying"):
        for trial in trials(config, SystemClock(), time.sleep):
            bad += not trial.is_good
            mark = Text("ok", "green") if trial.is_good else Text("BAD", "bold red")
            table.add_row(mark, trial.what, Text(trial.name), Text(trial.found))
    unbroken().print(table)
    if bad:
        click.echo(f"{bad} of these cannot be used.", err=True)
        sys.exit(1)


@command.command("unit", short_help="Print a unit for systemd.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), default=_UNIT_CONFIG, show_default=True, metavar="FILE"
)
def unit(config_file: Path) -> None:
    """Print a unit for systemd, which runs the agent as a user of its own.

    \b
    tallystick agent unit > /etc/systemd/system/tallystick-agent.service
    systemctl enable --now tallystick-agent
    """
    from tallystick.agent.unit import unit as text_of

    program = Path(sys.argv[0]).resolve()
    if program.name != "tallystick":  # python -m tallystick
        program = Path(sys.executable).parent / "tallystick"
    click.echo(text_of(program, config_file.resolve()), nl=False)


def _config(file: Path | None) -> Config:
    config = config_from(file)
    makes = (config.collectors, config.checks, config.logs, config.agent.discover, config.agent.doors)
    if not any(makes):
        raise ConfigError([f"cannot run an agent with {file}: nothing is made here; expected [[collectors]]"])
    return config


def _errors_table(path: str, kinds: Sequence[ToldError]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("fingerprint", box=None, pad_edge=False, title=Text(path), title_justify="left")
    table.add_column("lines", justify="right")
    table.add_column("last seen", no_wrap=True)
    table.add_column("last line", overflow="fold")
    for kind in kinds:
        seen = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(kind.last_s))
        table.add_row(kind.fingerprint, f"{kind.count:,}", seen, Text(printable(kind.examples[-1])))
    return table


def _print(config: Config) -> None:
    """What would be sent, a line each: name, kind, value and what it is made of."""
    from tallystick.agent.program import once

    slots = once(config, SystemClock(), time.sleep)
    width = max((len(slot.name) for slot in slots), default=0)
    for slot in sorted(slots):
        click.echo(f"{slot.name:<{width}}  {slot.kind.name.lower():<10}  {slot.last:g}")
    _print_rejected(config)


def _print_rejected(config: Config) -> None:
    """What an agent that runs here has met at its doors that was no good; the last of it is shown."""
    from tallystick.agent.doors.feed import read_report
    from tallystick.model.printable import printable

    for address, told in read_report(config.agent.spool_path()).items():
        counts = ", ".join(f"{count} {reason}" for reason, count in told["rejected"].items())
        click.echo(
            f"\n{told['protocol']} on {address}: rejected {counts or 0}; dropped by the system {told['dropped']}",
            err=True,
        )
        for one in told["last"]:
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one["at_s"]))
            click.echo(f"  {moment}  {one['reason']:<16}  {printable(one['text'])}", err=True)


def _run(config: Config, file: Path | None) -> None:
    """Run until SIGINT or SIGTERM; at SIGHUP with what the file says then, if it can be used."""
    from tallystick.agent.heap import share_heap
    from tallystick.agent.notify import notify, reloading
    from tallystick.agent.program import Program

    signals = Signals(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    share_heap()
    is_over = False
    before = config
    while not is_over:
        try:
            program = Program(config, SystemClock())
        except StartError as error:
            if config is before:
                raise
            logging.getLogger(__name__).warning("%s; going on as before", error)
            config = before
            continue
        before = config
        program.start()
        notify("READY=1")
        chosen = config
        while chosen is config and not is_over:
            is_over = any(number != signal.SIGHUP for number in signals.wait())
            if not is_over:
                notify(reloading())
                config = _read_again(config, file)
                if config is chosen:
                    notify("READY=1")
        if is_over:
            notify("STOPPING=1")
        program.stop(2.0 if is_over else 0.0)


def _read_again(config: Config, file: Path | None) -> Config:
    """The config as it is now; the present one where that cannot be used."""
    log = logging.getLogger(__name__)
    try:
        found = _config(file)
    except ConfigError as error:
        log.warning("%s; going on as before", error)
        return config
    log.info("read %s again", file or "the built-in settings")
    return found
