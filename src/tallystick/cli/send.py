"""``tallystick send``."""

import math
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator

import click

from tallystick.cli.datagrams import datagrams
from tallystick.cli.options import token_option
from tallystick.cli.sending import is_name, lines, send_datagrams
from tallystick.cli.server import SERVER, post
from tallystick.model.address import Address
from tallystick.model.errors import TallystickError
from tallystick.native.names import APP, APP_ON_HOST, here
from tallystick.sockets import connect

_STATSD = "udp://127.0.0.1:8125"
_EVENT_BYTES_MAX = 8000

Names = Callable[[str], list[str]]
"""All names that what is counted under one is stored under."""


@click.command("send", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("value", required=False)
@click.option("--gauge", "kind", flag_value="gauge", default="gauge", help="A level (the default).")
@click.option("--counter", "kind", flag_value="counter", help="An increment, 1 without VALUE; they are summed.")
@click.option("--aggregate", "--timing", "kind", flag_value="timing", help="A sample, for timings in milliseconds.")
@click.option("--set", "kind", flag_value="set", help="A member of a set; different ones are counted.")
@click.option("--event", "kind", flag_value="event", help="Something that happened; NAME is a line that says what.")
@click.option(
    "--sample-rate",
    "one_in",
    type=click.IntRange(1, 1_000_000),
    default=1,
    metavar="N",
    help="Of a counter: the script counts one in N, so each stands for N.",
)
@click.option("--app", help="Put the name below those of this program; or set TALLYSTICK_APP.")
@click.option("--env", "environment", help="Put it below this environment; or set TALLYSTICK_ENVIRONMENT.")
@click.option("--host-only", is_flag=True, help="Count it for this host and not for the cluster, as gauges are.")
@click.option("--cluster-only", is_flag=True, help="Count it for the cluster and not for this host.")
@click.option("--tag", "tags", multiple=True, help="Of an event; may be given several times.")
@click.option("--data", default="", help="Of an event: whatever belongs to it.")
@click.option(
    "--to",
    "address",
    help=f"StatsD, an agent's or a server's, on udp://host:port or unix:///path, or carbon on tcp://host:port, which "
    f"takes levels only; {_STATSD} if not given. Events go to a server on http://host:port, {SERVER} if not given, or "
    "by StatsD.",
)
@token_option
def command(
    name: str,
    value: str | None,
    kind: str,
    one_in: int,
    app: str | None,
    environment: str | None,
    host_only: bool,
    cluster_only: bool,
    tags: tuple[str, ...],
    data: str,
    address: str | None,
    token: str | None,
) -> None:
    """Send numbers and events from a script.

    One number, or lines of 'name value' from the standard input if NAME is '-'.

    \b
    tallystick send app.signups 1 --counter
    tallystick send backup.duration 5300 --aggregate
    tallystick send signups --counter --app shop --env prod
    df --output=target,pcent | sed "1d; s/%//; s/^/df/; s,/,.,g" | tallystick send -
    tallystick send room.temperature 21.5 --to tcp://127.0.0.1:2003
    tallystick send "deployed shop 4.2" --event --tag deploy --tag shop

    With --app, --env, --host-only or --cluster-only the name is made by rule: prod.apps.shop.signups for the cluster,
    and for this host prod.hosts.CLASS.HOST.shop.signups; a gauge has the latter only.

    A line that cannot be sent is told and costs only itself; the exit status is then 1, as it is when nobody listens on
    this machine. An event that a server was sent is on disk when the command ends.
    """
    if host_only and cluster_only:
        raise click.UsageError("nothing is left of --host-only with --cluster-only; expected one of them")
    if one_in > 1 and kind != "counter":
        raise click.UsageError(f"a {kind} has no --sample-rate; expected it beside --counter")
    place = here(environment=environment or "", app=app or "")
    if kind == "event":
        said = {"app": place.app, "env": environment or ""}
        _send_event(address or SERVER, name, value, (*tags, *(f"{k}:{v}" for k, v in said.items() if v)), data, token)
        return
    if tags or data:
        raise click.UsageError("only events have tags and data; expected --event beside --tag and --data")
    templates = [] if cluster_only else [APP_ON_HOST]
    templates += [] if host_only or (kind == "gauge" and not cluster_only) else [APP]

    def names(name: str) -> list[str]:
        if place.app or environment or host_only or cluster_only:
            return [place.name(template, name) for template in templates]
        return [name]

    if kind == "counter" and value is None and name != "-":
        value = "1"
    if (name == "-") != (value is None):
        raise click.UsageError("expected NAME and VALUE, or '-' alone to read them from the standard input")
    _send_values(address or _STATSD, sys.stdin if name == "-" else [f"{name} {value}"], kind, one_in, names)


def _send_values(address: str, said: Iterable[str], kind: str, one_in: int, names: Names) -> None:
    target = _target(address, ("udp", "tcp", "unix", "unixgram"))
    if target.scheme == "tcp" and kind != "gauge":
        raise click.UsageError(f"carbon lines cannot carry a {kind}; expected --gauge, or --to udp://host:port")
    rejected: list[str] = []
    pairs = ((one, value) for name, value in _pairs(said, kind, rejected) for one in names(name))
    try:
        if target.scheme == "tcp":
            _send_carbon(target, pairs)
        else:
            _send_statsd(target, (line for name, value in pairs for line in lines(name, value, kind, one_in)))
    except OSError as error:
        raise _not_sent(target, error) from error
    if rejected:
        raise TallystickError("\n".join(rejected))


def _target(address: str, schemes: tuple[str, ...]) -> Address:
    try:
        return Address.parse(address, schemes)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from error


def _not_sent(target: Address, error: OSError) -> TallystickError:
    cause = error.strerror or error
    return TallystickError(f"cannot send to {target}: {cause}; expected an agent or a server that listens there")


def _send_event(to: str, what: str, value: str | None, tags: tuple[str, ...], data: str, token: str | None) -> None:
    if value is not None:
        raise click.UsageError(f"an event has no value, {value!r} is too much; expected what happened in quotes")
    if to.startswith(("http://", "https://")):
        post(to, "/api/events", {"what": what, "tags": list(tags), "data": data}, token)
        return
    target = _target(to, ("udp", "unix", "unixgram"))
    line = _event_line(what, tags, data)
    if len(line.encode()) > _EVENT_BYTES_MAX:
        raise TallystickError(
            f"cannot send an event of {len(line.encode())} bytes by StatsD: expected {_EVENT_BYTES_MAX}"
        )
    try:
        _send_statsd(target, [line])
    except OSError as error:
        raise _not_sent(target, error) from error


def _event_line(what: str, tags: tuple[str, ...], data: str) -> str:
    """An event as DogStatsD writes it, in which nothing can be taken for something else."""
    what, data = what.replace("\n", " "), data.replace("\r", "").replace("\n", "\\n")
    said = ",".join(tag.replace("|", "_").replace(",", "_").replace("\n", " ") for tag in tags)
    return f"_e{{{len(what.encode())},{len(data.encode())}}}:{what}|{data}" + (f"|#{said}" if said else "")


def _pairs(said: Iterable[str], kind: str, rejected: list[str]) -> Iterator[tuple[str, str]]:
    """Names and values of the lines that can be sent; a sentence for each other line goes to `rejected`."""
    for line in said:
        name, _, text = line.strip().rpartition(" ")
        name = name.strip()
        if not line.strip():
            continue
        value = _member(text) if kind == "set" else _number(text)
        if not is_name(name):
            rejected.append(f"cannot send {line.strip()[:200]!r}: {name[:100]!r} is no name; expected 'name value'")
        elif value is None:
            what = "member of a set" if kind == "set" else "number"
            rejected.append(f"cannot send {line.strip()[:200]!r}: {text!r} is no {what}; expected 'name value'")
        else:
            yield name, value


def _number(text: str) -> str | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return repr(value) if math.isfinite(value) else None


def _member(text: str) -> str | None:
    return None if not text or "|" in text else text


def _send_statsd(target: Address, said: Iterable[str]) -> None:
    if target.local:
        send_datagrams(socket.AF_UNIX, target.path, datagrams(said))
    else:
        family = socket.AF_INET6 if ":" in target.host else socket.AF_INET
        send_datagrams(family, (target.host, target.port), datagrams(said))


def _send_carbon(target: Address, pairs: Iterable[tuple[str, str]]) -> None:
    with connect(target, 10) as connection:
        for name, value in pairs:
            connection.sendall(f"{name} {value} {int(time.time())}\n".encode())
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):  # until the server has read everything and closes
            pass
