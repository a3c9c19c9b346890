"""``tallystick serve``."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tallystick.cli.compile import with_progress
from tallystick.cli.options import config_from, config_option
from tallystick.model.extras import needed

if TYPE_CHECKING:
    from tallystick.service import Service


@click.command("serve")
@config_option
@click.option(
    "--directory", metavar="DIR", type=click.Path(path_type=Path), help="Keep data here, whatever the config says."
)
def command(config_file: Path | None, directory: Path | None) -> None:
    """Receive, keep and show metrics until Ctrl-C.

    Without a file: pages on http://127.0.0.1:8080, carbon on port 2003 (TCP and UDP; pickles on 2004), StatsD on UDP
    port 8125, OpenTSDB on 4242, collectd on UDP port 25826, all for this machine only, the metrics of this host, and
    data below ~/.local/share/tallystick.

    \b
    tallystick serve
    tallystick serve --directory /tmp/try
    tallystick config sample > tallystick.toml && tallystick serve --config tallystick.toml
    """
    config = config_from(config_file)
    if directory is not None:
        config = msgspec.structs.replace(config, store=msgspec.structs.replace(config.store, directory=str(directory)))
    with needed("run this command", "server"):
        from tallystick.service import run
        from tallystick.warm import is_warm, warm_up
    # SIGTERM ends it as Ctrl-C does: uvicorn raises a signal again when it has ended, before the store is closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if not is_warm():
            with_progress("Compiling for this machine; only the first start does this.", warm_up)
        unsafe_samples = run(config, _announce)
    except KeyboardInterrupt:
        click.echo("Stopped before it took anything.")
        return
    if unsafe_samples:
        click.echo(f"Stopped; the disk did not take the last {unsafe_samples} samples: they are lost.", err=True)
    else:
        click.echo("Stopped; all that was received is on disk.")
    _leave()


def _leave() -> None:
    """End the process now, also if a query still computes in a thread: it only reads, and nobody waits for it."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _announce(service: Service) -> None:
    doors = ", ".join(f"{protocol} on {address}" for protocol, address in service.listening)
    click.echo(f"Tallystick is at http://{str(service.http_address).partition('://')[2]}")
    for sentence in service.left_out:
        click.echo(f"Not open: {sentence}", err=True)
    click.echo(f"It listens to {doors or 'no sender'}. Ctrl-C ends it.")
