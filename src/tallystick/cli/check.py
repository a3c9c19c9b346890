"""``tallystick check``."""

from pathlib import Path

import click

from tallystick.agent import kinds
from tallystick.config import load


@click.group("check")
def command() -> None:
    """Look files over before they are used.

    \b
    tallystick check config tallystick.toml
    """


@command.command("config", short_help="Tell all problems of a config file at once.")
@click.argument("file", type=click.Path(path_type=Path))
def check_config(file: Path) -> None:
    """Tell all problems of a config file at once; exit status 3 if there are any."""
    config = load(file, kinds())
    doors = ", ".join(f"{listener.protocol} on {listener.address}" for listener in config.listeners) or "nothing"
    polled = ", ".join(f"{poll.protocol} at {poll.address}" for poll in config.polls) or "nobody"
    collectors = ", ".join(collector.name for collector in config.collectors) or "nothing"
    click.echo(f"{file} is fine.")
    click.echo(f"  listens    {doors}; http on {config.http.address}")
    click.echo(f"  polls      {polled}")
    click.echo(f"  collects   {collectors}")
    click.echo(f"  keeps      {', '.join(f'{keep.match} {keep.keep}' for keep in config.store.retention)}")
    click.echo(f"  stores in  {config.store.path}")
