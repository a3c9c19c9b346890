"""StatsD's datagrams: a third each of counters, timings with a rate, and gauges."""

from bench.fleet import names_of
from bench.loads import DATAGRAM_BYTES, pack

_FORMS = ("{}:1|c\n", "{}:12.25|ms|@0.1\n", "{}:{}|g\n")


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    names = names_of(series)
    lines = [_FORMS[i % series % 3].format(names[i % series], (i + seed) % 1000).encode() for i in range(samples)]
    return pack(lines, DATAGRAM_BYTES)
