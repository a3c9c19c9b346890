"""istatd's lines, as its agents send them: every fourth a slot that was tallied, every fourth for two names."""

from bench.fleet import Fleet, slot_now
from bench.loads import PIECE_BYTES, pack


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    fleet = Fleet(series, seed)
    lines: list[bytes] = []
    made = slot = 0
    while made < samples:
        at_s = slot_now(slot)
        slot += 1
        for k, (name, value) in enumerate(zip(fleet.names, fleet.values().tolist(), strict=True)):
            if made >= samples:
                break
            if k % 4 == 0:
                lines.append(f"{name} {at_s} {4 * value:.6g} {4 * value * value:.12g} {value} {value} 4\n".encode())
            elif k % 4 == 1 and made + 2 <= samples:
                base, _, last = name.rpartition(".")
                lines.append(f"{base}^{last}^all {at_s} {value}\n".encode())
                made += 1
            else:
                lines.append(f"{name} {at_s} {value}\n".encode())
            made += 1
    return pack(lines, PIECE_BYTES)
