"""Debian's carbon-c-relay in front of a server: plain and tagged lines, over TCP and UDP."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from balances import Balances

from ports import free_port
from servers import START_S_MAX, Server, cannot_run, wait_until
from tallystick.model.name import canonical

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]

RELAY = Path("/usr/bin/carbon-c-relay")
CONFIG = """
listen
  type linemode
    127.0.0.1:{port} proto tcp
    127.0.0.1:{port} proto udp
  ;
cluster tallystick
  forward
    127.0.0.1:{to} proto {protocol}
  ;
match *
  send to tallystick
  stop
  ;
"""
ALLOWED = "-_:#;=.~^"
NOW_S = int(time.time()) // 10 * 10
TAGGED = {
    "relay.disk.used;rack=a1;host=web1": 1.5,
    "relay.disk.used;host=web2": 2.5,
    "relay.disk.used;host=web3;host=web4": 3.5,
    "relay.a-b_c;k.1=v.2:d#e": 4.5,
    "relay.plain.name": 5.5,
}


@contextmanager
def running_relay(root: Path, to: int, protocol: str = "tcp") -> Iterator[int]:
    """A relay that runs from here on, in front of a carbon door; the port that it listens on, by TCP and UDP."""
    if not RELAY.exists():
        cannot_run(f"{RELAY} is missing: apt-get install carbon-c-relay")
    config = root / "relay.conf"
    port = free_port()
    config.write_text(CONFIG.format(port=port, to=to, protocol=protocol))
    command = [str(RELAY), "-f", str(config), "-s", "-c", ALLOWED]
    told = root / "relay.log"
    with told.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: "startup sequence complete" in told.read_text(), "the relay to start")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def lines() -> bytes:
    return "".join(f"{name} {value} {NOW_S}\n" for name, value in TAGGED.items()).encode()


@pytest.mark.parametrize("way_in", ["tcp", "udp"])
@pytest.mark.parametrize("way_on", ["tcp", "udp"])
def test_what_a_relay_forwards_is_there_by_name_with_its_tags(
    shared_server: Server, tmp_path: Path, way_in: str, way_on: str
) -> None:
    door = f"carbon {way_on}"
    balances = Balances(shared_server, door)
    with running_relay(tmp_path, shared_server.port(door), way_on) as port:
        kind = socket.SOCK_STREAM if way_in == "tcp" else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as sender:  # open until the relay has read it
            sender.connect(("127.0.0.1", port))
            sender.sendall(lines())
            balances.wait_for(stored=len(TAGGED), rejected={})
    for name, value in TAGGED.items():
        assert shared_server.render(canonical(name)) == {canonical(name): {NOW_S: value}}
