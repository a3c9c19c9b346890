"""Etsy's StatsD, the program in Node.js, as `tools/install-senders` puts it there; and a sink for what it flushes."""

import json
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ports import free_port
from servers import cannot_run, wait_until

PROGRAM = Path(__file__).parents[1] / ".senders" / "node_modules" / "statsd" / "stats.js"


class Sink:
    """Takes carbon's lines on a port of its own; keeps each connection's, which is one flush of StatsD."""

    def __init__(self) -> None:
        self.flushes: list[dict[str, float]] = []
        flushes = self.flushes

        class Flush(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                rows = [line.split() for line in self.rfile.read().decode().splitlines()]
                flushes.append({name: float(value) for name, value, _ in rows})

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Flush)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def with_name(self, name: str) -> dict[str, float] | None:
        """The first flush in which a name is, and not zero."""
        return next((flush for flush in list(self.flushes) if flush.get(name)), None)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink that is closed at the end."""
    opened = Sink()
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def running_statsd(root: Path, **config: Any) -> Iterator[int]:
    """A StatsD with this config, beside its ports; gives the port that it takes datagrams on."""
    node = shutil.which("node")
    if node is None or not PROGRAM.exists():
        cannot_run("the npm package statsd is missing: tools/install-senders")
    port = free_port(socket.SOCK_DGRAM)
    whole = {
        "port": port,
        "address": "127.0.0.1",
        "mgmt_port": free_port(),
        "mgmt_address": "127.0.0.1",
    } | config
    (root / "statsd.js").write_text(json.dumps(whole))
    log = root / "statsd.log"
    with log.open("wb") as output:
        process = subprocess.Popen([node, str(PROGRAM), str(root / "statsd.js")], stdout=output, stderr=output)
    try:
        wait_until(lambda: _is_taken(port), "StatsD to be up", told=log.read_bytes)  # it says so before it listens
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def send(port: int, *packets: str) -> None:
    """Send each as a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for packet in packets:
            sender.sendto(packet.encode(), ("127.0.0.1", port))


def _is_taken(port: int) -> bool:
    return f":{port:04X} " in Path("/proc/net/udp").read_text()
