"""Prometheus' text in plain Python, held to the twin of the kernel that reads it on the server."""

import random
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics

from reference import exposition as twin
from tallystick.agent.services.exposition import Scrape
from tallystick.agent.services.failure import ServiceError
from tallystick.model.kind import Kind

GOLDEN = Path(__file__).parents[3] / "golden"
TEXTS = sorted([*GOLDEN.glob("exposition/*/input*"), *GOLDEN.glob("openmetrics/*/input*")])


def read(text: str, *, open_metrics: bool = False) -> list[tuple[str, float, Kind]]:
    scrape = Scrape(text, 10_000, open_metrics=open_metrics)
    return [(point.name, point.value, point.kind) for point in scrape.points()]


def by_the_twin(text: bytes, *, open_metrics: bool) -> list[tuple[str, float, Kind]]:
    outcome = (twin.parse_openmetrics if open_metrics else twin.parse)(text, 0, 1 << 16)
    return [(sample.name.decode(), sample.value, Kind(sample.kind)) for sample in outcome.samples]


def made() -> CollectorRegistry:
    registry = CollectorRegistry()
    requests = Counter("http_requests", "of clients", ["code", "path"], registry=registry)
    requests.labels("200", "/a;b=c d").inc(41)
    requests.labels("500", 'q"uo\\te\n').inc()
    Gauge("temperature", "in the room", registry=registry).set(-21.5)
    histogram = Histogram("took_seconds", "each", buckets=(0.1, 1), registry=registry)
    for seconds in (0.05, 0.5, 5):
        histogram.observe(seconds)
    Summary("size_bytes", "each", registry=registry).observe(7)
    return registry


def test_what_the_client_library_tells_is_read() -> None:
    for text in (generate_latest(made()).decode(), open_metrics(made()).decode()):
        found = {name: (value, kind) for name, value, kind in read(text)}
        assert found["http_requests_total;code=200;path=/a_b=c_d"] == (41, Kind.CUMULATIVE)
        assert found['http_requests_total;code=500;path=q"uo\\te_'] == (1, Kind.CUMULATIVE)
        assert found["temperature"] == (-21.5, Kind.GAUGE)
        assert found["took_seconds_bucket;le=1.0"] == (2, Kind.CUMULATIVE)
        assert found["took_seconds_count"] == (3, Kind.CUMULATIVE)
        assert found["size_bytes_sum"] == (7, Kind.CUMULATIVE)


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: f"{file.parent.parent.name}-{file.parent.name}")
def test_names_values_and_kinds_are_those_of_the_server(file: Path) -> None:
    text, is_open = file.read_bytes(), file.parent.parent.name == "openmetrics"
    found = read(text.decode("utf-8", "replace"), open_metrics=is_open)
    assert [row for row in found if "\ufffd" not in row[0]] == by_the_twin(text, open_metrics=is_open)


def test_what_a_program_says_of_its_metrics_goes_with_them() -> None:
    said = {
        point.name: (point.unit, point.description) for point in Scrape(generate_latest(made()).decode(), 99).points()
    }
    assert said["http_requests_total;code=200;path=/a_b=c_d"] == ("", "of clients")
    assert said["took_seconds_sum"] == ("seconds", "each") and said["took_seconds_bucket;le=1.0"] == ("", "each")
    assert said["size_bytes_sum"] == ("bytes", "each") and said["temperature"] == ("", "in the room")


def test_what_is_not_finite_is_left_out_and_what_is_no_line_is_counted() -> None:
    scrape = Scrape('a NaN\nb +Inf\nc 1\nd{x=} 2\ne{x="y" 3\n{} 4\nf\ng 0x10\n h{ x = "y" , } 5 1700000000000\n', 100)
    assert [(point.name, point.value) for point in scrape.points()] == [("c", 1), ("h;x=y", 5)]
    assert (scrape.bad, scrape.first_bad) == (5, "d{x=} 2")


def test_series_are_bounded() -> None:
    scrape = Scrape("".join(f'a{{n="{n}"}} 1\n' for n in range(100)), 60)
    points = scrape.points()
    assert [next(points).value for _ in range(60)] == [1.0] * 60
    with pytest.raises(ServiceError, match="more than 60 series"):
        next(points)


def test_any_bytes_are_read_or_counted() -> None:
    dice = random.Random(5)
    alphabet = [*'{}",=\\# \t', "a", "b_total", "1", "-2.5e3", "NaN", "\n", "\r\n", "# TYPE a counter\n", "é", "\0"]
    for _ in range(400):
        text = "".join(dice.choices(alphabet, k=dice.randrange(60)))
        scrape = Scrape(text, 100)
        for point in scrape.points():
            assert point.name and not set(point.name) & set(" \t\n")


def test_lines_of_all_sorts_are_read_as_the_twin_reads_them() -> None:
    dice = random.Random(9)
    keys = ["code", "name", "le", "_x", "a1", '"quoted key"', "job"]
    values = ["200", "", "~x", "a b", "c;d", 'q\\"', "\\\\", "\\n", "é", "=", "{}", ",", "x,y=z", "~"]
    for _ in range(3000):
        pairs = ",".join(f'{dice.choice(keys)}="{dice.choice(values)}"' for _ in range(dice.randrange(4)))
        pairs += dice.choice(["", "", "", ",", " ", ",,", "x"])
        kind = dice.choice(["", "# TYPE a counter\n", "# TYPE a_total gauge\n", "# TYPE a histogram\n"])
        name = dice.choice(["a", "a_total", "a_bucket", "b:c", "", "a_created"])
        line = f"{name}{{{pairs}}} {dice.choice(['1', '-2.5', '1e3', 'x', 'NaN', '1 5', '1 x', '1 # {} 2'])}\n"
        text = kind + line
        assert read(text) == by_the_twin(text.encode(), open_metrics=False), text
