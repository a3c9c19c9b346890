"""What it costs to ask services: the agent's reader of Prometheus' text, beside that of Prometheus' own client."""

import time
from collections.abc import Callable, Iterator

from prometheus_client.parser import text_string_to_metric_families

from bench.figure import Figure, benchmark, load
from tallystick.agent.services.exposition import Scrape

_SERIES = 20_000
_ROUNDS = 5


@benchmark("services")
def services() -> Iterator[Figure]:
    """Texts of a target with 20,000 series, read in plain Python on one core."""
    text = _text()
    ours = min(_seconds(lambda: sum(1 for _ in Scrape(text, _SERIES).points())) for _ in range(_ROUNDS))
    theirs = min(_seconds(lambda: sum(len(f.samples) for f in text_string_to_metric_families(text))) for _ in range(2))
    yield Figure("agent, Prometheus' text", _SERIES / ours / 1e3, "k series/s", note=load())
    yield Figure("prometheus_client's parser, the same text", _SERIES / theirs / 1e3, "k series/s")


def _text() -> str:
    lines = ["# HELP http_requests_total Requests.", "# TYPE http_requests_total counter"]
    for number in range(_SERIES):
        labels = f'code="{200 + number % 5}",handler="/api/v1/orders/{number // 5}",method="GET"'
        lines.append(f"http_requests_total{{{labels}}} {number * 17}")
    return "\n".join(lines) + "\n"


def _seconds(call: Callable[[], int]) -> float:
    begun = time.process_time()
    assert call() == _SERIES
    return time.process_time() - begun
