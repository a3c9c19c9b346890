"""OpenTSDB's put lines, as tcollector writes them: two tags each."""

from bench.fleet import Fleet, slot_now
from bench.loads import PIECE_BYTES, pack


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    fleet = Fleet(series, seed)
    slots = -(-samples // series)
    names = [f"put cpu.metric{i % 10} {{}} {{}} core={i // 10 % 10} host=web{i // 100:04d}\n" for i in range(series)]
    lines = []
    for k in range(slots):
        timestamp_s = slot_now(slots - 1 - k)
        lines += [
            name.format(timestamp_s, value).encode()
            for name, value in zip(names, fleet.values().round(2).tolist(), strict=True)
        ]
    return pack(lines[:samples], PIECE_BYTES)
