"""OTLP's bodies: the gauges and growing sums of many services, ten points a metric and 500 a body."""

import struct

import numpy as np

from bench.fleet import slot_now

_POINTS_A_BODY = 500
_POINTS_A_METRIC = 10


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    values = np.random.default_rng(seed).integers(0, 1 << 20, 4096).astype(float).tolist()
    slots = -(-samples // series)
    bodies = []
    for first in range(0, samples, _POINTS_A_BODY):
        rows = range(first, min(first + _POINTS_A_BODY, samples))
        timestamp_s = slot_now(slots - 1 - first // series)
        bodies.append(_body([(i % series, values[i & 4095]) for i in rows], timestamp_s))
    return bodies


def _body(rows: list[tuple[int, float]], timestamp_s: int) -> bytes:
    """A body of one service for each `_POINTS_A_BODY` series."""
    metrics = []
    for k in range(0, len(rows), _POINTS_A_METRIC):
        some = rows[k : k + _POINTS_A_METRIC]
        which = some[0][0] // _POINTS_A_METRIC
        points = b"".join(message(1, _point(i, value, timestamp_s)) for i, value in some)
        name = f"http.server.requests{which % 50}"
        if which % 2:
            metrics.append(text(1, name) + text(3, "1") + message(5, points))
        else:
            metrics.append(text(1, name) + text(3, "1") + message(7, points + b"\x10\x02\x18\x01"))
    service = rows[0][0] // _POINTS_A_BODY
    resource = attribute("service.name", f"shop{service % 20}") + attribute("host.name", f"web{service:04d}")
    scope = message(1, text(1, "opentelemetry.instrumentation")) + b"".join(message(2, metric) for metric in metrics)
    return message(1, message(1, resource) + message(2, scope))


def _point(i: int, value: float, timestamp_s: int) -> bytes:
    tags = message(7, pair("http.route", f"/resource{i % 10}")) + message(7, pair("http.request.method", "GET"))
    times = b"\x11" + struct.pack("<Q", 10**18) + b"\x19" + struct.pack("<Q", timestamp_s * 10**9)
    return tags + times + b"\x21" + struct.pack("<d", value)


def attribute(key: str, value: str) -> bytes:
    """An attribute of a resource."""
    return message(1, pair(key, value))


def pair(key: str, value: str) -> bytes:
    return text(1, key) + message(2, text(1, value))


def text(number: int, value: str) -> bytes:
    return message(number, value.encode())


def message(number: int, inner: bytes) -> bytes:
    """A field with a length."""
    size, length = len(inner), bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((number << 3 | 2, *length, size)) + inner
