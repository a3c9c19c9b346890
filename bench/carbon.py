"""Carbon lines over TCP, from the first byte sent until the last line is safe on disk."""

import time
from collections.abc import Iterator

from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, slot_now
from bench.sender import stream_sender
from bench.server import Server, running

_MB = 1e6


@benchmark("carbon")
def carbon() -> Iterator[Figure]:
    """Carbon lines over one TCP connection to a server process: CPU seconds, lines a second, memory."""
    yield from lines_of(10_000, 300, cpu_s_max=0.25, rate_min=3.0)
    yield from lines_of(100_000, 30, cpu_s_max=0.25, rate_min=3.0)
    yield from lines_of(100_000, 20, order="hosts")
    yield from lines_of(100_000, 20, order="any")
    yield from lines_of(500_000, 6, cpu_s_max=0.6, rate_min=1.5, resident_mb_max=1000)


def lines_of(
    series: int,
    rounds: int,
    *,
    order: str = "same",
    cpu_s_max: float | None = None,
    rate_min: float | None = None,
    resident_mb_max: float | None = None,
) -> Iterator[Figure]:
    """Figures of all series once, then of `rounds` times all of them, ten seconds apart."""
    fleet = Fleet(series)
    first = fleet.lines(slot_now(rounds))
    rest = fleet.rounds(rounds, order=order)
    label = f"{series:,} series" + {"same": "", "hosts": ", hosts in any order", "any": ", lines in any order"}[order]
    with running() as server:
        warmed = warm(server)
        first_sight = send_and_wait(server, first, warmed, series, f"{label}, first sight")
        yield from first_sight if order == "same" and series > 10_000 else ()
        list(first_sight)
        yield from send_and_wait(server, rest, warmed + series, series * rounds, label, cpu_s_max, rate_min)
        if order == "same":
            resident = server.usage().resident_bytes
            yield Figure(f"{label}: resident after {rounds + 1} slots", resident / _MB, "MB", at_most=resident_mb_max)


def warm(server: Server) -> int:
    """Have a fresh process load its kernels by a few lines; returns how many."""
    lines = [f"warm.a{k} {k}.25 {slot_now(k % 2)}\n" for k in range(1000)]
    list(send_and_wait(server, "".join(lines).encode(), 0, len(lines), ""))
    return len(lines)


def send_and_wait(
    server: Server,
    text: bytes,
    before: int,
    lines: int,
    label: str,
    cpu_s_max: float | None = None,
    rate_min: float | None = None,
) -> Iterator[Figure]:
    """Send `lines` lines after the `before` that the server has; figures until all of them are durable."""
    sender = stream_sender(server.carbon, [text])
    server.client.get("/healthz")
    used = server.usage()
    began = time.monotonic()
    sender.go()
    sender.result()
    server.wait_until_durable("carbon", before + lines)
    wall_s = time.monotonic() - began
    cpu_s = server.usage().cpu_s - used.cpu_s
    yield Figure(f"{label}: CPU-s per million lines", cpu_s / lines * 1e6, "CPU-s", at_most=cpu_s_max, note=load())
    yield Figure(f"{label}: lines a second to durable", lines / wall_s / 1e6, "M/s", at_least=rate_min)
