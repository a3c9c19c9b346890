"""carbon's pickled frames, as relays write them: 500 samples each."""

import pickle
import struct

from bench.fleet import Fleet, slot_now

_SAMPLES_A_FRAME = 500


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    fleet = Fleet(series, seed)
    slots = -(-samples // series)
    rows = []
    for k in range(slots):
        timestamp_s = slot_now(slots - 1 - k)
        rows += [(name, (timestamp_s, value)) for name, value in zip(fleet.names, fleet.values().tolist(), strict=True)]
    return [_frame(rows[k : min(k + _SAMPLES_A_FRAME, samples)]) for k in range(0, samples, _SAMPLES_A_FRAME)]


def _frame(rows: list[tuple[str, tuple[int, float]]]) -> bytes:
    body = pickle.dumps(rows, protocol=2)
    return struct.pack("!I", len(body)) + body
