"""A server of the demo's own: another process of this program, on a directory that is gone afterwards."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.model.address import Address
from tallystick.model.errors import StartError

START_TIMEOUT_S = 300
"""The first start on a machine compiles kernels."""
STOP_TIMEOUT_S = 20

_CONFIG = """\
[http]
address = "{http}"
[[listeners]]
protocol = "carbon"
address = "{carbon}"
[store]
directory = "{directory}"
"""


@contextmanager
def own_server(http: str) -> Iterator[Address]:
    """Start a server, wait until it listens, and give the address of its carbon door; end it and its data afterwards.

    Raises
    ------
    StartError
        If it ends before it listens; it has said why on stderr.
    """
    with tempfile.TemporaryDirectory(prefix="tallystick-demo-") as directory:
        carbon = Address("tcp", "127.0.0.1", _free_port())
        file = Path(directory) / "tallystick.toml"
        file.write_text(_CONFIG.format(http=http, carbon=carbon, directory=f"{directory}/data"), encoding="utf-8")
        # A session of its own: Ctrl-C is for the demo, which then ends the server in order.
        command = [sys.executable, "-m", "tallystick", "serve", "--config", str(file)]
        with subprocess.Popen(command, start_new_session=True) as process:
            try:
                _wait_until_it_listens(process, carbon)
                yield carbon
            finally:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()  # its data is thrown away anyhow


def _wait_until_it_listens(process: subprocess.Popen[bytes], carbon: Address) -> None:
    begun = time.monotonic()
    while process.poll() is None:
        try:
            socket.create_connection((carbon.host, carbon.port), timeout=1).close()
        except OSError:
            if time.monotonic() - begun > START_TIMEOUT_S:
                raise StartError(f"cannot start the demo: its server does not listen on {carbon}") from None
            time.sleep(0.05)
        else:
            return
    raise StartError(f"cannot start the demo: its server ended with status {process.returncode}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
