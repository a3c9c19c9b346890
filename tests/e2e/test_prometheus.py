"""Debian's Prometheus: it scrapes itself and an application, and writes what it finds to us."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, start_http_server

from ports import free_port
from prometheus_messages import MetricFamily
from servers import START_S_MAX, Server, cannot_run, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 120), pytest.mark.senders]

PROMETHEUS = Path("/usr/bin/prometheus")
SOURCE = "http /api/v1/write"
CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: prometheus
    static_configs: [{{targets: ["127.0.0.1:{own_port}"]}}]
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{shop_port}"]}}]
remote_write:
  - url: {url}/api/v1/write
    queue_config: {{batch_send_deadline: 500ms}}
    metadata_config: {{send_interval: 2s}}
    send_native_histograms: true
"""
FAMILIES = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
HISTOGRAM_TYPE = 4


@contextmanager
def running_shop() -> Iterator[int]:
    """An application that is scraped; gives its port."""
    registry = CollectorRegistry()
    Counter("shop_requests", "Requests.", ["code", "path"], registry=registry).labels("200", "/a b;c").inc(7)
    Gauge("shop_queue", "Waiting.", ["name"], registry=registry).labels("mail").set(-2.5)
    Gauge("shop_unknown", "Not known.", registry=registry).set(float("nan"))
    Summary("shop_bytes", "Sizes.", registry=registry).observe(1024)
    seconds = Histogram("shop_seconds", "Time.", buckets=(0.1, 1), registry=registry)
    for observed in (0.05, 0.5, 5):
        seconds.observe(observed)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Timed(BaseHTTPRequestHandler):
    """An application with a native histogram: at each scrape ten samples more in each of two buckets behind 1."""

    scrapes = 0

    def do_GET(self) -> None:
        Timed.scrapes += 1
        count = 10 * Timed.scrapes
        histogram = {
            "sample_count": 2 * count,
            "sample_sum": 2.2 * count,
            "schema": 3,
            "zero_threshold": 1e-128,
            "positive_span": [{"offset": 1, "length": 2}],
            "positive_delta": [count, 0],
        }
        family = MetricFamily(name=b"rpc_seconds", type=HISTOGRAM_TYPE, metric=[{"histogram": histogram}])
        body = family.SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", FAMILIES)
        self.end_headers()
        self.wfile.write(bytes([len(body)]) + body)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def running_timed() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Timed)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running_prometheus(root: Path, port: int, config: str) -> Iterator[None]:
    if not PROMETHEUS.exists():
        cannot_run(f"{PROMETHEUS} is missing: apt-get install prometheus")
    (root / "prometheus.yml").write_text(config)
    command = [
        str(PROMETHEUS),
        f"--config.file={root}/prometheus.yml",
        f"--storage.tsdb.path={root}/prometheus",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=native-histograms",
    ]
    with (root / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def latest(server: Server, target: str) -> float | None:
    """The last value of a series, None if there is none."""
    values = server.values(target)
    return values[-1] if values else None


def rejected(server: Server) -> dict[str, int]:
    """What the ledger says was rejected of what Prometheus sent."""
    sources = {balance["source"]: balance for balance in server.get("/ledger")["sources"]}
    return dict(sources[SOURCE]["rejected"]) if SOURCE in sources else {}


def expected_of(shop: str, own: str) -> dict[str, float]:
    """What the series of the shop, and Prometheus itself, are to say; the arguments are tags."""
    return {
        f"shop_requests_total;code=200;{shop};path=/a_b_c": 7,
        f"shop_queue;exported_name=mail;{shop}": -2.5,
        f"shop_bytes_sum;{shop}": 1024,
        f"shop_seconds_bucket;{shop};le=0.1": 1,
        f"shop_seconds_bucket;{shop};le=+Inf": 3,
        f"shop_seconds_count;{shop}": 3,
        f"up;{shop}": 1,
        f"up;{own}": 1,
    }


def wait_for(server: Server, target: str, value: float) -> None:
    wait_until(lambda: latest(server, target) == value, f"{target} to be {value}", told=lambda: latest(server, target))


def test_what_prometheus_scrapes_is_read_here_and_neither_gaps_nor_ends_are_errors(
    server: Server, tmp_path: Path
) -> None:
    own_port = free_port()
    with ExitStack() as both:
        with running_shop() as shop_port:
            config = CONFIG.format(own_port=own_port, shop_port=shop_port, url=server.url)
            both.enter_context(running_prometheus(tmp_path, own_port, config))
            shop, own = (
                f"instance=127.0.0.1:{p};job={job}" for p, job in ((shop_port, "shop"), (own_port, "prometheus"))
            )
            for target, value in expected_of(shop, own).items():
                wait_for(server, target, value)
            wait_until(lambda: "value_not_finite" in rejected(server), "a value that is none")
        wait_until(lambda: "stale" in rejected(server), "series to end with their target")
        wait_for(server, f"up;{shop}", 0)
        failed = server.render("seriesByTag('name=prometheus_remote_storage_samples_failed_total')")
        assert [set(at.values()) for at in failed.values()] == [{0}]
    balance = server.balance(SOURCE)
    assert balance["stored"] > 100
    assert balance["received"] == balance["stored"] + sum(balance["rejected"].values()) + balance["in_flight"]
    assert set(balance["rejected"]) == {"stale", "value_not_finite"}


def test_native_histograms_that_prometheus_scrapes_are_timings_here(server: Server, tmp_path: Path) -> None:
    own_port = free_port()
    with running_timed() as port:
        config = CONFIG.format(own_port=own_port, shop_port=port, url=server.url)
        with running_prometheus(tmp_path, own_port, config):
            name = f"rpc_seconds;instance=127.0.0.1:{port};job=shop"
            wait_until(lambda: sum(server.values(f"stat({name}, 'count')")) >= 60, "three scrapes' samples")
            averages = server.values(name)
            assert all(1.09 < average < 1.11 for average in averages)
            assert all(1 < value < 2 ** (2 / 8) for value in server.values(f"percentile({name}, 99)"))
            assert sum(server.values(f"stat({name}, 'count')")) % 20 == 0
            failed = server.render("seriesByTag('name=prometheus_remote_storage_histograms_failed_total')")
            assert [set(at.values()) for at in failed.values()] == [{0}]
    balance = server.balance(SOURCE)
    assert balance["rejected"]["reset"] == 1
    assert balance["received"] == balance["stored"] + sum(balance["rejected"].values()) + balance["in_flight"]
