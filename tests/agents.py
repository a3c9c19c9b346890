"""A real agent for the tests: a process of its own, with a StatsD port and a Unix socket for each other protocol."""

import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ports import free_port
from servers import TALLYSTICK, wait_until

CONFIG = """
[agent]
servers = ["tcp://127.0.0.1:{server}"]
spool = "{root}/spool"
environment = "test"
class = "web"
host = "web1"
discover = false
events = "{url}"
[[agent.doors]]
protocol = "statsd"
address = "udp://127.0.0.1:{statsd}"
{doors}
"""
DOOR = """
[[agent.doors]]
protocol = "{protocol}"
address = "unix://{root}/{protocol}.sock"
"""
PROTOCOLS = ("opentsdb", "carbon", "istatd", "native")


@dataclass(slots=True)
class Agent:
    """An agent that sends to a port of this machine; `start`, then `stop` or `kill`, and `start` again.

    Parameters
    ----------
    root
        Its own directory.
    server
        Port of the server's native door.
    url
        Of the server's pages.
    """

    root: Path
    server: int
    url: str
    statsd: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        return self.root / "agent.log"

    def start(self) -> None:
        """Start it; its doors are open then."""
        self.statsd = self.statsd or free_port(socket.SOCK_DGRAM)
        doors = "".join(DOOR.format(protocol=protocol, root=self.root) for protocol in PROTOCOLS)
        config = self.root / "agent.toml"
        config.write_text(
            CONFIG.format(server=self.server, root=self.root, url=self.url, statsd=self.statsd, doors=doors)
        )
        with self.log.open("ab") as output:
            command = [*TALLYSTICK, "agent", "--config", str(config)]
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        wait_until(self._is_open, "the doors of the agent", self.log.read_text)

    def say(self, protocol: str, text: bytes) -> bytes:
        """Say something at a door; what it answers."""
        with self._connected(protocol) as connection:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(4096), b""))

    def stop(self) -> None:
        """End it in order: what came in is sent, as far as the server takes it at once."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def path(self, protocol: str) -> Path:
        """The socket of a protocol."""
        return self.root / f"{protocol}.sock"

    def _connected(self, protocol: str) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self.path(protocol)))
        except OSError:
            connection.close()
            raise
        return connection

    def _is_open(self) -> bool:
        try:
            self._connected(PROTOCOLS[-1]).close()
        except OSError:
            return False
        return True

    def _end(self, by: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(by)
            self.process.wait(timeout=60)
            self.process = None
