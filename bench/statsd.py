"""StatsD over UDP: what is taken without loss, and what happens beyond it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.datagrams import datagram_sender
from bench.figure import Figure, benchmark, load
from bench.fleet import names_of
from bench.server import Server, running, wait_until

_KEYS = 10_000
_PACKED_BYTES = 1400
_FORMS = ("{}:1|c", "{}:12.25|ms", "{}:{}|g")
_TRIES = 6


@benchmark("statsd")
def statsd() -> Iterator[Figure]:
    """StatsD over UDP, a third each of counters, timings and gauges, packed and in single datagrams."""
    singles = lines_of(1_000_000)
    yield from figures_of(packed(singles * 4), len(singles) * 4, "packed in 1,400 bytes", rate_min=2.0)
    yield from figures_of(singles, len(singles), "a datagram each", rate_min=0.25)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some datagrams."""

    sent_s: float
    done_s: float
    cpu_s: float
    stored: int
    dropped: int


def lines_of(count: int) -> list[bytes]:
    """Lines over ten thousand keys, each of which has one type."""
    names = names_of(_KEYS)
    return [_FORMS[i % _KEYS % 3].format(names[i % _KEYS], i % 1000).encode() for i in range(count)]


def packed(lines: list[bytes]) -> list[bytes]:
    """Datagrams of as many lines as an Ethernet frame has room for."""
    found, size, part = [], 0, []
    for line in lines:
        if size + len(line) + 1 > _PACKED_BYTES:
            found.append(b"\n".join(part))
            size, part = 0, []
        part.append(line)
        size += len(line) + 1
    return [*found, b"\n".join(part)]


def figures_of(datagrams: list[bytes], lines: int, label: str, rate_min: float) -> Iterator[Figure]:
    """First as fast as they can be sent; then, below what was taken of that, slower until nothing is lost."""
    with running() as server:
        send(server, datagrams[: len(datagrams) // 10], None)
        flood = send(server, datagrams, None)
        per_datagram = lines / len(datagrams)
        sent_rate = len(datagrams) / flood.sent_s
        yield Figure(f"{label}: offered as fast as can be", sent_rate * per_datagram / 1e6, "M lines/s")
        taken = flood.stored / max(flood.done_s, flood.sent_s)
        yield Figure(
            f"{label}: taken of that", taken / 1e6, "M lines/s", note=f"kernel drops {flood.dropped:,} datagrams"
        )
        unaccounted = len(datagrams) - flood.dropped - flood.stored / per_datagram
        yield Figure(f"{label}: datagrams neither stored nor counted as dropped", round(unaccounted), "", at_most=0)
        rate = min(max(1.1 * taken, 1.25e6 * rate_min) / per_datagram, sent_rate)
        for _ in range(_TRIES):
            paced = send(server, datagrams, rate)
            if not paced.dropped:
                break
            rate *= 0.85
        note = load() if not paced.dropped else f"still {paced.dropped:,} datagrams lost, {load()}"
        reached = len(datagrams) / paced.sent_s * per_datagram
        yield Figure(f"{label}: nothing lost at", reached / 1e6, "M lines/s", at_least=rate_min, note=note)
        yield Figure(f"{label}: CPU-s per million lines at that rate", paced.cpu_s / paced.stored * 1e6, "CPU-s")


def send(server: Server, datagrams: list[bytes], rate: float | None) -> Outcome:
    """Send datagrams and wait until those that came through are durable."""
    before, dropped_before = server.balance("statsd")["stored"], dropped(server)
    sender = datagram_sender(server.statsd, datagrams, rate)
    used, began = server.usage(), time.monotonic()
    sender.go()
    sent_s = sender.result()
    wait_until(lambda: queued(server) == 0, "the socket to be read")
    wait_until(lambda: at_rest(server), "all to be stored")
    return Outcome(
        sent_s,
        time.monotonic() - began,
        server.usage().cpu_s - used.cpu_s,
        server.balance("statsd")["stored"] - before,
        dropped(server) - dropped_before,
    )


def at_rest(server: Server) -> bool:
    """Whether what was received is stored and safe, and stays as it is for a moment."""
    first = server.balance("statsd")
    time.sleep(0.02)
    safe = server.client.json("/healthz")["unsafe_samples"] == 0
    return safe and first["in_flight"] == 0 and server.balance("statsd") == first


def queued(server: Server) -> int:
    """Bytes in the socket's buffer."""
    return int(_socket_row(server)[4].split(":")[1], 16)


def dropped(server: Server) -> int:
    """Datagrams that the kernel dropped at the server's socket; the ledger looks at the same count every 10 s."""
    return int(_socket_row(server)[12])


def _socket_row(server: Server) -> list[str]:
    port = f":{server.statsd:04X}"
    with Path("/proc/net/udp").open() as table:
        return next(row for row in map(str.split, table) if row[1].endswith(port))
