"""``tallystick serve``."""

from pathlib import Path

import click
import msgspec

from tallystick.cli.options import config_from, config_option, server_extra


@click.command("serve")
@config_option
@click.option(
    "--directory", metavar="DIR", type=click.Path(path_type=Path), help="Keep data here, whatever the config says."
)
def command(config_file: Path | None, directory: Path | None) -> None:
    """Receive, keep and show metrics until Ctrl-C.

    Without a file: pages on http://127.0.0.1:8080, carbon on port 2003 (TCP and UDP), StatsD on UDP port 8125, all for
    this machine only, the metrics of this host, and data below ~/.local/share/tallystick.

    \b
    tallystick serve
    tallystick serve --directory /tmp/try
    tallystick config sample > tallystick.toml && tallystick serve --config tallystick.toml
    """
    config = config_from(config_file)
    if directory is not None:
        config = msgspec.structs.replace(config, store=msgspec.structs.replace(config.store, directory=str(directory)))
    with server_extra():
        from tallystick.service import run
    run(config)
