"""InfluxDB's lines, as telegraf writes them: ten fields a line."""

import numpy as np

from bench.fleet import slot_now
from bench.loads import PIECE_BYTES, pack

_FIELDS = ("user", "system", "idle", "iowait", "nice", "irq", "softirq", "steal", "guest", "guest_nice")


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    measured = max(series // len(_FIELDS), 1)
    count = -(-samples // len(_FIELDS))
    slots = -(-count // measured)
    lines = []
    for k, values in enumerate(rng.normal(50, 10, (count, len(_FIELDS))).round(2).tolist()):
        fields = ",".join(f"usage_{field}={value}" for field, value in zip(_FIELDS, values, strict=True))
        which, slot = k % measured, slot_now(slots - 1 - k // measured)
        lines.append(f"cpu,cpu=cpu{which % 8},host=web{which // 8:04d} {fields} {slot}000000000\n".encode())
    return pack(lines, PIECE_BYTES)
