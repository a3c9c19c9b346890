"""Requests of Prometheus' remote write 1.0, decompressed: 500 samples each, ten labels a series."""

import struct
from collections.abc import Callable

import numpy as np

from bench.fleet import slot_now

_SAMPLES_A_REQUEST = 500

Labels = list[tuple[str, str]]


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    heads = [
        b"".join(field(1, field(1, key.encode()) + field(2, value.encode())) for key, value in labels)
        for labels in fleet(series)
    ]
    return requests(heads, samples, seed, lambda some: b"".join(field(1, one) for one in some))


def fleet(series: int) -> list[Labels]:
    """The labels of so many series, as those of a scraped application."""
    return [
        [
            ("__name__", "http_requests_total"),
            ("code", ("200", "302", "404", "500")[i % 4]),
            ("container", "application"),
            ("endpoint", "http-metrics"),
            ("handler", f"/api/v1/resource{i // 4 % 50}"),
            ("instance", f"10.0.{i // 50_000}.{i // 200 % 250}:8080"),
            ("job", "application"),
            ("method", "GET"),
            ("namespace", "production"),
            ("pod", f"application-7d4b9c6f5-{i // 200:05d}"),
        ]
        for i in range(series)
    ]


def requests(heads: list[bytes], samples: int, seed: int, request: Callable[[list[bytes]], bytes]) -> list[bytes]:
    """Requests made of series, each of which is a head and a sample."""
    values = np.random.default_rng(seed).integers(0, 1 << 40, 4096).astype(float).tolist()
    slots = -(-samples // len(heads))
    rows = [
        heads[i % len(heads)] + field(2, sample(values[i & 4095], 1000 * slot_now(slots - 1 - i // len(heads))))
        for i in range(samples)
    ]
    return [request(rows[k : k + _SAMPLES_A_REQUEST]) for k in range(0, samples, _SAMPLES_A_REQUEST)]


def sample(value: float, ms: int) -> bytes:
    return b"\x09" + struct.pack("<d", value) + b"\x10" + varint(ms)


def field(number: int, data: bytes) -> bytes:
    """A field of Protocol Buffers that has a length."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
