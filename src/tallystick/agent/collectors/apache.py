"""Apache by ``mod_status`` (``/server-status?auto``): ``apache.requests``, ``apache.workers.busy`` ...

It is found if the configuration of an Apache that runs has ``server-status``, as Debian's does.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from tallystick.agent.collecting.collector import Found, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host, Surroundings
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.finding import Candidate, answering, configured, near, option
from tallystick.agent.services.reading import Looks, Metric, Ratio, Reading
from tallystick.agent.services.settings import WebSettings
from tallystick.agent.services.web import check_url
from tallystick.config.table import key
from tallystick.model.point import Point

METRICS = (
    Metric("requests", "Total Accesses", "Requests, per second; each look of ours is one", rate=True),
    Metric("sent_bytes", "Total kBytes", "Bytes of answers, per second", rate=True, scale=1024),
    Metric("_busy_ms", "Total Duration", "", rate=True),
    Metric("uptime_s", "ServerUptimeSeconds", "Seconds since it was started"),
    Metric("workers.busy", "BusyWorkers", "Workers that serve a request"),
    Metric("workers.idle", "IdleWorkers", "Workers that wait for one"),
    Metric("connections.total", "ConnsTotal", "Connections (event MPM)"),
    Metric("connections.writing", "ConnsAsyncWriting", "of these: an answer is being written without a worker"),
    Metric("connections.keepalive", "ConnsAsyncKeepAlive", "of these: kept open without a worker"),
    Metric("connections.closing", "ConnsAsyncClosing", "of these: being closed without a worker"),
)
RATIOS = (
    Ratio("request_duration_ms", ("_busy_ms",), ("requests",), "Average time of the requests since the last look", 1.0),
)
SCOREBOARD = {
    "S": Metric("workers.starting", "S", "Workers that start up"),
    "R": Metric("workers.reading", "R", "Workers that read a request"),
    "W": Metric("workers.sending", "W", "Workers that make or send an answer"),
    "K": Metric("workers.keepalive", "K", "Workers held by a connection that is kept open"),
    "D": Metric("workers.dns", "D", "Workers that look up a name"),
    "C": Metric("workers.closing", "C", "Workers that close a connection"),
    "L": Metric("workers.logging", "L", "Workers that write the log"),
    "G": Metric("workers.finishing", "G", "Workers that finish before a restart"),
    "I": Metric("workers.cleaning", "I", "Workers that are being cleaned up"),
    ".": Metric("workers.open", ".", "Places for workers that may yet be started"),
}
USED = Metric("workers.used_percent", "", "Busy workers, of all that there may be")

_INCLUDE = re.compile(r"(?im)^\s*Include(?:Optional)?\s+(\S+)")
_LISTEN = re.compile(r"(?im)^\s*Listen\s+(?:(\S+):)?(\d+)(?!\s+https)\s*$")
_LOCATION = re.compile(r"(?is)<Location\s+\"?([^\s\">]+)\"?\s*>(?:(?!</Location).)*?SetHandler\s+\"?server-status")


class Settings(WebSettings, frozen=True):
    """An Apache that is asked."""

    url: Annotated[str, key("Of mod_status, with ?auto.", check_url)] = "http://127.0.0.1/server-status?auto"


@collector("apache", Settings)
class Apache(Service[Settings]):
    """Requests and workers of a server."""

    TELLS = (*METRICS, *SCOREBOARD.values(), USED, *RATIOS)

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)

    @classmethod
    def discover(cls, around: Surroundings) -> Iterator[Found[Settings]]:
        """By the ``server-status`` that the configuration of each has; Debian's has one for this machine."""
        return answering(cls, around, candidates(around), lambda place: Settings(url=place))

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        yield from self._looks.points(read(self.settings.ask(self.settings.url, self.limit_s).text()), monotonic_s)


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """The status pages of all that run; one with a configuration of its own is called by the page's port."""
    for process in around.leading("apache2", "httpd"):
        usual = "/etc/httpd" if process.name == "httpd" else "/etc/apache2"
        root, given = option(process, "-d") or usual, option(process, "-f")
        files = [given] if given else ["apache2.conf", "conf/httpd.conf"]
        is_usual = root == usual and given in ("", f"{usual}/apache2.conf", f"{usual}/conf/httpd.conf")
        for url in places(configured(around.host, files, _INCLUDE, root)):
            yield Candidate(process.pid, url, "" if is_usual else str(urlsplit(url).port))


def places(configuration: str) -> Iterator[str]:
    """Where a configuration has ``server-status``, as URLs that are asked from this machine."""
    for location in _LOCATION.findall(configuration)[:1]:
        for listened in dict.fromkeys(_LISTEN.findall(configuration)):
            for place in near(*listened):
                yield f"http://{place}{location}?auto"


def read(answer: str) -> Reading:
    """What ``?auto`` says, a ``Name: value`` a line."""
    lines = (line.partition(": ") for line in answer.splitlines())
    fields = {name: value for name, colon, value in lines if colon}
    if "BusyWorkers" not in fields:
        raise ServiceError("cannot read Apache: its answer is no status; expected that of mod_status with ?auto")
    reading = Reading(fields.get("RestartTime", ""))
    reading.take(METRICS, fields)
    board = Counter(fields.get("Scoreboard", "").strip())
    if board:
        for sign, metric in SCOREBOARD.items():
            reading.levels[metric.name] = float(board[sign])
        reading.levels[USED.name] = round(100 * (1 - (board["_"] + board["."]) / board.total()), 3)
    return reading
