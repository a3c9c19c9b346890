"""A real server for the tests: a process of its own, on ports that are free, with its store in a directory."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import httpx2
import pytest

TALLYSTICK = (sys.executable, "-m", "tallystick")
START_S_MAX = 300.0
"""The first start on a machine compiles."""
WAIT_S_MAX = 30.0

CARBON = """
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:0"
"""
CONFIG = """
[http]
address = "127.0.0.1:0"
{more}
[store]
directory = "{directory}"
"""

Found = TypeVar("Found")


@dataclass(slots=True)
class Server:
    """A Tallystick: where it keeps its files, and, once it runs, where its pages are and where it takes data.

    Parameters
    ----------
    root
        Holds its config, its log and ``data``, its store.
    more
        What its config has beside the addresses of HTTP and the store: listeners, limits.
    """

    root: Path
    more: str = CARBON
    url: str = ""
    doors: dict[str, str] = field(default_factory=dict)
    """By protocol and scheme, such as ``carbon tcp``: what is behind ``://``."""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def config(self) -> Path:
        return self.root / "tallystick.toml"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    def write_config(self) -> None:
        """Ports are chosen by the system at the first start, and are the same at every later one."""
        text = CONFIG.format(more=self.more, directory=self.root / "data")
        for bound in (self.url.partition("//")[2], *self.doors.values()):
            if bound and "/" not in bound:
                text = text.replace(':0"', f':{bound.rpartition(":")[2]}"', 1)
        self.config.write_text(text)

    def start(self) -> float:
        """Start it; return the seconds until its first answer."""
        self.write_config()
        began = time.monotonic()
        with self.log.open("wb") as output:
            command = [*TALLYSTICK, "serve", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        self._learn_addresses(began + START_S_MAX)
        wait_until(self._answers, "the first answer")
        return time.monotonic() - began

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def send(self, *lines: str | bytes) -> None:
        """Send carbon lines, and return once the server has read the connection to its end."""
        encoded = [line if isinstance(line, bytes) else line.encode() for line in lines]
        with self.connect() as connection:
            connection.sendall(b"".join(line + b"\n" for line in encoded))
            finish(connection)

    def send_now(self, name: str, *values: float) -> None:
        """Send `values` as samples of the latest slots, the last one now."""
        now = int(time.time())
        last = len(values) - 1
        self.send(*(f"{name} {value} {now - 10 * (last - i)}" for i, value in enumerate(values)))

    def connect(self) -> socket.socket:
        """A connection to the carbon door."""
        return socket.create_connection(("127.0.0.1", self.carbon_port), timeout=WAIT_S_MAX)

    @property
    def carbon_port(self) -> int:
        return self.port("carbon tcp")

    def port(self, door: str) -> int:
        return int(self.doors[door].rpartition(":")[2])

    def get(self, path: str, **parameters: Any) -> Any:
        # Nothing is encrypted here, and to read the certificates that there are takes 80 ms of CPU each time.
        answer = httpx2.get(f"{self.url}{path}", params=parameters, timeout=WAIT_S_MAX, verify=False)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer.json()

    def render(self, target: str, since: str = "-30min") -> dict[str, dict[int, float]]:
        """What each series of a target has in each slot: values by time, without the gaps.

        A series that has nothing is left out: its name is known a moment before its first value.
        """
        found = self.get("/render", target=target, format="json", **{"from": since})
        slots = {row["target"]: {at: value for value, at in row["datapoints"] if value is not None} for row in found}
        return {name: values for name, values in slots.items() if values}

    def values(self, target: str) -> list[float]:
        """The values of a target that is one series or none, without the gaps."""
        rows = list(self.render(target).values())
        assert len(rows) <= 1, rows
        return list(rows[0].values()) if rows else []

    def balance(self, door: str) -> dict[str, Any]:
        """The ledger's balance of a door such as ``carbon tcp``, or of the source of another name."""
        protocol, _, scheme = door.partition(" ")
        source = f"{protocol} {scheme}://{self.doors[door]}" if door in self.doors else door
        found: dict[str, Any] = next(b for b in self.get("/ledger")["sources"] if b["source"] == source)
        return found

    def offenders(self, reason: str) -> list[str]:
        """Texts that were rejected for a reason, newest first."""
        return [offender["text"] for offender in self.get("/ledger")["offenders"] if offender["reason"] == reason]

    def wait_until_safe(self, wait_s: float = WAIT_S_MAX) -> None:
        """Return once all that was received is on disk."""
        wait_until(lambda: self.get("/healthz")["unsafe_samples"] == 0, "all to be safe on disk", wait_s=wait_s)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/healthz", timeout=5, verify=False).is_success
        except httpx2.TransportError:
            return False

    def _learn_addresses(self, deadline: float) -> None:
        assert self.process is not None
        while time.monotonic() < deadline:
            told = self.log.read_text()
            if "Ctrl-C ends it." in told:
                self.url = re.findall(r"^Tallystick is at (\S+)$", told, re.M)[0]
                bound = re.findall(r"([\w-]+) on (\w+)://([^\s,]+?)(?=[,.]\s)", told)
                self.doors = {f"{protocol} {scheme}": place for protocol, scheme, place in bound}
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        pytest.fail(f"the server did not start (exit status {self.process.poll()}):\n{self.log.read_text()}")

    def _end(self, by: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(by)
            self.process.wait(timeout=60)


@contextmanager
def running_server(root: Path, more: str = CARBON) -> Iterator[Server]:
    """A server that runs from here on; whatever runs of it at the end is ended."""
    server = Server(root, more)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def finish(connection: socket.socket) -> None:
    """Say that nothing follows, and wait until the server has read everything and closes."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(1024):
        pass


def wait_until(
    look: Callable[[], Found], what: str, told: Callable[[], object] | None = None, wait_s: float = WAIT_S_MAX
) -> Found:
    """What `look` returns, once that is true; `told` says what was seen instead if it never is."""
    deadline = time.monotonic() + wait_s
    while not (found := look()):
        if time.monotonic() > deadline:
            seen = told() if told is not None else found
            pytest.fail(f"waited {wait_s:.0f} s in vain for {what}; the last look gave {seen!r}")
        time.sleep(0.02)
    return found


def cannot_run(reason: str) -> NoReturn:
    """Skip with this reason on a developer's machine; fail in CI, where nothing may be skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def package(name: str) -> Any:
    """A Python package of a sender's, or `cannot_run` if it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        cannot_run(f"the Python package {error.name} is missing: pip install {error.name}")
