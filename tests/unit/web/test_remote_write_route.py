"""Remote write over HTTP: what is answered, and so what a sender does next."""

import struct

import cramjam
import pytest

from posting import NOW_S, House
from prometheus_messages import Labels, request, write_request
from tallystick.model.errors import StoreError
from tallystick.model.reason import Reason
from tallystick.model.statistic import Statistic
from tallystick.store.memory import MemoryStore
from tallystick.web.writes.prometheus import PATH, answer, message_of
from tallystick.web.writes.writing import Written

FIRST = "application/x-protobuf"
SECOND = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
WRITERS = {FIRST: write_request, SECOND: request}


def headers(content_type: str) -> dict[str, str]:
    return {"content-type": content_type, "content-encoding": "snappy"}


def series(name: str, value: float, at_s: int = NOW_S) -> tuple[Labels, dict[str, object]]:
    return [(b"__name__", name.encode()), (b"job", b"a")], {"samples": [{"value": value, "timestamp": at_s * 1000}]}


def body(content_type: str, *rows: tuple[Labels, dict[str, object]]) -> bytes:
    return bytes(cramjam.snappy.compress_raw(WRITERS[content_type](list(rows))))


def written(response: object) -> list[int]:
    words = ("Samples", "Histograms", "Exemplars")
    return [int(response.headers[f"x-prometheus-remote-write-{word}-written"]) for word in words]


@pytest.mark.anyio
@pytest.mark.parametrize("content_type", WRITERS)
async def test_what_is_taken_whole_is_answered_by_204_and_its_number(content_type: str):
    house = House()
    sent = body(content_type, series("up", 1), series("requests_total", 7))
    response = await house.post(PATH, sent, headers=headers(content_type))
    assert (response.status_code, response.content) == (204, b"")
    assert written(response) == [2, 0, 0]
    assert house.values() == {"up;job=a": 1, "requests_total;job=a": 7}
    assert house.balance(PATH).stored == 2


@pytest.mark.anyio
async def test_what_is_taken_in_part_is_answered_by_400_and_not_to_be_sent_again():
    house = House()
    sent = body(SECOND, series("up", 1), series("", 2), series("ahead", 3, NOW_S + 86_400))
    response = await house.post(PATH, sent, headers=headers(SECOND))
    assert response.status_code == 400
    assert response.json() == {"error": "cannot take all samples: 1 as name_empty, 1 as future; 1 were stored"}
    assert written(response) == [1, 0, 0]
    assert house.values() == {"up;job=a": 1}


@pytest.mark.anyio
async def test_the_end_of_a_series_and_a_gap_are_no_errors():
    house = House()
    sent = body(FIRST, series("up", 1), series("gone", STALE), series("quantile", float("nan")))
    response = await house.post(PATH, sent, headers=headers(FIRST))
    assert response.status_code == 204
    assert written(response) == [1, 0, 0]
    assert house.balance(PATH).rejected == {"stale": 1, "value_not_finite": 1}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-protobuf;proto=io.prometheus.write.v3.Request", "text/plain; version=0.0.4"],
)
async def test_another_message_is_answered_by_415(content_type: str):
    house = House()
    response = await house.post(PATH, body(FIRST, series("up", 1)), headers=headers(content_type))
    assert response.status_code == 415
    assert "expected application/x-protobuf;proto=prometheus.WriteRequest or" in response.json()["error"]
    assert house.balance(PATH).rejected == {"encoding": 1}


@pytest.mark.anyio
@pytest.mark.parametrize("content_type", WRITERS)
async def test_what_is_no_message_is_answered_by_400(content_type: str):
    house = House()
    for sent in (b"\xff\xff\xff\xff\xff", bytes(cramjam.snappy.compress_raw(b"\x0b\x0c"))):
        assert (await house.post(PATH, sent, headers=headers(content_type))).status_code == 400
    assert house.balance(PATH).rejected == {"encoding": 1, "frame": 1}


@pytest.mark.anyio
async def test_an_empty_request_which_senders_probe_with_is_taken():
    response = await House().post(PATH, body(FIRST), headers=headers(FIRST))
    assert (response.status_code, written(response)) == (204, [0, 0, 0])


@pytest.mark.anyio
async def test_a_sender_that_moves_to_the_second_version_goes_on_with_its_series():
    """By its name it is a gauge; that it is a counter is only told now."""
    house = House()
    labels, samples = series("requests", 7)
    await house.post(PATH, body(FIRST, (labels, samples)), headers=headers(FIRST))
    counter = samples | {"metadata": {"type": 1}}
    assert (await house.post(PATH, body(SECOND, (labels, counter)), headers=headers(SECOND))).status_code == 204
    assert house.balance(PATH).stored == 2


@pytest.mark.anyio
@pytest.mark.parametrize("content_type", WRITERS)
async def test_native_histograms_are_timings_and_counted_apart(content_type: str):
    """The second report counts what came since the first; the one of the series beside it has nothing new."""
    house = House()

    def report(count: int, at_s: int) -> dict[str, object]:
        spans = {"positive_spans": [{"offset": 1, "length": 1}], "positive_deltas": [count]}
        return {"schema": 0, "count_int": count, "sum": 1.5 * count, "timestamp": at_s * 1000, **spans}

    labels = [(b"__name__", b"rpc_seconds")]
    for count, at_s, expected in ((10, NOW_S, [1, 0, 0]), (16, NOW_S + 1, [1, 1, 0]), (16, NOW_S + 2, [1, 0, 0])):
        sent = body(content_type, series("up", 1, at_s), (labels, {"histograms": [report(count, at_s)]}))
        response = await house.post(PATH, sent, headers=headers(content_type))
        assert (response.status_code, written(response)) == (204, expected)
    assert house.values(Statistic.COUNT)["rpc_seconds"] == 6
    assert house.values(Statistic.SUM)["rpc_seconds"] == 9
    assert house.balance(PATH).rejected == {"reset": 1}


class FullStore(MemoryStore):
    """A store whose disk takes nothing."""

    def append(self, *given: object) -> int:
        raise StoreError("cannot append: the disk is full")


@pytest.mark.anyio
async def test_where_the_disk_takes_nothing_it_is_to_be_sent_again():
    response = await House(FullStore()).post(PATH, body(FIRST, series("up", 1)), headers=headers(FIRST))
    assert (response.status_code, response.headers["retry-after"]) == (503, "10")


def test_names_that_are_held_back_are_to_be_sent_later():
    response = answer(Written(stored=5, rejected={Reason.THROTTLED.name.lower(): 2}))
    assert (response.status_code, response.headers["retry-after"]) == (429, "10")
    assert answer(Written(stored=5, rejected={"throttled": 2, "store_full": 1})).status_code == 503


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("", "prometheus.WriteRequest"),
        ("application/x-protobuf", "prometheus.WriteRequest"),
        ("Application/X-Protobuf; charset=utf-8", "prometheus.WriteRequest"),
        ('application/x-protobuf ; Proto = "io.prometheus.write.v2.Request"', "io.prometheus.write.v2.Request"),
        ("application/x-protobuf;proto=x", "x"),
    ],
)
def test_the_content_type_says_which_message_it_is(content_type: str, message: str):
    assert message_of(content_type) == message
