"""A real server for the tests of the pages: a process of its own, on ports that are free, with an empty store."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import httpx
import pytest
from playwright.sync_api import Page

SCREENSHOTS = Path(__file__).parents[2] / "test-results"
START_S_MAX = 60.0

CONFIG = """
[http]
address = "127.0.0.1:{http}"

[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:{carbon}"

[store]
directory = "{directory}"
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running Tallystick: where its pages are, and where it takes carbon lines."""

    url: str
    carbon_port: int

    def send(self, *lines: str) -> None:
        """Send carbon lines, and return once the server has read the connection to its end."""
        with closing(socket.create_connection(("127.0.0.1", self.carbon_port), timeout=10)) as connection:
            connection.sendall("".join(f"{line}\n" for line in lines).encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1024):
                pass

    def send_now(self, name: str, *values: float) -> None:
        """Send `values` as samples of the latest slots, the last one now."""
        now = int(time.time())
        last = len(values) - 1
        self.send(*(f"{name} {value} {now - 10 * (last - i)}" for i, value in enumerate(values)))


def cannot_run(reason: str) -> NoReturn:
    """Skip with this reason on a developer's machine; fail in CI, where nothing may be skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(directory: Path) -> Iterator[Server]:
    http, carbon = free_port(), free_port()
    config = directory / "tallystick.toml"
    config.write_text(CONFIG.format(http=http, carbon=carbon, directory=directory / "data"))
    log = directory / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tallystick", "serve", "--config", str(config)], stdout=output, stderr=output
        )
        try:
            wait_until_healthy(f"http://127.0.0.1:{http}", process, log)
            yield Server(f"http://127.0.0.1:{http}", carbon)
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_until_healthy(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/healthz", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the server did not start (exit status {process.poll()}):\n{log.read_text()}")


def keep_screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
