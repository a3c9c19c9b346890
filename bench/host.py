"""What Tallystick costs on the hosts that are measured: the agent."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from bench.figure import Figure, benchmark, load
from bench.process import Usage
from bench.server import temporary

_REST_S = 20


@benchmark("host")
def host() -> Iterator[Figure]:
    """The agent with all collectors over 20 s."""
    yield from agent()


def agent() -> Iterator[Figure]:
    """An agent process that forwards to a socket which only reads."""
    with temporary() as root, socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_drain, args=(door,), daemon=True).start()
        config = root / "agent.toml"
        config.write_text(f'[agent]\nservers = ["tcp://127.0.0.1:{door.getsockname()[1]}"]\n')
        process = subprocess.Popen([sys.executable, "-m", "tallystick", "agent", "--config", str(config)])
        time.sleep(3)
        before = Usage.of(process.pid)
        time.sleep(_REST_S)
        after = Usage.of(process.pid)
        process.terminate()
        process.wait(timeout=30)
    share = 100 * (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s)
    yield Figure("agent, all collectors: resident", after.resident_bytes / 1e6, "MB", at_most=40)
    yield Figure("agent, all collectors: CPU, share of one core", share, "%", note=load())


def _drain(door: socket.socket) -> None:
    connection, _ = door.accept()
    with connection:
        while connection.recv(1 << 16):
            pass
