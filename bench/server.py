"""A Tallystick in a process of its own, as a user starts it, on free ports of loopback."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.client import Client
from bench.process import Usage

START_S_MAX = 300.0
"""The first start on a machine compiles."""
WAIT_S_MAX = 120.0

_CONFIG = """
[http]
address = "127.0.0.1:{http}"
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:{carbon}"
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:{statsd}"
[store]
directory = "{directory}"
{store}
[query]
series_max = 200000
{more}
"""


class Server:
    """A server process; its ports are chosen before it starts.

    Parameters
    ----------
    root
        Holds its config, its output and ``data``, the store.
    store
        Further keys of the config's ``[store]``.
    more
        Further tables of the config.
    """

    def __init__(self, root: Path, store: str = "", more: str = "") -> None:
        self._root = root
        self.http, self.carbon, self.statsd = free_port(), free_port(), free_port(socket.SOCK_DGRAM)
        self._config = root / "tallystick.toml"
        ports = {"http": self.http, "carbon": self.carbon, "statsd": self.statsd}
        self._config.write_text(_CONFIG.format(**ports, directory=root / "data", store=store, more=more))
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Client(self.http)

    @property
    def data(self) -> Path:
        """The directory of its store."""
        return self._root / "data"

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise SystemExit("cannot measure a server that was not started")
        return self._process.pid

    def start(self) -> float:
        """Start it; return the seconds from the start of the process to its first answer."""
        command = [sys.executable, "-m", "tallystick", "serve", "--config", str(self._config)]
        began = time.monotonic()
        with (self._root / "output").open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        while not answers(self.http):
            if self._process.poll() is not None or time.monotonic() - began > START_S_MAX:
                raise SystemExit(f"cannot start a server:\n{(self._root / 'output').read_text()}")
            time.sleep(0.005)
        return time.monotonic() - began

    def stop(self) -> None:
        """End it in order."""
        self.client.close()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=60)
            self._process = None

    def usage(self) -> Usage:
        """What the process used so far."""
        return Usage.of(self.pid)

    def balance(self, protocol: str) -> dict[str, Any]:
        """The ledger's account of a listener."""
        sources = self.client.json("/ledger")["sources"]
        return next(source for source in sources if source["source"].startswith(f"{protocol} "))

    def wait_until_durable(self, protocol: str, stored: int) -> None:
        """Return once so many samples of a listener are stored and nothing is unsafe."""
        wait_until(lambda: self.balance(protocol)["stored"] >= stored, f"{stored} samples to be stored")
        wait_until(lambda: self.client.json("/healthz")["unsafe_samples"] == 0, "all to be safe on disk")
        balance = self.balance(protocol)
        if balance["stored"] != stored or balance["rejected"]:
            raise SystemExit(f"cannot trust the figures: {stored} samples were sent, and of these {balance}")


@contextlib.contextmanager
def running(store: str = "", data: Path | None = None, more: str = "") -> Iterator[Server]:
    """A server in a temporary directory that is on a disk; `data` is a prepared store, which is moved there."""
    with temporary() as root:
        if data is not None:
            shutil.move(data, root / "data")
        server = Server(root, store, more)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """A directory below ``TMPDIR``, gone at the end; ``TMPDIR`` should be on a real disk."""
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as directory:
        yield Path(directory)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, path: str = "/healthz") -> bool:
    """Whether something answers there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_S_MAX)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(look: Callable[[], bool], what: str, pause_s: float = 0.01) -> None:
    """Return once `look` is true; looking costs the server about a millisecond."""
    deadline = time.monotonic() + WAIT_S_MAX
    while not look():
        if time.monotonic() > deadline:
            raise SystemExit(f"cannot measure: waited {WAIT_S_MAX:.0f} s in vain for {what}")
        time.sleep(pause_s)


def size_of(directory: Path) -> int:
    """Bytes of all files below a directory."""
    return sum((Path(folder) / name).stat().st_size for folder, _, names in os.walk(directory) for name in names)
