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
from bench.sender import Sender
from bench.server import Server, running, size_of, wait_until
from bench.statsd import at_rest, dropped, lines_of, queued, send

SERIES = 10_000
_LINES_A_DATAGRAM = 30
"""The same in each: what the kernel drops is counted in datagrams, and is to be known in lines."""
_LINES = 16_000 * _LINES_A_DATAGRAM
_TIMES = 2.5
"""Offered, of what was taken in the minute before: twice as much is to come also where more is taken in the next."""
_TRIAL_S = 10.0
_MINUTE_S = 60.0
_STORE = f"seal_interval_s = {_MINUTE_S:.0f}"
"""What is not sealed yet grows with time and series, not with load: here it is as much in each minute."""
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
    with running(_STORE) as server:
        warm(server)
        send(server, datagrams[:1000], None)
        yield from _figures(_play(server, texts, datagrams, seconds + _TRIAL_S))


@dataclass(frozen=True, slots=True)
class Played:
    """What was sent for some time, and what became of it.

    Parameters
    ----------
    carbon, datagrams
        Lines, and datagrams, that were sent.
    balances
        By protocol: how much each term of the ledger grew.
    peaks
        The most memory of each minute, in bytes.
    cpu_s
        Of the server.
    log_bytes
        Of the store's log at the end.
    """

    seconds: float
    carbon: int
    datagrams: int
    balances: dict[str, dict[str, int]]
    peaks: list[int]
    cpu_s: float
    log_bytes: int

    def unaccounted(self, protocol: str) -> int:
        """Lines that are neither stored, nor rejected, nor counted as dropped."""
        balance = self.balances[protocol]
        sent = self.carbon if protocol == "carbon" else (self.datagrams - balance["kernel_drops"]) * _LINES_A_DATAGRAM
        return sent - balance["stored"] - balance["rejected"]


def _play(server: Server, texts: list[bytes], datagrams: list[bytes], seconds: float) -> Played:
    """Send by both protocols for so long, and wait until all that came through is safe on disk.

    A machine is not as fast in one minute as in the next, so each has its own rate, by what was taken in the one
    before. The first is preceded by a few seconds of as much as can be sent, which count like all others.
    """
    before, dropped_before = _balances(server), dropped(server)
    stream = _line_sender(server.carbon, texts, seconds)
    began, used = time.monotonic(), server.usage()
    stream.go()
    count, peaks, rate, lasts_s = 0, list[int](), None, _TRIAL_S
    while began + seconds - time.monotonic() > 1:
        stored, from_s = server.balance("statsd")["stored"], time.monotonic()
        flood = repeated_datagrams(server.statsd, datagrams, rate, min(lasts_s, began + seconds - from_s))
        flood.go()
        peaks.append(_peak(server, min(time.monotonic() + lasts_s, began + seconds)))
        count += flood.result()
        taken = server.balance("statsd")["stored"] - stored
        rate, lasts_s = _TIMES * taken / _LINES_A_DATAGRAM / (time.monotonic() - from_s), _MINUTE_S
    carbon = stream.result()
    wait_until(lambda: queued(server) == 0, "the socket to be read")
    wait_until(lambda: at_rest(server), "all to be stored")
    lost = dropped(server) - dropped_before
    # The ledger asks the kernel once a second what it dropped.
    wait_until(lambda: _grown(before, _balances(server))["statsd"]["kernel_drops"] == lost, "the drops to be known")
    took_s, cpu_s = time.monotonic() - began, server.usage().cpu_s - used.cpu_s
    balances, log_bytes = _grown(before, _balances(server)), size_of(server.data / "log")
    return Played(took_s, carbon, count, balances, peaks, cpu_s, log_bytes)


def _peak(server: Server, until_s: float) -> int:
    """The most memory that the server has until then, in bytes, looked at twice a second."""
    most = 0
    while time.monotonic() < until_s:
        most = max(most, server.usage().resident_bytes)
        time.sleep(0.5)
    return most


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


def _figures(played: Played) -> Iterator[Figure]:
    statsd, carbon = played.balances["statsd"], played.balances["carbon"]
    offered, taken = played.datagrams * _LINES_A_DATAGRAM, statsd["stored"] + carbon["stored"]
    yield Figure("StatsD over UDP: offered", offered / 1e6, "M lines", note=f"{played.seconds:.0f} seconds")
    yield Figure("StatsD over UDP: stored", statsd["stored"] / 1e6, "M lines")
    yield Figure("StatsD over UDP: offered for each that was stored", offered / statsd["stored"], "", at_least=2)
    yield Figure("StatsD over UDP: dropped by the kernel, as the ledger has it", statsd["kernel_drops"], "datagrams")
    yield Figure("carbon over TCP, pushed back by itself: stored", carbon["stored"] / 1e6, "M lines")
    yield Figure("dropped by queues", carbon["queue_drops"] + statsd["queue_drops"], "", at_most=0)
    for protocol in ("statsd", "carbon"):
        lost = played.unaccounted(protocol)
        yield Figure(f"{protocol}: lines neither stored nor accounted for", abs(lost), "", at_most=0)
    first, *later = (peak / _MB for peak in played.peaks[1:])
    note = ", ".join(f"{mb:.0f}" for mb in (first, *later))
    yield Figure("most memory in the first minute", first, "MB")
    yield Figure("most memory in the last minute", played.peaks[-1] / _MB, "MB", note=f"minute by minute: {note}")
    yield Figure("most memory in any later minute, to that of the first", max(later) / first, "", at_most=1.1)
    yield Figure("log on disk at the end", played.log_bytes / _MB, "MB")
    yield Figure("both: stored", taken / played.seconds / 1e6, "M lines/s")
    yield Figure("both: CPU-s per million lines stored", played.cpu_s / taken * 1e6, "CPU-s", note=load())
