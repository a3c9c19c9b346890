"""Targets of Prometheus: what any program tells at its ``/metrics``, as ``prometheus.orders_total;kind=paid``.

Series have the names that they have when the server scrapes them (``[[polls]]``): what only grows is stored as it is,
and becomes a rate when it is read (``perSecond``).
"""

import time
from collections.abc import Iterator
from typing import Annotated

from tallystick.agent.collecting.collector import IncompleteError, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.services.exposition import Scrape
from tallystick.agent.services.reading import Metric
from tallystick.agent.services.secret import password
from tallystick.agent.services.settings import WebSettings
from tallystick.agent.services.web import Answer, check_url
from tallystick.config.table import key
from tallystick.model.point import Point

METRICS = (
    Metric("<metric>", "", "What the target tells, by its own names; labels are tags"),
    Metric("scrape_duration_seconds", "", "How long the target took"),
    Metric("scrape_samples_scraped", "", "How many series it told"),
)
_ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4"


class Settings(WebSettings, frozen=True, kw_only=True):
    """A target that is scraped."""

    url: Annotated[str, key("Of its metrics.", check_url)]
    token_file: Annotated[str, key("A file with a token, sent as 'Authorization: Bearer'; read at each look.")] = ""
    series_max: Annotated[int, key("A target that has more is read up to there.", ge=1, le=1_000_000)] = 10_000
    answer_bytes_max: Annotated[int, key("A longer answer is not read.", ge=1 << 10, le=1 << 28)] = 8 << 20


@collector("prometheus", Settings)
class Prometheus(Service[Settings]):
    """Scrapes a target."""

    TELLS = METRICS

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        settings = self.settings
        headers = {"Accept": _ACCEPT}
        if token := password(settings.token_file):
            headers["Authorization"] = f"Bearer {token}"
        begun_s = time.monotonic()
        answer = settings.ask(settings.url, self.limit_s, headers=headers, bytes_max=settings.answer_bytes_max)
        took_s = time.monotonic() - begun_s
        scrape, count = Scrape(answer.text(), settings.series_max, open_metrics=_is_open_metrics(answer)), 0
        for point in scrape.points():
            count += 1
            yield point
        yield Point("scrape_duration_seconds", round(took_s, 6))
        yield Point("scrape_samples_scraped", float(count))
        if scrape.bad:
            raise IncompleteError(
                f"cannot read {scrape.bad} lines, such as {scrape.first_bad!r}; expected Prometheus' text"
            )


def _is_open_metrics(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").startswith("application/openmetrics-text")
