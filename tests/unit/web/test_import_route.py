"""History over HTTP: as it is sent by ``tallystick store import --server``, and what is refused."""

import gzip

import httpx2
import msgspec
import numpy as np
import pyarrow as pa
import pytest
from starlette.applications import Starlette

from tallystick.exchange import wire
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Tally
from tallystick.store.history import History, Loaded
from tallystick.store.memory import MemoryStore
from tallystick.web import importing
from tallystick.web.errors import exception_handlers

NOW_S = 1_700_002_800


def history(rows: int, series: int = 2) -> History:
    names = [f"a.{k}" for k in range(series)]
    of = np.repeat(np.arange(series, dtype=np.int32), rows)
    slot = np.tile(NOW_S // 10 - rows + np.arange(rows), series)
    return History(names, [Kind.COUNTER] * series, Tally(10, of, slot, np.arange(len(of), dtype=np.float64)))


class House:
    """The route, over a store in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore(clock=ManualClock(float(NOW_S)))
        self.app = Starlette(routes=importing.import_routes(self.store), exception_handlers=exception_handlers)

    async def post(self, body: bytes, overlap: str = "skip", encoding: str = "") -> httpx2.Response:
        headers = {"content-encoding": encoding} if encoding else {}
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url="http://t") as client:
            return await client.post(f"{wire.PATH}?overlap={overlap}", content=body, headers=headers)


@pytest.mark.anyio
async def test_what_is_sent_is_loaded_and_can_be_sent_again():
    house, piece = House(), history(50)
    bodies = [body for body, _ in wire.encode(piece)]
    for expected in (Loaded(taken=100), Loaded(present=100)):
        answers = [await house.post(body) for body in bodies]
        assert [msgspec.json.decode(answer.content, type=Loaded) for answer in answers] == [expected]
    ids = house.store.catalog.find("a.*")
    read = house.store.read(ids, NOW_S - 500, NOW_S, 10, [Statistic.SUM])[Statistic.SUM]
    assert (read.ravel() == piece.tally.last).all()
    merged = await house.post(bodies[0], "merge")
    assert merged.json()["taken"] == 100


def test_a_large_piece_goes_in_several_bodies(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "BODY_BYTES_MAX", 4000)
    piece = history(300)
    parts = list(wire.encode(piece))
    assert len(parts) > 1
    assert all(len(body) <= 4000 for body, _ in parts)
    values = [value for body, _ in parts for found in wire.decode(body) for value in found.tally.last.tolist()]
    assert values == piece.tally.last.tolist()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "cannot read the body"),
        (b"no arrow stream at all, but long enough to look like one", "cannot read the body"),
        (next(wire.encode(history(5)))[0][:-200], "cannot read the body"),
    ],
)
async def test_a_body_that_is_no_arrow_stream_is_refused(body: bytes, cause: str):
    answer = await House().post(body)
    assert answer.status_code == 400
    assert cause in answer.json()["error"]


@pytest.mark.anyio
async def test_other_columns_and_other_words_are_refused():
    sink = pa.BufferOutputStream()
    table = pa.table({"name": ["a"], "when": [1]})
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    answer = await House().post(sink.getvalue().to_pybytes())
    assert answer.status_code == 400
    assert "expected name, time and value" in answer.json()["error"]
    assert (await House().post(b"", "replace")).status_code == 400


@pytest.mark.anyio
async def test_a_body_may_be_packed():
    house = House()
    body = next(wire.encode(history(50)))[0]
    assert (await house.post(gzip.compress(body), encoding="gzip")).json()["taken"] == 100
    assert (await house.post(body, encoding="gzip")).status_code == 400


@pytest.mark.anyio
async def test_a_body_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "BODY_BYTES_MAX", 100)
    assert (await House().post(next(wire.encode(history(50)))[0])).status_code == 413
