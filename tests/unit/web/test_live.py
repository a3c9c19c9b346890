"""``/api/query`` as bare numbers for the pages, and as events that follow it."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import anyio
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import Evaluator, QueryLimits
from tallystick.query import Request as Reading
from tallystick.store.memory import MemoryStore
from tallystick.web import live as module
from tallystick.web.answers import COLUMNS_TYPE
from tallystick.web.api import api_routes
from tallystick.web.errors import OverloadedError, exception_handlers
from tallystick.web.live import Live
from tallystick.web.workers import Workers

NOW_S = 1_700_000_003


class House:
    """A store whose clock is turned by whoever waits for it."""

    def __init__(self, **limits: int) -> None:
        self.clock = ManualClock(float(NOW_S))
        self.store = MemoryStore(clock=self.clock)
        self.ids = self.store.create(["web.a", "web.b"], [Kind.GAUGE, Kind.COUNTER])
        for series in self.ids.tolist():
            self.write(series, *range(NOW_S - 300, NOW_S, 5))
        self.limits = QueryLimits(**limits)
        self.late: list[Callable[[], None]] = []

    def write(self, series: int, *times: int) -> None:
        values = [float(t % 1000) for t in times]
        kind = int(self.store.catalog.kinds(np.array([series], np.int32))[0])
        self.store.append(SampleBatch.of([series] * len(times), [t * 1000 for t in times], values, kind=kind))

    @property
    def now_s(self) -> int:
        return int(self.clock.now())

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        if self.late:
            self.late.pop(0)()

    async def events(self, *targets: str, **more: Any) -> AsyncIterator[tuple[str, Any]]:
        """Event by event, its name and what it holds."""
        evaluator = Evaluator(self.store, self.clock, self.limits)
        live = Live(self.store, evaluator, Workers(1), self.clock, self.sleep)
        asked = Reading(NOW_S - 60, NOW_S, NOW_S, **more)
        answer = await live.follow(Request({"type": "http"}, anyio.sleep_forever), targets, asked)
        async for piece in answer.body_iterator:
            text = piece.decode() if isinstance(piece, bytes) else str(piece)
            if text.startswith(":"):
                continue
            first, second, *_ = text.split("\n")
            yield first.removeprefix("event: "), json.loads(second.removeprefix("data: "))


async def taken(events: AsyncIterator[tuple[str, Any]], count: int) -> list[tuple[str, Any]]:
    found = []
    async for event in events:
        found.append(event)
        if len(found) == count:
            break
    return found


def told(lines: list[dict[str, Any]]) -> dict[tuple[str, int], float | None]:
    return {
        (line["name"], line["start"] + i * line["step"]): value
        for line in lines
        for i, value in enumerate(line["values"])
    }


@pytest.mark.anyio
async def test_a_slot_is_told_when_it_closes_with_the_one_that_is_open() -> None:
    house = House()
    house.late = [lambda: house.write(0, NOW_S + 4), lambda: house.write(0, NOW_S + 14)]
    (first, answer), (second, slots), (_, more) = await taken(house.events("web.a"), 3)
    assert (first, second) == ("answer", "slots")
    assert [line["start"] for line in answer["series"]] == [NOW_S - 53]
    (line,) = slots["series"]
    assert line["start"] == NOW_S - 3, "the slot that was open is told again"
    assert line["values"] == [float((NOW_S + 4) % 1000), None]
    assert line["min"] == line["values"]
    assert slots["until"] == NOW_S + 8, "a second after its end"
    assert [line["start"] for line in more["series"]] == [NOW_S + 7]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("targets", "more"),
    [
        (["web.*"], {}),
        (["alias(web.a,'x')", "sumSeries(web.*)"], {}),
        (["movingAverage(web.a,3)", "integral(web.b)"], {}),
        (["web.*", "scale(web.a,2)"], {"slots_max": 3}),
        (["web.a", "derivative(web.b)"], {"step_s": 30}),
    ],
)
async def test_events_add_up_to_the_answer_of_whoever_asks_at_the_end(targets: list[str], more: dict[str, int]) -> None:
    house = House()
    house.late = [lambda k=k: house.write(k % 2, house.now_s - 4, house.now_s - 3) for k in range(8)]
    events = await taken(house.events(*targets, **more), 5)
    followed = {}
    for _, event in events:
        followed |= told(event["series"])
    last_s = events[-1][1]["until"]
    asked = Reading(last_s - 60, last_s, last_s, **more)
    bands = Evaluator(house.store, house.clock).bands(targets, asked)
    steps = {line["step"] for _, event in events for line in event["series"]}
    assert len(steps) == 1, "slots keep their length"
    for some in bands:
        for band in some:
            for row, values in zip(band.grid.rows, band.grid.values, strict=True):
                for time, value in zip(band.grid.times.tolist(), values.tolist(), strict=True):
                    if time >= NOW_S - 3 and "integral" not in row.name:
                        assert followed[row.name, time] == pytest.approx(value, nan_ok=True) or np.isnan(value)


@pytest.mark.anyio
async def test_a_query_that_grows_beyond_a_limit_ends_with_an_event() -> None:
    house = House(series_max=2)
    house.late = [lambda: house.store.create(["web.c"], [Kind.GAUGE])]
    (_, answer), (name, error) = [event async for event in house.events("web.*")]
    assert len(answer["series"]) == 2
    assert name == "error"
    assert "series_max = 2" in error["error"]


@pytest.mark.anyio
async def test_one_follower_too_many_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOLLOWERS_MAX", 1)
    house = House()
    evaluator = Evaluator(house.store, house.clock)
    live = Live(house.store, evaluator, Workers(1), house.clock, house.sleep)
    asked, request = Reading(NOW_S - 60, NOW_S, NOW_S), Request({"type": "http"}, anyio.sleep_forever)
    first = (await live.follow(request, ["web.a"], asked)).body_iterator
    assert isinstance(first, AsyncGenerator)
    await anext(first)
    with pytest.raises(OverloadedError, match="1 do already"):
        await live.follow(request, ["web.a"], asked)
    await first.aclose()
    assert await live.follow(request, ["web.a"], asked)


@pytest.fixture
def client() -> TestClient:
    house = House(series_max=5)
    routes = api_routes(house.store, house.limits, house.clock)
    return TestClient(Starlette(routes=routes, exception_handlers=exception_handlers))


def unpacked(body: bytes) -> list[tuple[dict[str, Any], dict[str, list[float]]]]:
    """As a page reads it."""
    assert body[:4] == b"TLYC"
    begin = 8 + int.from_bytes(body[4:8], "little")
    assert begin % 8 == 0
    numbers, found = np.frombuffer(body, "<f8", offset=begin), []
    for head in json.loads(body[8:begin])["series"]:
        columns = {}
        for word in head["columns"]:
            columns[word], numbers = numbers[: head["slots"]].tolist(), numbers[head["slots"] :]
        found.append((head, columns))
    assert not len(numbers)
    return found


@pytest.mark.parametrize("more", [{}, {"points": "3"}, {"statistics": "max,count"}])
def test_bare_numbers_are_those_of_json(client: TestClient, more: dict[str, str]) -> None:
    params = {"target": ["web.*", "scale(web.a,2)"], "from": "-1min", **more}
    numbers = client.get("/api/query", params=params, headers={"accept": COLUMNS_TYPE})
    assert numbers.headers["content-type"] == COLUMNS_TYPE
    plain = client.get("/api/query", params=params).json()["series"]
    for (head, columns), one in zip(unpacked(numbers.content), plain, strict=True):
        assert {key: head[key] for key in ("name", "kind", "start", "step", "kept_s")} == {
            key: one[key] for key in ("name", "kind", "start", "step", "kept_s")
        }
        names = {"value": "values", "min": "min", "max": "max"}
        expected = one.get("statistics") or {word: one[key] for word, key in names.items() if key in one}
        shown = {word: [None if np.isnan(x) else x for x in values] for word, values in columns.items()}
        assert shown == expected


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"format": "xml"}, "expected one of arrow, columns, events, json"),
        ({"format": "events", "until": "-1min"}, "cannot follow"),
        ({"format": "events", "statistics": "max"}, "cannot follow"),
        ({"format": "events", "target": "nosuch(web.a)"}, "unknown function"),
    ],
)
def test_what_cannot_be_answered_is_told_at_once(client: TestClient, params: dict[str, str], says: str) -> None:
    answer = client.get("/api/query", params={"target": "web.a", **params})
    assert answer.status_code == 400
    assert says in answer.json()["error"]
