"""Half a million series every ten seconds, as a fleet sends them: spread over the ten seconds."""

from collections.abc import Iterator

from bench.carbon import warm
from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, slot_now
from bench.process import peak_resident_bytes
from bench.sender import stream_sender
from bench.server import running

SERIES = 500_000
ROUNDS = 8
PARTS_A_ROUND = 100
_PAUSE_S = 10 / PARTS_A_ROUND


@benchmark("steady")
def steady() -> Iterator[Figure]:
    """Half a million series every ten seconds for 80 s, after first sight, with a sealing every 30 s."""
    fleet = Fleet(SERIES)
    first = fleet.lines(slot_now())
    texts = [fleet.lines(slot_now(-1 - k)).splitlines(keepends=True) for k in range(ROUNDS)]
    size = SERIES // PARTS_A_ROUND
    parts = [b"".join(text[k : k + size]) for text in texts for k in range(0, SERIES, size)]
    del texts
    with running("seal_interval_s = 30") as server:
        stored = warm(server)
        sender = stream_sender(server.carbon, [first])
        sender.go()
        sender.result()
        stored += SERIES
        server.wait_until_durable("carbon", stored)
        sender = stream_sender(server.carbon, parts, _PAUSE_S)
        used = server.usage()
        sender.go()
        stall_s = sender.result()
        server.wait_until_durable("carbon", stored + SERIES * ROUNDS)
        now = server.usage()
        seconds = now.at_s - used.at_s
        peak = peak_resident_bytes(server.pid)
    label = "half a million series every 10 s"
    share = 100 * (now.cpu_s - used.cpu_s) / seconds
    yield Figure(f"{label}: CPU, share of one core", share, "%", at_most=10, note=f"{seconds:.0f} s, {load()}")
    written = (now.written_bytes - used.written_bytes) / seconds / 1e6
    yield Figure(f"{label}: written to disk", written, "MB/s", at_most=10)
    yield Figure(f"{label}: peak resident", peak / 1e6, "MB")
    yield Figure(f"{label}: memory a series", peak / SERIES, "B", at_most=1000, note="whole process, at its peak")
    yield Figure(f"{label}: longest wait of the sender", 1000 * stall_s, "ms")
