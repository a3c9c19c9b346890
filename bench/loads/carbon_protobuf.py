"""carbon's frames of Protocol Buffers, 500 metrics each."""

import struct

from bench.fleet import Fleet, slot_now

_METRICS_A_FRAME = 500


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    fleet = Fleet(series, seed)
    slots = -(-samples // series)
    metrics = []
    for k in range(slots):
        point = b"\x12\x0f\x08" + _varint(slot_now(slots - 1 - k)) + b"\x11"
        for name, value in zip(fleet.names, fleet.values().tolist(), strict=True):
            body = b"\x0a" + bytes([len(name)]) + name.encode() + point + struct.pack("<d", value)
            metrics.append(b"\x0a" + bytes([len(body)]) + body)
    frames = [metrics[k : min(k + _METRICS_A_FRAME, samples)] for k in range(0, samples, _METRICS_A_FRAME)]
    return [struct.pack(">I", sum(map(len, frame))) + b"".join(frame) for frame in frames]


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])
