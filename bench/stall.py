"""The longest that a sender waits while half a million series are sealed and compacted."""

import http.client
import socket
import time
from collections.abc import Iterator

from bench.carbon import send_and_wait, warm
from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, slot_now
from bench.sender import Sender
from bench.server import Server, running
from tallystick.files import Files
from tallystick.store.disk.manifest import Manifest
from tallystick.store.disk.manifest_file import find_manifest

SERIES = 500_000
RATE = 200_000
_PARTS_A_SECOND = 100
_SEND_BUFFER_BYTES = 1 << 16
_OVER_SLOTS = 1440
"""The samples are four hours old, so that their window is over: what is sealed is compacted at once."""
_LINES_A_WRITE = 100


@benchmark("stall")
def stall() -> Iterator[Figure]:
    """200,000 lines a second over TCP, and HTTP writes, while half a million series are sealed and compacted."""
    fleet = Fleet(SERIES)
    texts = [fleet.lines(slot_now(_OVER_SLOTS - k)) for k in range(3)]
    yield from under_load("nothing sealed", "seal_interval_s = 3600", texts, 8)
    yield from under_load("sealing and compacting", "seal_interval_s = 10", texts, 22)


def under_load(label: str, store: str, texts: list[bytes], seconds: int) -> Iterator[Figure]:
    """Fill the head of a server, then send at a steady rate and measure each wait."""
    with running(store) as server:
        stored = warm(server)
        for text in texts:
            list(send_and_wait(server, text, stored, SERIES, ""))
            stored += SERIES
        sender, writer = _line_sender(server.carbon, texts[0], seconds), _http_writer(server.http, seconds)
        blocks = _blocks(server)
        sender.go()
        writer.go()
        longest_s, sent = sender.result()
        taken_ms = sorted(1000 * s for s in writer.result())
        server.wait_until_durable("carbon", stored + sent)
        written, merged = (now - then for now, then in zip(_blocks(server), blocks, strict=True))
    note = f"{written} blocks written, {merged} of them compacted, {load()}"
    yield Figure(f"{label}: longest wait of a sender of {RATE:,} lines/s", 1000 * longest_s, "ms", note=note)
    for name, value in (
        ("p50", taken_ms[len(taken_ms) // 2]),
        ("p99", taken_ms[len(taken_ms) * 99 // 100]),
        ("longest", taken_ms[-1]),
    ):
        yield Figure(f"{label}: HTTP write until durable, {name}", value, "ms", note=f"{len(taken_ms)} writes")


def _blocks(server: Server) -> tuple[int, int]:
    """Blocks that were ever written, and how many of those that are left were compacted."""
    manifest = find_manifest(server.data, Files()).manifest or Manifest()
    return manifest.next_block, sum(block.compressed for block in manifest.blocks)


def _line_sender(port: int, text: bytes, seconds: int) -> Sender:
    """Sends the lines of `text`, over and over; gives the longest wait in seconds, and how many lines it sent."""
    lines = text.splitlines(keepends=True)
    size = RATE // _PARTS_A_SECOND
    parts = [b"".join(lines[k : k + size]) for k in range(0, len(lines) - size + 1, size)]

    def connect() -> socket.socket:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)  # what hides a wait is small
        connection.connect(("127.0.0.1", port))
        return connection

    def work(connection: socket.socket) -> tuple[float, int]:
        longest_s, due_s, count = 0.0, time.monotonic(), seconds * _PARTS_A_SECOND
        for k in range(count):
            began_s = time.monotonic()
            connection.sendall(parts[k % len(parts)])
            longest_s = max(longest_s, time.monotonic() - began_s)
            due_s += 1 / _PARTS_A_SECOND
            time.sleep(max(due_s - time.monotonic(), 0))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            pass
        return longest_s, count * size

    return Sender(connect, work)


def _http_writer(port: int, seconds: int) -> Sender:
    """Writes a hundred lines, waits for the answer, and writes the next; gives the seconds that each took."""

    def work(connection: http.client.HTTPConnection) -> list[float]:
        taken, until_s = [], time.monotonic() + seconds
        while time.monotonic() < until_s:
            body = "".join(f"stall.http{k} {k} {slot_now()}\n" for k in range(_LINES_A_WRITE))
            began_s = time.monotonic()
            connection.request("POST", "/api/write", body)
            answer = connection.getresponse()
            answer.read()
            taken.append(time.monotonic() - began_s)
            if answer.status != 200:
                raise SystemExit(f"cannot trust the figures: a write was answered by {answer.status}")
        return taken

    return Sender(lambda: http.client.HTTPConnection("127.0.0.1", port), work)
