"""Value lists as JSON, as collectd's write_http posts them with a buffer of 64 KiB."""

import json

from bench.fleet import slot_now
from bench.loads import PIECE_BYTES
from bench.loads.collectd import rows_of

_KINDS = {"g": "gauge", "d": "derive"}
_NAMES = {1: ["value"], 2: ["rx", "tx"], 3: ["shortterm", "midterm", "longterm"]}
_TEXTS = ("host", "plugin", "plugin_instance", "type", "type_instance")


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    rows = list(rows_of(series))
    bodies, part, size, taken = [], list[bytes](), 0, 0
    slots = -(-samples // series)
    for k in range(slots):
        time_s = float(slot_now(slots - 1 - k))
        for i, (texts, kinds) in enumerate(rows):
            if taken + len(kinds) > samples:
                continue
            taken += len(kinds)
            values = [
                (seed * 1_000_003 + i * 7919 + k) % 100_000 / 100 if kind == "g" else i * 1000 + k for kind in kinds
            ]
            head = {"values": values, "dstypes": [_KINDS[kind] for kind in kinds], "dsnames": _NAMES[len(kinds)]}
            one = json.dumps(head | {"time": time_s, "interval": 10.0} | dict(zip(_TEXTS, texts, strict=True))).encode()
            if size + len(one) > PIECE_BYTES:
                bodies.append(b"[" + b",".join(part) + b"]")
                part, size = [], 0
            part.append(one)
            size += len(one) + 1
    return [*bodies, b"[" + b",".join(part) + b"]"]
