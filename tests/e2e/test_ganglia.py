"""Debian's gmond and gmetric: datagrams to one host and to a group, and gmond's XML polled."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ports import free_port
from servers import START_S_MAX, Server, cannot_run, running_server, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 120), pytest.mark.senders]

GMOND, GMETRIC = Path("/usr/sbin/gmond"), Path("/usr/bin/gmetric")
MODULES = Path("/usr/lib")
GROUP = "239.2.11.71"

GMOND_CONFIG = """
globals {{
  daemonize = no setuid = no debug_level = 0 max_udp_msg_len = 1472 mute = no deaf = no host_dmax = 0
  cleanup_threshold = 300 gexec = no send_metadata_interval = 1
  override_hostname = "Web1.example.com" override_ip = "10.0.0.1"
}}
cluster {{ name = "web" owner = "unspecified" latlong = "unspecified" url = "unspecified" }}
host {{ location = "unspecified" }}
{send}
udp_send_channel {{ host = 127.0.0.1 port = {own} }}
udp_recv_channel {{ port = {own} bind = 127.0.0.1 }}
tcp_accept_channel {{ port = {xml} bind = 127.0.0.1 }}
modules {{ module {{ name = "core_metrics" }} module {{ name = "load_module" path = "{modload}" }} }}
collection_group {{
  collect_once = yes time_threshold = 20
  metric {{ name = "heartbeat" }} metric {{ name = "gexec" }}
}}
collection_group {{ collect_every = 1 time_threshold = 1 metric {{ name = "load_one" }} }}
"""
UNICAST = "udp_send_channel {{\n  host = 127.0.0.1\n  port = {port}\n}}\n"
MULTICAST = "udp_send_channel {{ mcast_join = {group} mcast_if = lo port = {port} ttl = 1 }}"

DOORS = """
[[listeners]]
protocol = "ganglia"
address = "udp://{group}:{port}"
multicast = "{group}%lo"
prefix = "group"
[[listeners]]
protocol = "ganglia"
address = "udp://127.0.0.1:0"
[[polls]]
protocol = "ganglia"
address = "tcp://127.0.0.1:{xml}"
prefix = "polled"
interval_s = 1
"""


@dataclass(frozen=True)
class Cluster:
    """A server and the ports on which gmond and it find each other."""

    server: Server
    root: Path
    group_port: int
    xml_port: int

    def config(self, name: str, send: str) -> Path:
        """A config of gmond's that sends there, beside to itself."""
        modload = next(MODULES.glob("**/ganglia/modload.so"), None)
        if modload is None:
            cannot_run("ganglia's modules are missing: apt-get install ganglia-monitor")
        file = self.root / f"{name}.conf"
        own = free_port(socket.SOCK_DGRAM)
        file.write_text(GMOND_CONFIG.format(send=send, own=own, xml=self.xml_port, modload=modload))
        return file

    @property
    def unicast(self) -> str:
        return UNICAST.format(port=self.server.port("ganglia udp"))

    @property
    def multicast(self) -> str:
        return MULTICAST.format(group=GROUP, port=self.group_port)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    for program in (GMOND, GMETRIC):
        if not program.exists():
            cannot_run(f"{program} is missing: apt-get install ganglia-monitor")
    root = tmp_path_factory.mktemp("ganglia")
    group_port, xml_port = free_port(socket.SOCK_DGRAM), free_port()
    with running_server(root, DOORS.format(group=GROUP, port=group_port, xml=xml_port)) as server:
        yield Cluster(server, root, group_port, xml_port)


@contextmanager
def gmond(config: Path) -> Iterator[None]:
    with config.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen([str(GMOND), "-f", "-c", str(config)], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def gmetric(cluster: Cluster, name: str, value: str, kind: str, *options: str) -> None:
    config = cluster.root / "gmetric.conf"
    config.write_text(cluster.unicast)
    command = [str(GMETRIC), "-c", str(config), "-n", name, "-v", value, "-t", kind, *options]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def test_what_gmond_measures_is_there_by_the_names_of_gmetad(cluster: Cluster) -> None:
    server = cluster.server
    with gmond(cluster.config("unicast", cluster.unicast)):
        wait_until(lambda: server.values("ganglia.web1_example_com.load_one"), "gmond's load by datagrams")
        wait_until(lambda: server.values("polled.web.web1_example_com.load_one"), "gmond's load by XML")
        wait_until(lambda: [text for text in server.offenders("text") if "gexec" in text], "gmond's text")
    sent = server.values("ganglia.web1_example_com.load_one")
    assert all(value == round(value, 2) for value in sent), "a load has two decimals, also as a float of 32 bits"
    assert server.balance("ganglia udp")["rejected"].keys() <= {"text", "undeclared"}


def test_gmetrics_types_and_slopes_are_understood(cluster: Cluster) -> None:
    server = cluster.server
    for kind, value in (("uint16", "65535"), ("int32", "-7"), ("float", "21.5"), ("double", "1e-3")):
        gmetric(cluster, f"e2e.{kind}", value, kind, "-S", "10.0.0.9:DB1.example.com")
    hits = ("-s", "positive", "-u", "requests", "-D", "Requests that were asked", "-S", "10.0.0.9:DB1.example.com")
    gmetric(cluster, "e2e.hits", "1000", "uint32", *hits)
    gmetric(cluster, "e2e.words", "hello", "string", "-S", "10.0.0.9:DB1.example.com")
    name = "ganglia.db1_example_com.e2e"
    expected = {f"{name}.uint16": 65535, f"{name}.int32": -7, f"{name}.float": 21.5, f"{name}.double": 1e-3}
    wait_until(
        lambda: (
            {target: list(values.values())[-1:] for target, values in server.render(f"{name}.*").items()}
            == {**{series: [value] for series, value in expected.items()}, f"{name}.hits": [1000.0]}
        ),
        "what gmetric sent",
        told=lambda: server.render(f"{name}.*"),
    )
    assert [text for text in server.offenders("text") if "e2e.words" in text]
    (described,) = server.get("/api/metadata", query=f"{name}.hits")["series"]
    assert (described["unit"], described["description"]) == ("requests", "Requests that were asked")


def test_a_group_is_heard(cluster: Cluster) -> None:
    server = cluster.server
    with gmond(cluster.config("multicast", cluster.multicast)):
        wait_until(lambda: server.values("group.web1_example_com.load_one"), "gmond's load by multicast on loopback")


def test_the_ledger_balances(cluster: Cluster) -> None:
    for source in cluster.server.get("/ledger")["sources"]:
        assert source["received"] == source["stored"] + sum(source["rejected"].values()) + source["in_flight"]


def test_a_gmond_that_is_gone_is_told(cluster: Cluster) -> None:
    server = cluster.server
    source = f"poll ganglia tcp://127.0.0.1:{cluster.xml_port}"
    wait_until(lambda: server.balance(source)["rejected"].get("truncated", 0) >= 3, "three polls to fail")
    wait_until(
        lambda: [n for n in server.get("/healthz")["notices"] if n.startswith("cannot poll ganglia")], "the notice"
    )
    health = server.get("/healthz")
    assert (health["status"], health["problems"]) == ("ok", []), "another host is ill, not this server"
    up = f"tallystick.polls.ganglia-tcp-127_0_0_1-{cluster.xml_port}.up"
    assert 0.0 in wait_until(lambda: server.values(up), "whether it is up")
