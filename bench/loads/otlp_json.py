"""OTLP's bodies in JSON: the same points as in Protocol Buffers, 500 a body."""

import json

import numpy as np

from bench.fleet import slot_now

_POINTS_A_BODY = 500


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    values = np.random.default_rng(seed).integers(0, 1 << 20, 4096).astype(float).tolist()
    slots = -(-samples // series)
    bodies = []
    for first in range(0, samples, _POINTS_A_BODY):
        rows = range(first, min(first + _POINTS_A_BODY, samples))
        timestamp_ns = slot_now(slots - 1 - first // series) * 10**9
        points = [_point(i % series, values[i & 4095], timestamp_ns) for i in rows]
        bodies.append(_body(first % series // _POINTS_A_BODY, points))
    return bodies


def _point(i: int, value: float, timestamp_ns: int) -> dict[str, object]:
    tags = {"http.route": f"/resource{i % 500}", "http.request.method": "GET"}
    return {"timeUnixNano": str(timestamp_ns), "asDouble": value, "attributes": _attributes(tags)}


def _body(service: int, points: list[dict[str, object]]) -> bytes:
    metric = {"name": "http.server.requests", "unit": "1", "gauge": {"dataPoints": points}}
    resource = {"service.name": f"shop{service % 20}", "host.name": f"web{service:04d}"}
    scopes = [{"scope": {"name": "opentelemetry.instrumentation"}, "metrics": [metric]}]
    request = {"resourceMetrics": [{"resource": {"attributes": _attributes(resource)}, "scopeMetrics": scopes}]}
    return json.dumps(request).encode()


def _attributes(tags: dict[str, str]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in tags.items()]
