"""What the agent's StatsD door costs on a host, beside StatsD itself at the same work."""

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.datagrams import datagram_sender
from bench.figure import Figure, benchmark, load
from bench.fleet import names_of
from bench.process import Usage, peak_resident_bytes
from bench.server import Server, free_port, running, wait_until
from bench.statsd import packed
from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.placing import Placing
from tallystick.agent.doors.repeating import StatsdLines
from tallystick.agent.doors.sink import Sink
from tallystick.agent.tallies import Tallies
from tallystick.model.clock import SystemClock
from tallystick.native.names import Place

_KEYS = 1000
_RATE = 50_000
_SECONDS = 20
_NODE_STATSD = Path(__file__).parents[1] / ".senders" / "node_modules" / "statsd" / "stats.js"
_AT_ONCE = 128
_MB_AT_MOST = 40.0
_AT_LEAST = 150_000.0


@benchmark("agent-doors")
def agent_doors() -> Iterator[Figure]:
    """The agent's StatsD door: lines a second on a core, and what 50,000 lines a second cost, beside StatsD itself."""
    yield from _in_process()
    lines = usual_lines(_RATE * _SECONDS)
    for label, datagrams in (("packed in 1,400 bytes", packed(lines)), ("a datagram each", lines)):
        with running(more=_NATIVE.format(port=(native := free_port()))) as server, _agent(native) as program:
            yield from _figures("agent", label, program, datagrams, len(lines), server)
        with _statsd() as program:
            if program is not None:
                yield from _figures("StatsD on Node.js", label, program, datagrams, len(lines), None)


_NATIVE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:{port}"
"""
_AGENT = """
[agent]
servers = ["tcp://127.0.0.1:{server}"]
spool = "{root}/spool"
discover = false
[[agent.doors]]
protocol = "statsd"
address = "udp://127.0.0.1:{port}"
"""
_STATSD = '{{"port": {port}, "address": "127.0.0.1", "mgmt_port": {other}, "graphitePort": 9, "backends": []}}'


@dataclass(frozen=True, slots=True)
class Program:
    """A process that takes datagrams."""

    process: "subprocess.Popen[bytes]"
    port: int


def usual_lines(count: int) -> list[bytes]:
    """Lines as programs send them: half of counters by one, a third of timings, the rest gauges; a thousand keys."""
    names = [name.encode() for name in names_of(_KEYS)]
    forms = (b"%s:1|c", b"%s:1|c", b"%s:1|c", b"%s:%d|ms", b"%s:%d|ms", b"%s:%d|g")
    found = []
    for k in range(count):
        key = k * 7 % _KEYS  # each key once before any comes again
        form = forms[key % 6]
        found.append(form % (names[key], k % 997) if b"%d" in form else form % names[key])
    return found


def _in_process() -> Iterator[Figure]:
    names = [name.encode() for name in names_of(_KEYS)] * 200
    kinds = {
        "usual lines": usual_lines(400_000),
        "timings, each another value": [b"%s:%d.%03d|ms" % (name, k % 991, k % 1000) for k, name in enumerate(names)],
        "DogStatsD, tags": [b"%s:%d|d|#env:a,host:w%d" % (name, k % 500, k % 5) for k, name in enumerate(names)],
    }
    for label, lines in kinds.items():
        rate = len(lines) / min(_seconds(lines) for _ in range(3))
        at_least = _AT_LEAST if label == "usual lines" else None
        yield Figure(f"read and tallied on a core, {label}", rate, "lines/s", at_least=at_least, note=load())


def _seconds(lines: list[bytes]) -> float:
    """CPU seconds of one thread, from text to slots."""
    tallies = Tallies(SystemClock())
    door = StatsdLines(Sink(tallies, Counts()), Placing(Place("prod", "web", "web1")))
    texts = [b"\n".join(lines[k : k + _AT_ONCE]) for k in range(0, len(lines), _AT_ONCE)]
    began = time.process_time()
    for text in texts:
        with tallies.lock:
            door.take(text.split(b"\n"), time.time_ns() // 1_000_000)
    tallies.drain()
    return time.process_time() - began


def _figures(
    who: str, label: str, program: Program, datagrams: list[bytes], lines: int, server: Server | None
) -> Iterator[Figure]:
    sender = datagram_sender(program.port, datagrams, len(datagrams) / _SECONDS)
    before = Usage.of(program.process.pid)
    sender.go()
    took_s = sender.result()
    after = Usage.of(program.process.pid)
    peak = peak_resident_bytes(program.process.pid)
    wait_until(lambda: _row(program.port)[4].endswith(":00000000"), "the socket to be read")
    dropped = int(_row(program.port)[12])
    note = f"{lines / took_s:,.0f} lines/s offered, {load()}"
    share = 100 * (after.cpu_s - before.cpu_s) / took_s
    yield Figure(f"{who}, {label}: CPU, share of one core", share, "%", note=note)
    at_most = _MB_AT_MOST if who == "agent" else None
    yield Figure(f"{who}, {label}: most resident", peak / 1e6, "MB", at_most=at_most)
    yield Figure(f"{who}, {label}: datagrams dropped by the system", dropped, "")
    if server is not None:
        program.process.terminate()
        program.process.wait(timeout=60)
        expected = lines if not dropped else lines * (1 - dropped / len(datagrams))
        counted = _counted(server, round(expected))
        yield Figure(f"{who}, {label}: lines neither on the server nor dropped", round(abs(expected - counted)), "")


def _counted(server: Server, expected: int) -> float:
    """Samples of all keys that the server has; waits for what is under way."""
    target = quote("sumSeries(stat(prod.app.*.cpu.*.*,'count'))")
    deadline = time.monotonic() + 20.0
    while True:
        rows = server.client.json(f"/render?target={target}&format=json&from=-10min")
        found = sum(value for row in rows for value, _ in row["datapoints"] if value is not None)
        if found >= expected or time.monotonic() > deadline:
            return float(found)
        time.sleep(0.2)


def _row(port: int) -> list[str]:
    with Path("/proc/net/udp").open() as table:
        return next(row for row in map(str.split, table) if row[1].endswith(f":{port:04X}"))


@contextlib.contextmanager
def _agent(server: int) -> Iterator[Program]:
    with tempfile.TemporaryDirectory() as root:
        port = free_port(socket.SOCK_DGRAM)
        config = Path(root) / "agent.toml"
        config.write_text(_AGENT.format(server=server, root=root, port=port))
        with _process([sys.executable, "-m", "tallystick", "agent", "--config", str(config)], port) as program:
            yield program


@contextlib.contextmanager
def _statsd() -> Iterator[Program | None]:
    """StatsD itself, None if it is not installed."""
    node = shutil.which("node")
    if node is None or not _NODE_STATSD.exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as root:
        port = free_port(socket.SOCK_DGRAM)
        config = Path(root) / "statsd.js"
        config.write_text(_STATSD.format(port=port, other=free_port()))
        with _process([node, str(_NODE_STATSD), str(config)], port) as program:
            yield program


@contextlib.contextmanager
def _process(command: list[str], port: int) -> Iterator[Program]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: f":{port:04X} " in Path("/proc/net/udp").read_text(), f"{command[0]} to listen")
        yield Program(process, port)
    finally:
        process.terminate()
        process.wait(timeout=60)
