"""VictoriaMetrics of Debian's package ``victoria-metrics`` at the same work, for ``--peer``."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, latency
from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, slot_now
from bench.process import Usage
from bench.reading import ONE, THOUSAND, day_of_lines, told
from bench.sender import stream_sender
from bench.server import answers, free_port, temporary, wait_until

_PROGRAM = "victoria-metrics"


@benchmark("peer-carbon", peer=True)
def peer_carbon() -> Iterator[Figure]:
    """VictoriaMetrics: carbon lines over one TCP connection."""
    for series, rounds in ((10_000, 300), (100_000, 30), (500_000, 6)):
        fleet = Fleet(series)
        first, rest = fleet.lines(slot_now(rounds)), fleet.rounds(rounds)
        with running() as peer:
            peer.take(first, series)
            used, began = Usage.of(peer.process.pid), time.monotonic()
            peer.take(rest, series * (rounds + 1))
            wall_s = time.monotonic() - began
            now = Usage.of(peer.process.pid)
        lines, label = series * rounds, f"VictoriaMetrics, {series:,} series"
        yield Figure(f"{label}: CPU-s per million lines", (now.cpu_s - used.cpu_s) / lines * 1e6, "CPU-s", note=load())
        yield Figure(f"{label}: lines a second to durable", lines / wall_s / 1e6, "M/s")
        yield Figure(f"{label}: resident after {rounds + 1} slots", now.resident_bytes / 1e6, "MB")


@benchmark("peer-reading", peer=True)
def peer_reading() -> Iterator[Figure]:
    """VictoriaMetrics: the same reads, by its own query language, without its cache."""
    text, lines = day_of_lines()
    with running() as peer:
        peer.take(text, lines)
        now_s = slot_now()
        day = {"query": f'{{__name__="{ONE}"}}', "start": now_s - 86400, "end": now_s, "step": "10s", "nocache": 1}
        what = "VictoriaMetrics: one series, 24 h as JSON"
        yield from told(what, latency(peer.client, "/api/v1/query_range", 300, **day))
        pattern = THOUSAND.replace(".", "\\\\.").replace("*", "[^.]*")
        average = {**day, "query": f'avg({{__name__=~"{pattern}"}})', "start": now_s - 6 * 3600}
        for query in (day, average):
            found = peer.client.json("/api/v1/query_range", **query)["data"]["result"]
            if len(found) != 1 or len(found[0]["values"]) < 2000:
                raise SystemExit(f"cannot trust the figures: the peer answered {query} with {len(found)} series")
        what = "VictoriaMetrics: average of 1,000 series, 6 h"
        yield from told(what, latency(peer.client, "/api/v1/query_range", 30, **average))
        what = "VictoriaMetrics: 1,000 of 100,000 names by glob (expand)"
        yield from told(what, latency(peer.client, "/metrics/expand", 200, query=THOUSAND))


@dataclass(slots=True)
class Peer:
    """A VictoriaMetrics process."""

    process: "subprocess.Popen[bytes]"
    carbon: int
    client: Client
    data: Path

    def take(self, text: bytes, rows: int) -> None:
        """Send lines and wait until it has that many rows in all and has written them."""
        sender = stream_sender(self.carbon, [text])
        sender.go()
        sender.result()
        wait_until(lambda: self._rows() >= rows, f"{rows} rows to be taken")
        self.client.get("/internal/force_flush")

    def _rows(self) -> int:
        metrics = self.client.get("/metrics").decode().splitlines()
        return sum(
            int(line.split()[-1]) for line in metrics if line.startswith('vm_rows_inserted_total{type="graphite"')
        )


@contextlib.contextmanager
def running() -> Iterator[Peer]:
    """A fresh one, in a temporary directory."""
    if not shutil.which(_PROGRAM):
        raise SystemExit(f"cannot run the peer: there is no {_PROGRAM}; expected apt-get install victoria-metrics")
    http, carbon = free_port(), free_port()
    with temporary() as root, (root / "output").open("wb") as output:
        command = [
            _PROGRAM,
            f"-storageDataPath={root / 'data'}",
            f"-httpListenAddr=127.0.0.1:{http}",
            f"-graphiteListenAddr=127.0.0.1:{carbon}",
            "-search.latencyOffset=0s",
            "-search.maxPointsPerTimeseries=50000",
        ]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: answers(http, "/health"), "the peer to answer")
            yield Peer(process, carbon, Client(http), root / "data")
        finally:
            process.terminate()
            process.wait(timeout=60)
