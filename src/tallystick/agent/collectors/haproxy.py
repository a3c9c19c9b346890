"""HAProxy by its stats socket: ``haproxy.frontend.web.requests``, ``haproxy.server.app.one.up`` ...

By ``show stat`` and ``show info``, or by its page of statistics as CSV over HTTP. It is found if its configuration may
be read, and its socket written by us.
"""

import csv
import re
from collections.abc import Iterator
from typing import Annotated

from tallystick.agent.collecting.collector import Found, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host, Surroundings
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.finding import Candidate, answering, by_path, configured, option
from tallystick.agent.services.reading import Looks, Metric, Reading
from tallystick.agent.services.settings import WebSettings
from tallystick.agent.services.stream import Stream
from tallystick.agent.services.web import check_url
from tallystick.config.table import key
from tallystick.model.address import Address
from tallystick.model.point import Point
from tallystick.native.names import component

INFO = (
    Metric("uptime_s", "Uptime_sec", "Seconds since the process was started"),
    Metric("connections.open", "CurrConns", "Connections of clients"),
    Metric("connections.max", "Maxconn", "Connections that there may be"),
    Metric("connections.accepted", "CumConns", "Connections, per second", rate=True),
    Metric("tls.connections", "CurrSslConns", "Connections over TLS, of both sides"),
    Metric("idle_percent", "Idle_pct", "Time that the process waits"),
)
_ALL = (
    Metric("sessions.open", "scur", "Sessions"),
    Metric("sessions.max", "slim", "Sessions that there may be"),
    Metric("sessions.opened", "stot", "Sessions, per second", rate=True),
    Metric("received_bytes", "bin", "Bytes of clients, per second", rate=True),
    Metric("sent_bytes", "bout", "Bytes to clients, per second", rate=True),
    Metric("responses_1xx", "hrsp_1xx", "Answers of 100 to 199, per second", rate=True),
    Metric("responses_2xx", "hrsp_2xx", "200 to 299", rate=True),
    Metric("responses_3xx", "hrsp_3xx", "300 to 399", rate=True),
    Metric("responses_4xx", "hrsp_4xx", "400 to 499", rate=True),
    Metric("responses_5xx", "hrsp_5xx", "500 to 599", rate=True),
)
_TO_SERVERS = (
    Metric("up", "status", "1 if it takes requests, else 0: down, in maintenance, draining"),
    Metric("queue", "qcur", "Requests that wait for a place"),
    Metric("connect_errors", "econ", "Connections to servers that failed, per second", rate=True),
    Metric("response_errors", "eresp", "Answers of servers that broke off, per second", rate=True),
    Metric("retries", "wretr", "Connections tried again, per second", rate=True),
    Metric("redispatches", "wredis", "Requests given to another server, per second", rate=True),
    Metric("queue_ms", "qtime", "Average time in the queue, of the last 1,024 requests"),
    Metric("connect_ms", "ctime", "Average time to connect, of these"),
    Metric("response_ms", "rtime", "Average time until an answer begins, of these"),
    Metric("session_ms", "ttime", "Average time of a session, of these"),
    Metric("downtime_percent", "downtime", "Time without being up, since the last look", rate=True, scale=100),
    Metric("last_change_s", "lastchg", "Seconds since it went up or down"),
)
SCOPES = {
    "0": (
        "frontend.<proxy>",
        (
            Metric("up", "status", "1 if it takes connections, else 0"),
            *_ALL,
            Metric("requests", "req_tot", "Requests, per second", rate=True),
            Metric("request_errors", "ereq", "Requests that were none, per second", rate=True),
            Metric("denied", "dreq", "Requests that a rule refused, per second", rate=True),
        ),
    ),
    "1": (
        "backend.<proxy>",
        (
            *_ALL,
            *_TO_SERVERS,
            Metric("requests", "req_tot", "Requests, per second", rate=True),
            Metric("servers_up", "act", "Servers that are up"),
            Metric("backups_up", "bck", "Servers that are up and only used when no other is"),
        ),
    ),
    "2": (
        "server.<proxy>.<server>",
        (*_ALL, *_TO_SERVERS, Metric("checks_failed", "chkfail", "Checks that failed, per second", rate=True)),
    ),
}
"""By the number that HAProxy has for the kind of a row: what names begin with, and the metrics."""
METRICS = (*INFO, *(metric._replace(name=f"{start}.{metric.name}") for start, of in SCOPES.values() for metric in of))

_SOCKET = re.compile(r"(?m)^\s*stats\s+socket\s+(?:unix@)?(/\S+)")
_NO_INCLUDE = re.compile(r"(?!)")
_ROWS_MAX = 5000
_USUAL = "/etc/haproxy/haproxy.cfg"
_UP = ("UP", "OPEN", "no check")


def _place(text: str) -> None:
    if text.startswith("http"):
        check_url(text)
    else:
        Address.parse(text, ("unix", "tcp", "http", "https"))


class Settings(WebSettings, frozen=True):
    """An HAProxy that is asked."""

    address: Annotated[
        str, key("unix:///path or tcp://host:port of a stats socket, or the URL of a page, with ;csv.", _place)
    ] = "unix:///run/haproxy/admin.sock"


@collector("haproxy", Settings)
class Haproxy(Service[Settings]):
    """Frontends, backends and servers."""

    TELLS = METRICS

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)

    @classmethod
    def discover(cls, around: Surroundings) -> Iterator[Found[Settings]]:
        """By the stats socket of the configuration of each."""
        return answering(cls, around, candidates(around), lambda place: Settings(address=place))

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        settings = self.settings
        if settings.address.startswith("http"):
            reading = read(settings.ask(settings.address, self.limit_s).text())
        else:
            reading = read(self._said("show stat"), self._said("show info"))
        yield from self._looks.points(reading, monotonic_s)

    def _said(self, command: str) -> str:
        """The answer of the socket, which hangs up after each."""
        with Stream(Address.parse(self.settings.address), self.limit_s) as stream:
            stream.send(f"{command}\n".encode())
            return stream.rest().decode("utf-8", "replace")


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """The sockets of all that run; one with a configuration of its own is called by its path."""
    for process in around.leading("haproxy"):
        file = option(process, "-f") or _USUAL
        for path in _SOCKET.findall(configured(around.host, [file], _NO_INCLUDE)):
            yield Candidate(process.pid, f"unix://{path}", by_path(file, _USUAL))


def read(stat: str, info: str = "") -> Reading:
    """What ``show stat`` and ``show info`` say: a table as CSV, and ``Name: value`` a line."""
    lines = stat.strip().splitlines()
    if not lines or not lines[0].startswith("# pxname,svname,"):
        raise ServiceError("cannot read HAProxy: its answer is no table; expected that of show stat")
    told = {name: value for name, _, value in (line.partition(": ") for line in info.splitlines())}
    reading = Reading(told.get("Pid", ""))
    reading.take(INFO, told)
    columns = lines[0].removeprefix("# ").split(",")
    for row in csv.reader(lines[1 : 1 + _ROWS_MAX]):
        _row(reading, dict(zip(columns, row, strict=False)))
    return reading


def _row(reading: Reading, fields: dict[str, str]) -> None:
    if fields.get("type") not in SCOPES:
        return
    start, metrics = SCOPES[fields["type"]]
    words = {"<proxy>": component(fields["pxname"]), "<server>": component(fields["svname"])}
    under = ".".join(words.get(part, part) for part in start.split("."))
    # "UP 1/3" is on its way down and takes requests still; "DOWN 1/2" is on its way up.
    up = fields.get("status", "").startswith(_UP)
    reading.take(metrics, {**fields, "status": "1" if up else "0"}, under)
