"""What is scraped and what is run: Prometheus' client, a JVM with Jolokia, Munin's and Nagios' plug-ins."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

import services
from daemons import Daemon, answers, program
from ports import free_port
from servers import cannot_run
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.web import ask
from tallystick.model.kind import Kind
from watched import Watched, wait_until_found

pytestmark = [pytest.mark.senders, pytest.mark.usefixtures("counted_alone")]

JOLOKIA = Path(".senders/jolokia.jar").absolute()
IDLE = "public class Idle { public static void main(String[] words) throws Exception { Thread.sleep(600000); } }"


def test_a_program_with_prometheus_client_is_scraped_and_survives_a_restart() -> None:
    registry = CollectorRegistry()
    orders = Counter("orders", "taken", ["kind"], registry=registry)
    took = Histogram("took_seconds", "each", buckets=(0.1, 1), registry=registry)
    orders.labels("paid").inc(12)
    took.observe(0.5)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    port = server.server_address[1]
    watched = Watched("prometheus", instance="shop", url=f"http://127.0.0.1:{port}/metrics")
    seen = watched.look()
    assert (seen["up"], seen["orders_total;kind=paid"], seen["took_seconds_bucket;le=0.1"]) == (1, 12, 0)
    kinds = {point.name: point.kind for point in watched.points}
    assert kinds["prometheus.shop.orders_total;kind=paid"] is Kind.CUMULATIVE
    assert seen["scrape_samples_scraped"] == len(seen) - 3
    server.shutdown()
    server.server_close()
    thread.join()
    assert watched.look() == {"up": 0}
    server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
    orders.labels("paid").inc()
    assert watched.look()["orders_total;kind=paid"] == 13
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def jvm(tmp_path: Path) -> Iterator[tuple[Daemon, int]]:
    if not JOLOKIA.exists():
        cannot_run("Jolokia is not installed; expected tools/install-senders to have run")
    (tmp_path / "Idle.java").write_text(IDLE)
    port = free_port()
    agent = f"-javaagent:{JOLOKIA}=port={port},host=127.0.0.1"
    daemon = Daemon([program("java"), "-Xmx64m", agent, "Idle.java"], tmp_path, lambda: answers(port))
    daemon.start()
    yield daemon, port
    daemon.kill()


def test_a_jvm_is_asked_by_jolokia_and_survives_a_restart(jvm: tuple[Daemon, int]) -> None:
    daemon, port = jvm
    beans = [
        {"mbean": "java.lang:type=Memory", "attribute": "HeapMemoryUsage/max", "name": "mine.max_bytes"},
        {"mbean": "java.lang:type=Compilation", "attribute": "TotalCompilationTime", "name": "ms", "kind": "counter"},
        {"mbean": "none.there:type=None", "attribute": "None", "name": "none"},
    ]
    url = f"http://127.0.0.1:{port}/jolokia/"
    watched = Watched("jmx", url=url, mbeans=beans, interval_s=60, timeout_s=60)  # its first answers take seconds
    seen = watched.look()
    assert seen["heap.max_bytes"] == seen["mine.max_bytes"] == 64 << 20 and seen["threads.live"] >= 2
    assert 0 < seen["heap.used_percent"] < 100 and "ms" not in seen
    collect = {"type": "exec", "mbean": "java.lang:type=Memory", "operation": "gc"}
    for _ in range(3):
        ask(url, 60, body=str(collect).replace("'", '"').encode())
    seen = watched.look()
    collections = sum(value for name, value in seen.items() if re.fullmatch(r"gc\.[^.]+\.collections", name))
    assert round(10 * collections) >= 3 and "ms" in seen and "none" not in seen
    assert wait_until_found("jmx", url=url) == f"jmx.{port}"
    daemon.kill()
    assert watched.look() == {"up": 0}
    daemon.start()
    back = watched.look()
    assert back["up"] == 1 and "ms" not in back


def test_munins_own_plug_ins_tell_what_the_kernel_tells(open_path: Path) -> None:
    plugins = Path("/usr/share/munin/plugins")
    if not (plugins / "cpu").exists():
        cannot_run("munin-plugins-core is not installed; expected tools/install-senders to have run")
    chosen = open_path / "plugins"
    chosen.mkdir()
    for name in ("cpu", "load", "uptime", "df"):
        (chosen / name).symlink_to(plugins / name)
    (chosen / "if_lo").symlink_to(plugins / "if_")
    watched = Watched("munin", directory=str(chosen), interval_s=60, timeout_s=50)
    first = watched.look()
    assert first["up"] == 1 and watched.cause == ""
    assert first["load.load"] == pytest.approx(os.getloadavg()[1], abs=3)
    assert first["uptime.uptime"] > 0 and "cpu.user" not in first
    seen = watched.look()
    assert seen["cpu.user"] >= 0 and seen["if_lo.up"] >= 0
    watched.close()


def test_nagios_own_plug_ins_tell_of_a_server_that_goes_away(tmp_path: Path) -> None:
    plugin = Path("/usr/lib/nagios/plugins/check_http")
    if not plugin.exists():
        cannot_run("monitoring-plugins-basic is not installed; expected tools/install-senders to have run")
    daemon, port = services.nginx(tmp_path)
    daemon.start()
    try:
        command = [str(plugin), "-I", "127.0.0.1", "-p", str(port), "-w", "5", "-c", "10"]
        watched = Watched("exec", instance="shop", command=command, format="nagios")
        seen = watched.look()
        assert (seen["up"], seen["state"]) == (1, 0)
        assert 0 < seen["time_s"] < 5 and (seen["time_s.warning_above"], seen["time_s.critical_above"]) == (5, 10)
        assert seen["size_bytes"] > 100
        daemon.kill()
        assert watched.look()["state"] == 2
    finally:
        daemon.kill()


def test_a_page_behind_a_password_is_read_with_it(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("tallystick:" + subprocess.check_output(["openssl", "passwd", "-5", "secret"], text=True))
    daemon, port = services.nginx(tmp_path)
    config = tmp_path / "nginx.conf"
    guarded = f'stub_status; auth_basic "x"; auth_basic_user_file {users};'
    config.write_text(config.read_text().replace("stub_status;", guarded))
    daemon.start()
    try:
        url = f"http://127.0.0.1:{port}/nginx_status"
        secret = tmp_path / "secret"
        secret.write_text("secret\n")
        assert Watched("nginx", url=url, user="tallystick", password_file=str(secret)).look()["up"] == 1
        with pytest.raises(ServiceError, match="answers 401"):
            ask(url, 5)
    finally:
        daemon.kill()
