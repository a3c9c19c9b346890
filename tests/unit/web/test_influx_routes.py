"""InfluxDB's routes: what its clients send, and answers in the shapes that they know."""

import gzip

import pytest

from posting import NOW_S, House
from tallystick.config import Http, Listener
from tallystick.config.listeners import INFLUX_PRECISIONS
from tallystick.model.errors import StoreError
from tallystick.model.numbered import Numbered
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.parse.influx import PRECISIONS_NS, InfluxParser
from tallystick.store.memory import MemoryStore

V1, V2 = "/write?db=telegraf", "/api/v2/write?org=o&bucket=telegraf"
PATHS = [V1, V2]


@pytest.mark.anyio
@pytest.mark.parametrize("path", PATHS)
async def test_lines_are_stored_and_answered_by_nothing(path: str) -> None:
    house = House()
    body = f"cpu,host=web1 usage=64i,idle=12.5 {NOW_S}000000000\nload value=0.5 {NOW_S}000000000".encode()
    answer = await house.post(path, gzip.compress(body), headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-influxdb-version"].startswith("1.8")
    assert house.values() == {"cpu.usage;host=web1": 64, "cpu.idle;host=web1": 12.5, "load": 0.5}
    balance = house.balance(path.partition("?")[0])
    assert (balance.received, balance.stored, balance.rejected) == (3, 3, {})


@pytest.mark.anyio
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("precision", PRECISIONS_NS)
async def test_a_timestamp_counts_what_the_sender_says(path: str, precision: str) -> None:
    house = House()
    hour_s = NOW_S // 3600 * 3600
    count = hour_s * 10**9 // PRECISIONS_NS[precision]
    answer = await house.post(f"{path}&precision={precision}", f"a value=1 {count}".encode())
    assert answer.status_code == 204
    (seen,) = house.store.last_seen(house.store.catalog.ids()).tolist()
    assert seen == hour_s


def test_the_config_knows_the_words_that_the_parser_knows() -> None:
    assert set(INFLUX_PRECISIONS) == PRECISIONS_NS.keys()


def test_a_listener_has_the_precision_that_the_config_gives_it() -> None:
    listener = Listener(protocol="influx", address="udp://127.0.0.1:8089", precision="ms")
    assert InfluxParser.configured(listener).unit_ns == 10**6
    assert list(Listener(protocol="carbon", address="udp://127.0.0.1:8089", precision="ms").conflicts())


BAD = f"good value=1 {NOW_S}000000000\nbad,host value=1\nworse value=x 1\n".encode()


@pytest.mark.anyio
async def test_the_first_version_names_bad_lines_in_its_shape_and_stores_the_others() -> None:
    house = House()
    answer = await house.post(V1, BAD)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "partial write: unable to parse 'bad,host value=1': missing tag value\n"
        "unable to parse 'worse value=x 1': invalid number dropped=2"
    }
    assert answer.headers["x-influxdb-error"].startswith("partial write: unable to parse 'bad,host value=1'")
    assert house.values() == {"good": 1}


@pytest.mark.anyio
@pytest.mark.parametrize("bad", [b"a\0b\x1b[31m", b"a\rSet-Cookie: x", b"\xff\xc3\xa4\xe2\x80\xae", b"x" * 4000])
async def test_what_a_bad_line_holds_does_no_harm_in_a_header(bad: bytes) -> None:
    answer = await House().post(V1, bad)
    assert answer.status_code == 400
    header = answer.headers["x-influxdb-error"]
    assert header.isascii()
    assert header.isprintable()
    assert len(header) <= 1000


@pytest.mark.anyio
async def test_the_second_version_does_in_its_own() -> None:
    answer = await House().post(V2, BAD)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert answer.json()["message"].startswith("partial write: unable to parse 'bad,host value=1'")


@pytest.mark.anyio
@pytest.mark.parametrize("path", PATHS)
async def test_text_is_counted_and_no_error(path: str) -> None:
    house = House()
    answer = await house.post(path, f'system uptime=5i,format="1 day" {NOW_S}000000000'.encode())
    assert answer.status_code == 204
    assert house.balance(path.partition("?")[0]).rejected == {"text": 1}


@pytest.mark.anyio
async def test_what_is_refused_behind_the_parser_is_told_by_its_reason() -> None:
    answer = await House().post(V1, f"a value=1 {NOW_S + 86400}000000000".encode())
    assert answer.json() == {"error": "partial write: future: 1 dropped=1"}


@pytest.mark.anyio
async def test_a_database_becomes_a_tag_where_the_config_says_so() -> None:
    house = House(options=Http(influx_database_tag="db"))
    line = f"cpu,host=web1 usage=1 {NOW_S}000000000".encode()
    for path in (V1, "/api/v2/write?bucket=my%20own;x", "/write"):
        assert (await house.post(path, line)).status_code == 204
    assert sorted(house.values()) == [
        "cpu.usage;db=my_own_x;host=web1",
        "cpu.usage;db=telegraf;host=web1",
        "cpu.usage;host=web1",
    ]
    too_long = await house.post("/write?db=" + "x" * 256, line)
    assert (too_long.status_code, too_long.json()["error"][:16]) == (400, "cannot use a db ")


@pytest.mark.anyio
async def test_errors_of_requests_have_the_shape_of_their_version() -> None:
    house = House()
    first = await house.post(f"{V1}&precision=d", b"a value=1")
    assert (first.status_code, first.json()["error"][:22]) == (400, "invalid precision 'd';")
    encoded = {"headers": {"content-encoding": "br"}}
    assert (await house.post(V1, b"a value=1", **encoded)).json()["error"].startswith("cannot decode")
    second = await house.post(V2, b"a value=1", **encoded)
    assert (second.status_code, second.json()["code"]) == (415, "invalid")


@pytest.mark.anyio
async def test_who_meets_a_full_disk_is_to_come_again() -> None:
    class Full(MemoryStore):
        def append(
            self, batch: SampleBatch, tallies: TallyBatch | None = None, numbered: Numbered | None = None
        ) -> int:
            raise StoreError("cannot take it: the disk is full")

    house = House(store=Full())
    first, second = await house.post(V1, b"a value=1"), await house.post(V2, b"a value=1")
    assert (first.status_code, first.headers["retry-after"]) == (503, "1")
    assert (second.status_code, second.json()["code"]) == (503, "unavailable")


@pytest.mark.anyio
async def test_what_clients_ask_before_they_write_is_answered() -> None:
    house = House()
    assert (await house.ask("HEAD", "/ping")).status_code == 204
    assert (await house.ask("GET", "/ping?verbose=true")).json()["version"].startswith("1.8")
    assert (await house.ask("GET", "/health")).json()["status"] == "pass"
    created = await house.ask("POST", "/query", data={"q": 'CREATE DATABASE "telegraf"'})
    assert created.json() == {"results": [{"statement_id": 0}]}
    asked = await house.ask("GET", "/query", params={"q": "create database a; SHOW DATABASES"})
    assert [result["statement_id"] for result in asked.json()["results"]] == [0, 1]
    for refused in ("SELECT * FROM cpu", "DROP DATABASE telegraf", ""):
        answer = await house.ask("POST", "/query", data={"q": refused})
        assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (V1, {}, 401),
        (V1, {"authorization": "Token secret"}, 204),
        (V1, {"authorization": "Token wrong"}, 401),
        (V1, {"authorization": "Basic dXNlcjpzZWNyZXQ="}, 204),
        (f"{V1}&u=user&p=secret", {}, 204),
        (f"{V1}&u=secret&p=wrong", {}, 401),
        (f"{V2}&p=secret", {}, 401),
        (V2, {"authorization": "Bearer secret"}, 204),
        ("/ping", {}, 405),
    ],
)
async def test_who_has_the_token_in_one_of_influxdbs_ways_may_write(
    path: str, headers: dict[str, str], status: int
) -> None:
    answer = await House(token="secret").post(path, b"a value=1", headers=headers)
    assert answer.status_code == status
