"""Scrapes in Prometheus' text format: 1,000 samples each, four labels a series."""

import numpy as np

from bench.fleet import slot_now
from bench.loads.remote_write import fleet

_SAMPLES_A_SCRAPE = 1000
_HEAD = b"# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n"


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    lines = lines_of(series, samples, seed, "000")
    return [_HEAD + b"".join(lines[k : k + _SAMPLES_A_SCRAPE]) for k in range(0, samples, _SAMPLES_A_SCRAPE)]


def lines_of(series: int, samples: int, seed: int, unit: str) -> list[bytes]:
    """Lines of so many samples, whose timestamps are seconds with `unit` behind them."""
    heads = [
        "http_requests_total{" + ",".join(f'{k}="{v}"' for k, v in (labels[n] for n in (1, 4, 5, 7))) + "}"
        for labels in fleet(series)
    ]
    values = np.random.default_rng(seed).integers(0, 1 << 30, 4096).tolist()
    slots = -(-samples // series)
    return [
        f"{heads[i % series]} {values[i & 4095]} {slot_now(slots - 1 - i // series)}{unit}\n".encode()
        for i in range(samples)
    ]
