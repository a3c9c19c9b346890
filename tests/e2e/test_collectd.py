"""Debian's collectd with ``write_graphite``, and the server killed between its sending and our asking."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers import START_S_MAX, Server, cannot_run, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]

COLLECTD = Path("/usr/sbin/collectd")
CONFIG = """
Hostname "web1"
FQDNLookup false
Interval 1
BaseDir "{root}"
PIDFile "{root}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin cpu
LoadPlugin load
LoadPlugin memory
LoadPlugin write_graphite
<Plugin cpu>
  ReportByCpu false
  ValuesPercentage true
</Plugin>
<Plugin write_graphite>
  <Node "tallystick">
    Host "127.0.0.1"
    Port "{port}"
    Protocol "tcp"
    Prefix "collectd."
  </Node>
</Plugin>
"""
SERIES = (
    "collectd.web1.cpu.percent-user",
    "collectd.web1.load.load.shortterm",
    "collectd.web1.memory.memory-free",
)


@contextmanager
def running_collectd(root: Path, port: int) -> Iterator[None]:
    if not COLLECTD.exists():
        cannot_run(f"{COLLECTD} is missing: apt-get install collectd-core")
    config = root / "collectd.conf"
    config.write_text(CONFIG.format(root=root, port=port))
    with (root / "collectd.log").open("wb") as log:
        process = subprocess.Popen([str(COLLECTD), "-f", "-C", str(config)], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_what_collectd_sent_is_served_again_after_a_kill(server: Server, tmp_path: Path) -> None:
    with running_collectd(tmp_path, server.carbon_port):
        wait_until(lambda: all(server.values(name) for name in SERIES), f"values of {SERIES}")
    server.wait_until_safe()
    before = server.render("collectd.web1.*.*") | server.render("collectd.web1.*.*.*")
    assert before.keys() >= set(SERIES)
    nodes = server.get("/metrics/find", query="collectd.web1.*")
    assert [node["text"] for node in nodes] == ["cpu", "load", "memory"]
    assert all(value > 0 for value in server.values("collectd.web1.memory.memory-free"))
    assert max(sum(at.values()) for at in [server.render("sumSeries(collectd.web1.cpu.*)").popitem()[1]]) > 0
    ledger = server.balance("carbon tcp")
    assert ledger["stored"] + sum(ledger["rejected"].values()) == ledger["received"]

    server.kill()
    server.start()

    after = server.render("collectd.web1.*.*") | server.render("collectd.web1.*.*.*")
    assert after == before
    assert server.get("/healthz")["status"] == "ok"
    slots_before = len(before[SERIES[1]])
    with running_collectd(tmp_path, server.carbon_port):
        wait_until(lambda: len(server.values(SERIES[1])) > slots_before, "collectd to send to the new process")
