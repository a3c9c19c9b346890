"""Scrapes in OpenMetrics: 1,000 samples each, four labels a series."""

from bench.loads.exposition import lines_of

_SAMPLES_A_SCRAPE = 1000
_HEAD = b"# TYPE http_requests counter\n# HELP http_requests Requests.\n"


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    lines = lines_of(series, samples, seed, ".0")
    return [
        _HEAD + b"".join(lines[k : k + _SAMPLES_A_SCRAPE]) + b"# EOF\n" for k in range(0, samples, _SAMPLES_A_SCRAPE)
    ]
