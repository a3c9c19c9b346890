"""Relaying carbon lines over a consistent hash, beside Debian's ``carbon-c-relay`` at the same work."""

import contextlib
import multiprocessing
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.sharedctypes import Synchronized
from typing import Any

from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, slot_now
from bench.process import Usage
from bench.sender import stream_sender
from bench.server import free_port, running, temporary, wait_until

_FORK = multiprocessing.get_context("fork")
_SERIES, _ROUNDS, _SINKS = 10_000, 200, 4
_PROGRAM = "carbon-c-relay"
_RELAY = """
[[relay]]
servers = [{servers}]
way = "carbon_ch"
replication = {replication}
keep = {keep}
queue_bytes_max = 1073741824
"""


@benchmark("relay")
def relay() -> Iterator[Figure]:
    """Carbon lines handed on to four servers by carbon_ch, and by carbon-c-relay: CPU seconds, lines a second."""
    fleet = Fleet(_SERIES)
    first, rest = fleet.lines(slot_now(_ROUNDS)), fleet.rounds(_ROUNDS)
    for replication in (1, 2):
        for keep in (False, True):
            with sinks() as (ports, taken), tallystick(ports, replication, keep=keep) as (port, pid):
                what = "handed on and kept" if keep else "handed on"
                yield from _handed_on(f"{what}, {replication} of 4", port, pid, (first, rest), taken, replication)
        if shutil.which(_PROGRAM):
            with sinks() as (ports, taken), carbon_c_relay(ports, replication) as (port, pid):
                yield from _handed_on(
                    f"carbon-c-relay, {replication} of 4", port, pid, (first, rest), taken, replication
                )


def _handed_on(
    label: str, port: int, pid: int, text: tuple[bytes, bytes], taken: Callable[[], int], copies: int
) -> Iterator[Figure]:
    _send(port, text[0])
    wait_until(lambda: taken() == _SERIES * copies, "the first lines to arrive")
    used, began = Usage.of(pid), time.monotonic()
    _send(port, text[1])
    lines = _SERIES * _ROUNDS
    deadline = time.monotonic() + 20
    while taken() < (lines + _SERIES) * copies and time.monotonic() < deadline:
        time.sleep(0.01)
    wall_s, now = time.monotonic() - began, Usage.of(pid)
    lost = (lines + _SERIES) * copies - taken()
    note = f"{lost:,} lines did not arrive" if lost else load()
    yield Figure(f"{label}: CPU-s per million lines", (now.cpu_s - used.cpu_s) / lines * 1e6, "CPU-s", note=note)
    yield Figure(f"{label}: lines a second until all arrived", lines / wall_s / 1e6, "M/s")


def _send(port: int, text: bytes) -> None:
    """Send in pieces; who drops what he cannot take at once would drop it all otherwise."""
    sender = stream_sender(port, [text])
    sender.go()
    sender.result()


@contextlib.contextmanager
def tallystick(ports: list[int], replication: int, *, keep: bool) -> Iterator[tuple[int, int]]:
    """A server that hands on; its port and its process."""
    servers = ", ".join(f'"127.0.0.1:{port}={k}"' for k, port in enumerate(ports))
    more = _RELAY.format(servers=servers, replication=replication, keep=str(keep).lower())
    with running(more=more) as server:
        yield server.carbon, server.pid


@contextlib.contextmanager
def carbon_c_relay(ports: list[int], replication: int) -> Iterator[tuple[int, int]]:
    """The peer, with a queue that holds everything."""
    port = free_port()
    servers = " ".join(f"127.0.0.1:{one}={k}" for k, one in enumerate(ports))
    with temporary() as root, (root / "output").open("wb") as output:
        config = root / "relay.conf"
        config.write_text(
            f"listen type linemode 127.0.0.1:{port} proto tcp ;\n"
            f"cluster ring carbon_ch replication {replication} {servers} ;\nmatch * send to ring stop;\n"
        )
        command = [_PROGRAM, "-f", str(config), "-q", "5000000", "-B", "128"]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: _listens(port), "the peer to listen")
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


@contextlib.contextmanager
def sinks() -> Iterator[tuple[list[int], Callable[[], int]]]:
    """Servers in a process of their own that count lines; their ports, and how many lines they took."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(_SINKS)]
    count: Synchronized[int] = _FORK.Value("q", 0)
    process: Any = _FORK.Process(target=_take_all, args=(listening, count), daemon=True)
    process.start()
    try:
        yield [int(one.getsockname()[1]) for one in listening], lambda: count.value
    finally:
        process.terminate()
        process.join()
        for one in listening:
            one.close()


def _take_all(listening: "list[socket.socket]", count: "Synchronized[int]") -> None:
    for one in listening:
        threading.Thread(target=_accept, args=(one, count), daemon=True).start()
    threading.Event().wait()


def _accept(listening: socket.socket, count: "Synchronized[int]") -> None:
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_take, args=(connection, count), daemon=True).start()


def _take(connection: socket.socket, count: "Synchronized[int]") -> None:
    while data := connection.recv(1 << 20):
        lines = data.count(b"\n")
        with count.get_lock():
            count.value += lines


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
