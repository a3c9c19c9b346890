"""``tallystick send``."""

import math
import re
import socket
import sys
import time
from collections.abc import Iterable, Iterator

import click

from tallystick.cli.datagrams import datagrams
from tallystick.cli.options import token_option
from tallystick.cli.store._server import post
from tallystick.config import Address
from tallystick.model.errors import TallystickError
from tallystick.model.name import NAME_BYTES_MAX

_SERVER = "http://127.0.0.1:8080"
_STATSD = "udp://127.0.0.1:8125"
_TYPES = {"counter": "c", "timing": "ms", "gauge": "g"}
_NOT_IN_NAMES = re.compile(r"[\x00-\x20\x7f:|@]")


@click.command("send", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("value", required=False)
@click.option("--gauge", "kind", flag_value="gauge", default="gauge", help="A level (the default).")
@click.option("--counter", "kind", flag_value="counter", help="An increment; increments are summed.")
@click.option("--aggregate", "--timing", "kind", flag_value="timing", help="A sample, for timings in milliseconds.")
@click.option("--event", "kind", flag_value="event", help="Something that happened; NAME is a line that says what.")
@click.option("--tag", "tags", multiple=True, help="Of an event; may be given several times.")
@click.option("--data", default="", help="Of an event: whatever belongs to it.")
@click.option(
    "--to",
    "address",
    help=f"StatsD on udp://host:port, or carbon on tcp://host:port, which takes levels only; {_STATSD} if not given. "
    f"For events a server on http://host:port; {_SERVER} if not given.",
)
@token_option
def command(
    name: str, value: str | None, kind: str, tags: tuple[str, ...], data: str, address: str | None, token: str | None
) -> None:
    """Send numbers and events from a script.

    One number, or lines of 'name value' from the standard input if NAME is '-'.

    \b
    tallystick send app.signups 1 --counter
    tallystick send backup.duration 5300 --aggregate
    df --output=target,pcent | sed "1d; s/%//; s/^/df/; s,/,.,g" | tallystick send -
    tallystick send room.temperature 21.5 --to tcp://127.0.0.1:2003
    tallystick send "deployed shop 4.2" --event --tag deploy --tag shop

    A line that cannot be sent is told and costs only itself; the exit status is then 1. An event is on disk when the
    command ends.
    """
    if kind == "event":
        _send_event(address or _SERVER, name, value, tags, data, token)
        return
    if tags or data:
        raise click.UsageError("only events have tags and data; expected --event beside --tag and --data")
    try:
        target = Address.parse(address or _STATSD, ("udp", "tcp"))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from error
    if target.scheme == "tcp" and kind != "gauge":
        raise click.UsageError(f"carbon lines cannot carry a {kind}; expected --gauge, or --to udp://host:port")
    if (name == "-") != (value is None):
        raise click.UsageError("expected NAME and VALUE, or '-' alone to read them from the standard input")
    rejected: list[str] = []
    pairs = _pairs(sys.stdin if name == "-" else [f"{name} {value}"], rejected)
    try:
        if target.scheme == "udp":
            _send_statsd(target, pairs, _TYPES[kind])
        else:
            _send_carbon(target, pairs)
    except OSError as error:
        raise TallystickError(
            f"cannot send to {target}: {error.strerror or error}; expected a server that listens there"
        ) from error
    if rejected:
        raise TallystickError("\n".join(rejected))


def _send_event(server: str, what: str, value: str | None, tags: tuple[str, ...], data: str, token: str | None) -> None:
    if value is not None:
        raise click.UsageError(f"an event has no value, {value!r} is too much; expected what happened in quotes")
    if not server.startswith(("http://", "https://")):
        raise click.BadParameter(f"events go to http://host:port, not to {server!r}", param_hint="--to")
    post(server, "/api/events", {"what": what, "tags": list(tags), "data": data}, token)


def _pairs(lines: Iterable[str], rejected: list[str]) -> Iterator[tuple[str, float]]:
    """Names and values of the lines that can be sent; a sentence for each other line goes to `rejected`."""
    for line in lines:
        name, _, text = line.strip().rpartition(" ")
        name = name.strip()
        if not line.strip():
            continue
        if not name or _NOT_IN_NAMES.search(name) or len(name.encode()) > NAME_BYTES_MAX:
            rejected.append(f"cannot send {line.strip()[:200]!r}: {name[:100]!r} is no name; expected 'name value'")
            continue
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            yield name, value
        else:
            rejected.append(f"cannot send {line.strip()[:200]!r}: {text!r} is no number; expected 'name value'")


def _send_statsd(target: Address, pairs: Iterable[tuple[str, float]], kind: str) -> None:
    family = socket.AF_INET6 if ":" in target.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.connect((target.host, target.port))
        for datagram in datagrams(_statsd_lines(pairs, kind)):
            connection.send(datagram)
        # The kernel knows by now if nobody listens on this machine, and would tell only at the next send.
        refused = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if refused:
            raise ConnectionRefusedError(refused, "nobody listens")


def _statsd_lines(pairs: Iterable[tuple[str, float]], kind: str) -> Iterator[str]:
    for name, value in pairs:
        if kind == "g" and value < 0:
            yield f"{name}:0|g"  # a sign means a change of the level: from zero it is the level itself
        yield f"{name}:{value!r}|{kind}"


def _send_carbon(target: Address, pairs: Iterable[tuple[str, float]]) -> None:
    with socket.create_connection((target.host, target.port), timeout=10) as connection:
        for name, value in pairs:
            connection.sendall(f"{name} {value!r} {int(time.time())}\n".encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):  # until the server has read everything and closes
            pass
