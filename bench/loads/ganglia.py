"""Ganglia's datagrams, as gmond sends them: what a metric is before its first value, and values as floats."""

import random
import struct

_METRICS_A_HOST = 50
_METADATA, _FLOAT, _BOTH = 128, 134, 3


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    numbers = random.Random(seed)
    metrics = [
        _text(b"web%d.example.com" % (k // _METRICS_A_HOST)) + _text(b"metric_%d" % (k % _METRICS_A_HOST)) + bytes(4)
        for k in range(series)
    ]
    told = _text(b"float") + _text(b"") + _text(b"") + struct.pack(">IIII", _BOTH, 60, 0, 0)
    sent = [struct.pack(">I", _METADATA) + metric + told for metric in metrics]
    head, form = struct.pack(">I", _FLOAT), _text(b"%.1f")
    sent += [
        head + metrics[k % series] + form + struct.pack(">f", numbers.randrange(10_000) / 100) for k in range(samples)
    ]
    return sent


def _text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)
