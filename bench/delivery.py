"""What waits on an agent's disk: how long it takes until a server has it, and what that costs the agent."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure, benchmark, load
from bench.process import Usage, peak_resident_bytes
from bench.server import Server, free_port, running, temporary, wait_until
from tallystick.agent.spool import Spool
from tallystick.model.clock import SystemClock
from tallystick.model.kind import Kind
from tallystick.native.messages import Slot

_SERIES = 1000
_SLOTS = 1000
"""Ten-second slots of each: nearly three hours, as one record each."""
_ROWS = _SERIES * _SLOTS
_SPREAD = (4.0, 10.0, 5.0, 1.0, 4.0)


@benchmark("delivery")
def delivery() -> Iterator[Figure]:
    """A million rows in an agent's spool: writing them, and sending them to a server that comes back."""
    port = free_port()
    listener = f'[[listeners]]\nprotocol = "native"\naddress = "tcp://127.0.0.1:{port}"'
    with running(more=listener) as server, temporary() as root:
        yield from _written(root / "spool")
        yield from _drained(server, root, port)


@contextlib.contextmanager
def agent_of(config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A running agent."""
    process = subprocess.Popen([sys.executable, "-m", "tallystick", "agent", "--config", str(config)])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _written(directory: Path) -> Iterator[Figure]:
    spool = Spool(directory, ("none",), SystemClock())
    names = [f"dev.hosts.web.web{k % 100}.app{k // 100}.requests" for k in range(_SERIES)]
    begin_ms = (int(time.time()) // 10 - _SLOTS) * 10_000
    cpu_s = 0.0
    for k in range(_SLOTS):
        at_ms = begin_ms + 10_000 * k
        slots = [Slot(name, Kind.COUNTER, at_ms, 4.0, _SPREAD) for name in names]
        began_s = time.process_time()
        spool.add(slots)
        spool.write()
        cpu_s += time.process_time() - began_s
    size_bytes = spool.size_bytes
    spool.close()
    yield Figure("spool: CPU for a million rows, in records of 1,000", cpu_s, "s", note=load())
    yield Figure("spool: disk a row of five statistics", size_bytes / _ROWS, "B")


def _drained(server: Server, root: Path, port: int) -> Iterator[Figure]:
    config = root / "agent.toml"
    config.write_text(
        f'[agent]\nservers = ["tcp://127.0.0.1:{port}"]\nspool = "{root / "spool"}"\ndiscover = false\ndoors = []\n'
        '[[collectors]]\nname = "load"\n'
    )
    before = server.usage()
    began_s = time.monotonic()
    with agent_of(config) as agent:
        wait_until(lambda: server.balance("native")["stored"] >= _ROWS, "all rows")
        took_s = time.monotonic() - began_s
        after, own = server.usage(), Usage.of(agent.pid)
        peak = peak_resident_bytes(agent.pid)
    yield Figure("a million rows: from the agent's start until stored", took_s, "s", note=load())
    yield Figure("a million rows: CPU of the agent, its start included", own.cpu_s, "s")
    yield Figure("a million rows: CPU of the server", after.cpu_s - before.cpu_s, "s")
    yield Figure("a million rows: most memory of the agent", peak / 1e6, "MB", at_most=60)
