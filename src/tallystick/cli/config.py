"""``tallystick config``."""

import click

from tallystick.agent import kinds
from tallystick.config import sample


@click.group("config")
def command() -> None:
    """Help with the config file.

    \b
    tallystick config sample > tallystick.toml
    """


@command.command("sample")
def print_sample() -> None:
    """Print a file with every key, its default and its meaning."""
    click.echo(sample(kinds()), nl=False)
