"""Writes over HTTP: bodies whole, unfinished, too large, too many, encoded, and what the ledger has of them."""

import asyncio
import gzip
import threading
from typing import Any

import pytest

from posting import NOW_S, House
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError
from tallystick.model.numbered import Numbered
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.store.memory import MemoryStore
from tallystick.web.writes import bodies, writing
from tallystick.web.writes.native import PATH


def line(name: str, value: float = 1) -> bytes:
    return f"{name} {value} {NOW_S}\n".encode()


@pytest.mark.anyio
async def test_lines_are_stored_and_those_that_are_not_are_told_by_reason() -> None:
    house = House()
    answer = await house.post(PATH, line("a.b", 7) + b"a.c seven 1\nonly\n" + line("a.d", 8)[:-1])
    assert answer.status_code == 200
    assert answer.json() == {"stored": 2, "rejected": {"value": 1, "fields": 1}}
    assert house.values() == {"a.b": 7, "a.d": 8}
    balance = house.balance(PATH)
    assert (balance.received, balance.stored) == (4, 2)


@pytest.mark.anyio
async def test_a_body_of_many_pieces_is_taken_whole() -> None:
    house = House()
    body = b"".join(line(f"host.{k % 50}", k) for k in range(100_000))
    assert len(body) > 2 * writing._PIECE_BYTES
    answer = await house.post(PATH, gzip.compress(body, 1), headers={"content-encoding": "gzip"})
    assert answer.json() == {"stored": 100_000, "rejected": {}}
    assert house.values()["host.49"] == 99_999


@pytest.mark.anyio
async def test_a_line_that_is_longer_than_a_piece_costs_itself() -> None:
    house = House()
    answer = await house.post(PATH, line("a") + b"x" * (writing._PIECE_BYTES * 2) + b" 1 1\n" + line("b"))
    assert answer.json() == {"stored": 2, "rejected": {"line_long": 1}}


@pytest.mark.anyio
async def test_an_empty_body_is_nothing_and_no_error() -> None:
    answer = await House().post(PATH, b"")
    assert (answer.status_code, answer.json()) == (200, {"stored": 0, "rejected": {}})


def test_bodies_that_are_never_finished_take_bounded_memory_and_their_place_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "BODIES_BYTES_MAX", 1000)

    async def play() -> None:
        house = House()
        task, more, _ = await house.begin(PATH, b"x" * 900)
        refused = await house.post(PATH, b"#" * 200)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        balance = house.balance(PATH)
        assert (balance.queue_drops, balance.received) == (1, 0), "no sample of ours, and yet not unseen"
        assert (await house.post(PATH, line("a"))).status_code == 200
        await more.put({"type": "http.disconnect"})
        await task
        assert (await house.post(PATH, b"\n" * 900)).status_code == 200

    asyncio.run(play())


def test_a_body_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_WAIT_S_MAX", 0)

    async def play() -> None:
        house = House()
        task, _, answer = await house.begin(PATH, b"half a li")
        await task
        assert answer[0]["status"] == 408
        assert house.values() == {}

    asyncio.run(play())


def test_a_body_beyond_the_limit_is_refused_and_counted_whether_it_is_declared_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "BODY_BYTES_MAX", 100)

    async def play() -> None:
        house = House()
        assert (await house.post(PATH, b"\n" * 101)).status_code == 413
        task, _, answer = await house.begin(PATH, b"\n" * 101)
        await task
        assert answer[0]["status"] == 413
        assert (await house.post(PATH, b"\n" * 100)).status_code == 200
        assert house.balance(PATH).rejected == {"body_long": 2}

    asyncio.run(play())


@pytest.mark.anyio
async def test_what_cannot_be_decoded_is_refused_and_counted() -> None:
    house = House()
    broken = await house.post(PATH, gzip.compress(line("a"))[:-4], headers={"content-encoding": "gzip"})
    assert (broken.status_code, broken.json()["error"][:22]) == (400, "cannot decode the body")
    unknown = await house.post(PATH, line("a"), headers={"content-encoding": "br"})
    assert (unknown.status_code, unknown.headers["accept-encoding"]) == (415, "gzip, deflate, snappy, zstd")
    assert house.balance(PATH).rejected == {"encoding": 2}
    assert house.values() == {}


def test_an_answer_waits_for_the_disk_and_says_so_when_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    house = House(when_durable=lambda ticket, call: asked.set())

    async def play() -> None:
        waiting = asyncio.ensure_future(house.post(PATH, line("a")))
        while not asked.is_set():
            await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
        monkeypatch.setattr(writing, "DURABLE_WAIT_S_MAX", 0)
        answer = await house.post(PATH, line("a"))
        assert (answer.status_code, answer.json()["error"][:19]) == (503, "cannot make it safe")

    asyncio.run(play())


@pytest.mark.anyio
async def test_what_a_full_disk_refuses_is_to_be_sent_again() -> None:
    class Full(MemoryStore):
        def append(
            self, batch: SampleBatch, tallies: TallyBatch | None = None, numbered: Numbered | None = None
        ) -> int:
            raise StoreError("cannot take it: the disk is full")

    answer = await House(store=Full()).post(PATH, line("a"))
    assert (answer.status_code, answer.json()) == (503, {"stored": 0, "rejected": {"store_full": 1}})


def test_a_route_that_is_flooded_and_stuck_keeps_no_other_waiting() -> None:
    class Slow(MemoryStore):
        entered, finish = threading.Event(), threading.Event()

        def append(self, *arguments: Any) -> int:
            if not self.entered.is_set():
                self.entered.set()
                assert self.finish.wait(60)
            return super().append(*arguments)

    async def play() -> None:
        store = Slow(clock=ManualClock(float(NOW_S)))
        house = House(store=store)
        flood = [asyncio.ensure_future(house.post(PATH, line(f"flood.{k}"))) for k in range(10)]
        while not store.entered.is_set():
            await asyncio.sleep(0)
        other = await house.post("/write", f"other value=1 {NOW_S}000000000".encode())
        assert other.status_code == 204
        assert not any(task.done() for task in flood)
        store.finish.set()
        assert {answer.status_code for answer in await asyncio.gather(*flood)} == {200}

    asyncio.run(play())
