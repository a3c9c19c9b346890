"""Overload for minutes: twice the StatsD over UDP that is taken, beside carbon over TCP as fast as it is read."""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.carbon import warm
from bench.datagrams import repeated_datagrams
from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, slot_now
from bench.process import Usage
from bench.sender import Sender
from bench.server import Server, running, size_of, wait_until
from bench.statsd import at_rest, dropped, lines_of, queued, send

SERIES = 10_000
_LINES_A_DATAGRAM = 30
"""The same in each: what the kernel drops is counted in datagrams, and is to be known in lines."""
_LINES = 16_000 * _LINES_A_DATAGRAM
_TRIAL_S = 10.0
_MB = 1e6
_STAMP = b" 1234567890\n"
"""Stands for the present slot in lines that were made beforehand."""


@benchmark("overload")
def overload() -> Iterator[Figure]:
    """Carbon as fast as it is read beside StatsD at twice the rate that is taken, for ``OVERLOAD_S`` seconds (600)."""
    seconds = float(os.environ.get("OVERLOAD_S", "600"))
    fleet = Fleet(SERIES)
    texts = [fleet.lines(0).replace(b" 0\n", _STAMP) for _ in range(10)]
    lines = lines_of(_LINES)
    datagrams = [b"\n".join(lines[k : k + _LINES_A_DATAGRAM]) for k in range(0, len(lines), _LINES_A_DATAGRAM)]
    with running() as server:
        warm(server)
        send(server, datagrams[:1000], None)
        rate = 2 * _taken(server, texts, datagrams)
        yield from _figures(_play(server, texts, datagrams, rate, seconds), rate)


@dataclass(frozen=True, slots=True)
class Played:
    """What was sent for some time, and what became of it.

    Parameters
    ----------
    carbon, datagrams
        Lines, and datagrams, that were sent.
    balances
        By protocol: how much each term of the ledger grew.
    dropped
        Datagrams that the kernel dropped, by its own count.
    before, usages
        Of the server: before it began, then each minute and when all was sent.
    log_bytes
        Of the store's log at the end.
    """

    seconds: float
    carbon: int
    datagrams: int
    balances: dict[str, dict[str, int]]
    dropped: int
    before: Usage
    usages: list[Usage]
    log_bytes: int

    def unaccounted(self, protocol: str) -> int:
        """Lines that are neither stored, nor rejected, nor counted as dropped."""
        balance = self.balances[protocol]
        sent = self.carbon if protocol == "carbon" else (self.datagrams - balance["kernel_drops"]) * _LINES_A_DATAGRAM
        return sent - balance["stored"] - balance["rejected"]


def _taken(server: Server, texts: list[bytes], datagrams: list[bytes]) -> float:
    """Datagrams a second that are taken while more are offered."""
    played = _play(server, texts, datagrams, None, _TRIAL_S)
    return (played.datagrams - played.dropped) / played.seconds


def _play(server: Server, texts: list[bytes], datagrams: list[bytes], rate: float | None, seconds: float) -> Played:
    """Send by both protocols for so long, and wait until all that came through is safe on disk."""
    before, dropped_before = _balances(server), dropped(server)
    stream = _line_sender(server.carbon, texts, seconds)
    flood = repeated_datagrams(server.statsd, datagrams, rate, seconds)
    began, used, usages = time.monotonic(), server.usage(), list[Usage]()
    stream.go()
    flood.go()
    while time.monotonic() < began + seconds:
        time.sleep(max(0.0, min(began + 60 * (len(usages) + 1), began + seconds) - time.monotonic()))
        usages.append(server.usage())
    carbon, count = stream.result(), flood.result()
    wait_until(lambda: queued(server) == 0, "the socket to be read")
    wait_until(lambda: at_rest(server), "all to be stored")
    lost = dropped(server) - dropped_before
    # The ledger asks the kernel once a second what it dropped.
    wait_until(lambda: _grown(before, _balances(server))["statsd"]["kernel_drops"] == lost, "the drops to be known")
    balances = _grown(before, _balances(server))
    took_s, log_bytes = time.monotonic() - began, size_of(server.data / "log")
    return Played(took_s, carbon, count, balances, lost, used, usages, log_bytes)


def _line_sender(port: int, texts: list[bytes], seconds: float) -> Sender:
    """Sends all series over TCP, again and again; gives how many lines it sent."""

    def work(connection: socket.socket) -> int:
        until_s, count = time.monotonic() + seconds, 0
        while time.monotonic() < until_s:
            connection.sendall(texts[count % len(texts)].replace(_STAMP, f" {slot_now()}\n".encode()))
            count += 1
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1024):
            pass
        return count * SERIES

    return Sender(lambda: socket.create_connection(("127.0.0.1", port)), work)


def _balances(server: Server) -> dict[str, dict[str, int]]:
    found = {protocol: server.balance(protocol) for protocol in ("carbon", "statsd")}
    terms = "received", "stored", "kernel_drops", "queue_drops"
    return {
        protocol: {term: balance[term] for term in terms} | {"rejected": sum(balance["rejected"].values())}
        for protocol, balance in found.items()
    }


def _grown(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {one: {term: n - before[one][term] for term, n in terms.items()} for one, terms in after.items()}


def _figures(played: Played, rate: float) -> Iterator[Figure]:
    minutes = played.usages
    first, last = minutes[0].resident_bytes, minutes[-1].resident_bytes
    statsd, carbon = played.balances["statsd"], played.balances["carbon"]
    offered = played.datagrams * _LINES_A_DATAGRAM
    note = f"{rate * _LINES_A_DATAGRAM / 1e6:.2f} M lines/s were meant, {load()}"
    yield Figure("StatsD over UDP: offered", offered / 1e6, "M lines", note=note)
    yield Figure("StatsD over UDP: stored", statsd["stored"] / 1e6, "M lines")
    yield Figure("StatsD over UDP: offered for each that was stored", offered / statsd["stored"], "")
    yield Figure("StatsD over UDP: dropped by the kernel, as the ledger has it", statsd["kernel_drops"], "datagrams")
    yield Figure("carbon over TCP, pushed back by itself: stored", carbon["stored"] / 1e6, "M lines")
    yield Figure("dropped by queues", carbon["queue_drops"] + statsd["queue_drops"], "", at_most=0)
    for protocol in ("statsd", "carbon"):
        lost = played.unaccounted(protocol)
        yield Figure(f"{protocol}: lines neither stored nor accounted for", abs(lost), "", at_most=0)
    yield Figure("resident memory after a minute", first / _MB, "MB")
    yield Figure(f"resident memory after {played.seconds / 60:.0f} minutes", last / _MB, "MB")
    most = max(usage.resident_bytes for usage in minutes) / first
    yield Figure("most memory at any minute, for each byte after the first one", most, "", at_most=1.1)
    yield Figure("log on disk at the end", played.log_bytes / _MB, "MB")
    taken, busy = statsd["stored"] + carbon["stored"], minutes[-1].cpu_s - played.before.cpu_s
    yield Figure("both: stored", taken / played.seconds / 1e6, "M lines/s")
    yield Figure("both: CPU-s per million lines stored", busy / taken * 1e6, "CPU-s", note=load())
