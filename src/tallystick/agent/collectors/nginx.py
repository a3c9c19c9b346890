"""nginx by its ``stub_status`` page: ``nginx.requests``, ``nginx.connections.active`` ...

By the JSON API of NGINX Plus where the URL is that of one (``.../api/9``). It is found if the configuration of an nginx
that runs has ``stub_status`` and may be read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from tallystick.agent.collecting.collector import Found, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host, Surroundings
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.finding import Candidate, answering, configured, near, option
from tallystick.agent.services.reading import Looks, Metric, Reading
from tallystick.agent.services.settings import WebSettings
from tallystick.agent.services.web import check_url
from tallystick.config.table import key
from tallystick.model.point import Point
from tallystick.native.names import component

METRICS = (
    Metric("connections.active", "active", "Connections of clients, the idle ones too"),
    Metric("connections.reading", "reading", "of these: a request is being read"),
    Metric("connections.writing", "writing", "of these: an answer is being made or sent"),
    Metric("connections.waiting", "waiting", "of these: kept open, with nothing to do"),
    Metric("connections.accepted", "accepted", "Connections accepted, per second", rate=True),
    Metric("connections.dropped", "dropped", "Connections accepted and not handled: a limit was hit", rate=True),
    Metric("requests", "requests", "Requests, per second; each look of ours is one", rate=True),
)
ZONES = (
    Metric("zone.<zone>.requests", "requests", "NGINX Plus: requests of a zone, per second", rate=True),
    Metric("zone.<zone>.responses_2xx", "2xx", "NGINX Plus: of its answers those of 200 to 299", rate=True),
    Metric("zone.<zone>.responses_3xx", "3xx", "NGINX Plus: 300 to 399", rate=True),
    Metric("zone.<zone>.responses_4xx", "4xx", "NGINX Plus: 400 to 499", rate=True),
    Metric("zone.<zone>.responses_5xx", "5xx", "NGINX Plus: 500 to 599", rate=True),
    Metric("zone.<zone>.received_bytes", "received", "NGINX Plus: bytes of its clients, per second", rate=True),
    Metric("zone.<zone>.sent_bytes", "sent", "NGINX Plus: bytes to its clients, per second", rate=True),
)
_ZONES_MAX = 200
_USUAL = "/etc/nginx/nginx.conf"
_INCLUDE = re.compile(r"\binclude\s+([^;{}\s]+)\s*;")
_STUB = re.compile(
    r"Active connections:\s*(\d+)\s+server accepts handled requests(?: request_time)?\s+(\d+)\s+(\d+)\s+(\d+)"
    r"[\s\d]*Reading:\s*(\d+)\s+Writing:\s*(\d+)\s+Waiting:\s*(\d+)"
)


class Settings(WebSettings, frozen=True):
    """An nginx that is asked."""

    url: Annotated[str, key("Of stub_status, or of the API of NGINX Plus with its version.", check_url)] = (
        "http://127.0.0.1/nginx_status"
    )


@collector("nginx", Settings)
class Nginx(Service[Settings]):
    """Requests and connections of a server."""

    TELLS = (*METRICS, *ZONES)

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)

    @classmethod
    def discover(cls, around: Surroundings) -> Iterator[Found[Settings]]:
        """By the first ``stub_status`` that the configuration of each has for this machine."""
        return answering(cls, around, candidates(around), lambda place: Settings(url=place))

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        try:
            reading = self._reading(self.settings.url.rstrip("/"))
        except ServiceError:
            self._looks.forget()  # it does not tell when it was started
            raise
        yield from self._looks.points(reading, monotonic_s)

    def _reading(self, url: str) -> Reading:
        if not re.search(r"/api/\d+$", url):
            return read_stub(self.settings.ask(url, self.limit_s).text())
        return read_api(*(self.settings.ask(f"{url}/{part}", self.limit_s).text() for part in _API))


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """The status pages of all that run; one with a configuration of its own is called by the page's port."""
    for process in around.running("nginx"):
        if "master process" not in " ".join(process.arguments):
            continue
        file = str(Path(option(process, "-p"), option(process, "-c") or _USUAL))
        for url in places(configured(around.host, [file], _INCLUDE, str(Path(file).parent))):
            yield Candidate(process.pid, url, "" if file == _USUAL else str(urlsplit(url).port))


def places(configuration: str) -> Iterator[str]:
    """Where a configuration has ``stub_status``, as URLs that are asked from this machine."""
    host, port, location = "", "80", ""
    for directive in re.split("[;{}]", configuration):
        words = directive.split()
        if words[:1] == ["server"] and len(words) == 1:
            host, port = "", "80"
        elif words[:1] == ["listen"] and len(words) > 1:
            host, _, port = words[1].rpartition(":")
            if not port.isdigit():
                host, port = words[1], "80"
        elif words[:1] == ["location"]:
            location = words[-1]
        elif words[:1] == ["stub_status"] and location.startswith("/"):
            for place in near(host, port):
                yield f"http://{place}{location}"


def read_stub(answer: str) -> Reading:
    """What ``stub_status`` says; Tengine's has a column more."""
    found = _STUB.search(answer[:10_000])
    if not found:
        raise ServiceError("cannot read nginx: its answer is no status; expected that of stub_status")
    words = ("active", "accepted", "handled", "requests", "reading", "writing", "waiting")
    fields = dict(zip(words, found.groups(), strict=True))
    fields["dropped"] = str(int(fields["accepted"]) - int(fields["handled"]))
    reading = Reading()
    reading.take(METRICS, fields)
    return reading


_API = ("connections", "http/requests", "http/server_zones")


def read_api(connections: str, requests: str, zones: str) -> Reading:
    """What the API of NGINX Plus says in three answers."""
    told, counted, of_zones = _table(connections), _table(requests), _table(zones)
    reading = Reading()
    reading.take(
        METRICS,
        {
            "active": str(told.get("active", "")),
            "waiting": str(told.get("idle", "")),
            "accepted": str(told.get("accepted", "")),
            "dropped": str(told.get("dropped", "")),
            "requests": str(counted.get("total", "")),
        },
    )
    for zone, said in list(of_zones.items())[:_ZONES_MAX]:
        if isinstance(said, dict):
            responses = said.get("responses")
            fields = {**said, **(responses if isinstance(responses, dict) else {})}
            reading.take(ZONES, {name: str(value) for name, value in fields.items()}, f"zone.{component(zone)}")
    return reading


def _table(answer: str) -> Mapping[str, Any]:
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise ServiceError(f"cannot read nginx: its answer is no JSON: {error}; expected that of its API") from error
    if not isinstance(read, dict):
        raise ServiceError("cannot read nginx: its answer is no table; expected that of its API")
    return read
