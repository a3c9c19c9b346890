"""Series deleted and renamed over HTTP, with an answer for whatever is asked wrongly."""

from collections.abc import AsyncIterator

import httpx2
import numpy as np
import pytest
from starlette.applications import Starlette

from tallystick.model.kind import Kind
from tallystick.store.memory import MemoryStore
from tallystick.web.errors import exception_handlers
from tallystick.web.series import series_routes

NAMES = ["web.h1.cpu", "web.h2.cpu", "db.h1.cpu", "disk;host=a"]


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.create(NAMES, [Kind.GAUGE] * len(NAMES))
    return made


@pytest.fixture
async def client(store: MemoryStore) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=series_routes(store), exception_handlers=exception_handlers)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as asking:
        yield asking


def names(store: MemoryStore) -> list[str]:
    return sorted(store.catalog.names(store.catalog.ids()))


pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_a_glob_or_tags_select_is_deleted(client: httpx2.AsyncClient, store: MemoryStore) -> None:
    answer = await client.post("/api/series/delete", data={"query": "web.*.cpu"})
    assert (answer.status_code, answer.json()) == (200, {"deleted": 2})
    answer = await client.post("/api/series/delete", data={"expr": "host=a"})
    assert answer.json() == {"deleted": 1}
    assert names(store) == ["db.h1.cpu"]


async def test_a_series_is_renamed_and_its_tags_are_put_in_order(
    client: httpx2.AsyncClient, store: MemoryStore
) -> None:
    before = store.catalog.find("db.h1.cpu")
    answer = await client.post("/api/series/rename", data={"query": "db.h1.cpu", "name": "db;z=1;a=2"})
    assert answer.json() == {"renamed": "db.h1.cpu", "name": "db;a=2;z=1"}
    assert np.array_equal(store.catalog.find("db;a=2;z=1"), before)


@pytest.mark.parametrize(
    ("path", "fields", "status", "sentence"),
    [
        ("delete", {}, 400, "expected either a path"),
        ("delete", {"query": "none.*"}, 400, "there is none"),
        ("delete", {"query": "web.["}, 400, "web.["),
        ("rename", {"query": "web.*.cpu", "name": "x"}, 400, "it matches 2 series"),
        ("rename", {"query": "db.h1.cpu", "name": ""}, 400, "empty name"),
        ("rename", {"query": "db.h1.cpu", "name": "a b"}, 400, "cannot use name 'a b'"),
        ("rename", {"query": "db.h1.cpu", "name": "a..b"}, 400, "cannot use name 'a..b'"),
        ("rename", {"query": "db.h1.cpu", "name": "web.h1.cpu"}, 409, "there is a series of that name"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(
    client: httpx2.AsyncClient, store: MemoryStore, path: str, fields: dict[str, str], status: int, sentence: str
) -> None:
    answer = await client.post(f"/api/series/{path}", data=fields)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]
    assert names(store) == sorted(NAMES)


async def test_reading_methods_change_nothing(client: httpx2.AsyncClient, store: MemoryStore) -> None:
    assert (await client.get("/api/series/delete?query=web.*.cpu")).status_code == 405
    assert names(store) == sorted(NAMES)
