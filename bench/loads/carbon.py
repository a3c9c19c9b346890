"""carbon's lines, as collectd and scripts write them."""

from bench.fleet import Fleet, slot_now
from bench.loads import PIECE_BYTES, pack


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    fleet = Fleet(series, seed)
    slots = -(-samples // series)
    lines = [line for k in range(slots) for line in fleet.lines(slot_now(slots - 1 - k)).splitlines(keepends=True)]
    return pack(lines[:samples], PIECE_BYTES)
