"""Debian's collectd with ``write_graphite``, and the server killed between its sending and our asking."""

from pathlib import Path

import pytest
from collectd import plugins, running_collectd, write_graphite

from servers import START_S_MAX, Server, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]

CPU = "<Plugin cpu>\nReportByCpu false\nValuesPercentage true\n</Plugin>\n"
SERIES = (
    "collectd.web1.cpu.percent-user",
    "collectd.web1.load.load.shortterm",
    "collectd.web1.memory.memory-free",
)


def test_what_collectd_sent_is_served_again_after_a_kill(server: Server, tmp_path: Path) -> None:
    config = plugins("cpu", "load", "memory") + CPU + write_graphite(server.carbon_port, 'Prefix "collectd."')
    with running_collectd(tmp_path, config, host="web1"):
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
    with running_collectd(tmp_path, config, host="web1"):
        wait_until(lambda: len(server.values(SERIES[1])) > slots_before, "collectd to send to the new process")
