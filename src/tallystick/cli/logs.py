"""``tallystick logs``."""

import os
import re
import signal
import sys
from pathlib import Path

import click

from tallystick.config.logs import Log
from tallystick.model.address import Address
from tallystick.model.clock import SystemClock
from tallystick.model.errors import TallystickError

_SEND_S = 10.0
_LOOK_S = 1.0


@click.command("logs")
@click.argument("form", metavar="[FORMAT]", required=False, default="")
@click.option(
    "--app", default="", help="Name of the program; {vhost} is the virtual host. FORMAT's first word if not given."
)
@click.option(
    "--pattern", default="", help="A regular expression instead of a format; its matches are counted as lines."
)
@click.option("--errors", is_flag=True, help="Also count lines that tell of errors, by what they have in common.")
@click.option("--token", envvar="TALLYSTICK_AGENT_TOKEN", help="If whoever takes it asks for one.")
@click.option(
    "--to",
    "address",
    default="tcp://127.0.0.1:8120",
    envvar="TALLYSTICK_AGENT",
    show_default=True,
    help="The agent or the server that takes what is counted.",
)
def command(form: str, app: str, pattern: str, errors: bool, address: str, token: str | None) -> None:
    """Count what a log says that comes by the standard input.

    That is requests, their methods and statuses, bytes and times. FORMAT is apache, nginx, or a LogFormat or log_format
    as it is in the web server's configuration. What was counted is sent every ten seconds and at the end; while nobody
    takes it, it is kept in memory.

    \b
    CustomLog "|/usr/bin/tallystick logs apache --app shop" combined
    CustomLog "|/usr/bin/tallystick logs apache --app {vhost}" vhost_combined
    tail -F /var/log/nginx/access.log | tallystick logs nginx --app shop

    The agent follows files by itself, and counts each line once though it is killed: see [[logs]] in its config.
    """
    # A web server that restarts closes the pipe and sends this besides: what is in the pipe is still read.
    signal.signal(signal.SIGTERM, lambda *_: None)
    from tallystick.agent.logs.naming import placed
    from tallystick.agent.logs.pipe import PipedLog
    from tallystick.agent.logs.reader import LogReader
    from tallystick.native import NativeClient
    from tallystick.native.names import here

    if bool(form) == bool(pattern):
        raise click.UsageError("expected either a FORMAT or a --pattern")
    try:
        server = Address.parse(address, ("tcp", "tls", "unix"))
        log = Log(path="/dev/stdin", format=form, pattern=pattern, app=app or _first_word(form), errors=errors or None)
        piped = PipedLog(sys.stdin.fileno(), LogReader(log, Path("log")), SystemClock())
    except (ValueError, re.error) as error:
        raise click.UsageError(str(error)) from error
    place, clock = here(), SystemClock()
    client = NativeClient(server, f"logs-{os.getpid()}", token=token or "")
    client.start()
    sent_s = clock.monotonic()
    while not piped.ended:
        piped.read(_LOOK_S)
        if clock.monotonic() - sent_s >= _SEND_S:
            client.offer(list(placed(piped.take(), place)))
            sent_s = clock.monotonic()
    client.offer(list(placed(piped.take(), place)))
    client.stop(drain_s=5.0)
    if client.counts.acknowledged < client.counts.given:
        raise TallystickError(f"cannot send all to {server}: expected an agent or a server there that answers")
    if piped.reader.unread:
        click.echo(f"cannot read {piped.reader.unread} lines: they are not of the format; expected {form}", err=True)


def _first_word(form: str) -> str:
    return form if form.isalpha() else "web"
