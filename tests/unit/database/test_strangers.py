"""Servers that answer badly: a sentence, bounded memory, and nothing of theirs believed."""

import pickle
import socket
import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from filled import NOW_S, filled_store

import tallystick
from foreign_http import Answer, answering, http
from tallystick.database import Database
from tallystick.database.arrow import read_result
from tallystick.database.http import Body, Server
from tallystick.database.remote import RemoteDatabase
from tallystick.model.clock import ManualClock
from tallystick.model.errors import LimitError, QueryError, ServerError
from tallystick.query import Evaluator, Request
from tallystick.query.table import parse_wanted, read_table
from tallystick.render.as_arrow import MEDIA_TYPE, rendered_table

HEALTH = http(b'{"status": "ok", "version": "1"}')


def stream(targets: str = "web.*.load") -> bytes:
    """What a server of ours answers."""
    evaluator = Evaluator(filled_store(), ManualClock(float(NOW_S)))
    asked = Request(NOW_S - 300, NOW_S, NOW_S)
    return b"".join(rendered_table(read_table(evaluator, [targets], asked, parse_wanted(["min", "max"]))).body)


def encoded(table: pa.Table, schema: pa.Schema | None = None, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, schema or table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def table_of(body: bytes) -> pa.Table:
    return pa.ipc.open_stream(body).read_all()


def arrow(body: bytes) -> bytes:
    return http(body, MEDIA_TYPE)


def told(*answers: Answer, kind: type[Exception] = ServerError, **more: int) -> str:
    """The sentence that a query ends with."""
    with answering(*answers) as foreign:
        database = RemoteDatabase(Server(foreign.url, "", 20, **({"answer_bytes_max": 1 << 24} | more)))
        with pytest.raises(kind) as caught:
            database.query("web.*.load")
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_a_stream_of_ours_is_read_whole() -> None:
    with answering(HEALTH, arrow(stream())) as foreign:
        database = tallystick.connect(foreign.url, token="secret")
        result = database.query("web.*.load", statistics=["min", "max"], step=10, tz="Europe/Vienna")
    assert result.names == ("web.a.load", "web.b.load")
    assert result.tags[0] == {"name": "web.a.load"}
    assert result.kinds == ("gauge", "gauge")
    np.testing.assert_array_equal(result.to_numpy("max")[1, :-1] - result.to_numpy("min")[1, :-1], 100.0)
    head, _, form = foreign.asked[1].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/query ")
    assert b"Authorization: Bearer secret" in head
    fields = "target=web.%2A.load&statistics=min&statistics=max&from=-6h&until=now&tz=Europe%2FVienna&step=10"
    assert form.decode() == fields
    assert "secret" not in repr(database)


@pytest.mark.parametrize("cut", [0, 3, 8, 100, 700, 1500, -200, -40])
def test_a_stream_that_is_cut_off_is_never_half_an_answer(cut: int) -> None:
    whole = stream()
    assert "cannot use the answer" in told(arrow(whole[:cut] if cut else b""))


def test_a_stream_that_ends_between_its_batches_is_missed() -> None:
    table = table_of(stream())
    assert "it ends after 1 of 2 series" in told(arrow(encoded(table.slice(0, 1), table.schema)))
    twice = pa.concat_tables([table, table])
    assert "more than the 2 series" in told(arrow(encoded(twice, table.schema)))


def test_a_connection_that_breaks_is_told() -> None:
    whole = arrow(stream())
    assert "cannot use the answer" in told(whole[:-300])
    assert "cannot use the answer" in told(whole[:30])
    assert "cannot ask" in told(b"")
    chunked = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\nfff\r\n" % MEDIA_TYPE.encode()
    assert "IncompleteRead" in told(chunked + stream()[:500])

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(whole[:-300])

    assert "cannot" in told(reset)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_give_numbers_or_a_sentence_and_never_anything_else(seed: int) -> None:
    whole, random = stream(), np.random.default_rng(seed)
    server = Server("http://127.0.0.1:1", "", 20, 1 << 24)
    for _ in range(1000):
        hurt = bytearray(whole)
        for place in random.integers(0, len(hurt) - 4, 2).tolist():
            choices = (bytes([hurt[place] ^ 1 << int(random.integers(8))]), b"\x00", b"\xff", random.bytes(4))
            damage = choices[int(random.integers(4))]
            hurt[place : place + len(damage)] = damage
        try:
            result = read_result(server, Body(server, BytesIO(hurt), 1 << 24))
        except (ServerError, LimitError) as error:
            assert str(error).startswith("cannot ")
        else:
            assert result.values.shape == (len(result.names), result.slots)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_compressed_stream_is_refused_since_it_could_hold_any_size(compression: str) -> None:
    table = table_of(stream())
    assert "plain record batches" in told(arrow(encoded(table, compression=compression)))


def with_metadata(**told: str) -> bytes:
    table = table_of(stream())
    return encoded(table.replace_schema_metadata(table.schema.metadata | {k.encode(): v for k, v in told.items()}))


def with_column(number: int, name: str, column: pa.Array) -> bytes:
    table = table_of(stream())
    return encoded(table.set_column(number, name, column))


def with_bytes(old: bytes, new: bytes) -> bytes:
    return stream().replace(old, new)


STRANGE: dict[str, Callable[[], bytes]] = {
    "no times": lambda: encoded(table_of(stream()).replace_schema_metadata({})),
    "a step of nothing": lambda: with_metadata(step="0"),
    "a time that is no number": lambda: with_metadata(start="-1"),
    "names of another type": lambda: with_column(0, "name", pa.array([1, 2])),
    "a column whose name is no text": lambda: with_bytes(b"kept_s", b"\x80ept_s"),
    "a column of another name": lambda: with_column(0, "nom", pa.array(["a", "b"])),
    "numbers of another type": lambda: with_column(5, "max", pa.array([[1], [2]], pa.list_(pa.int64(), 1))),
    "numbers of another length": lambda: with_column(5, "max", pa.array([[1.0], [2.0]], pa.list_(pa.float64(), 1))),
    "lists of any length": lambda: with_column(4, "min", pa.array([[1.0], [2.0]])),
    "a statistic twice": lambda: with_column(5, "min", table_of(stream())["min"]),
    "nulls for numbers": lambda: with_column(
        5, "max", pa.array([None, [1.0] * 30], table_of(stream()).schema.field("max").type)
    ),
    "no statistics": lambda: encoded(table_of(stream()).select(["name", "tags", "kind", "kept_s"])),
    "compressed by its own": lambda: with_column(0, "name", pa.array(["a", "a"]).dictionary_encode()),
}


@pytest.mark.parametrize("what", STRANGE)
def test_columns_that_are_not_ours_are_refused(what: str) -> None:
    assert "cannot use the answer" in told(arrow(STRANGE[what]()))


def test_what_is_announced_is_compared_with_the_limit_before_memory_is_taken() -> None:
    assert "answer_bytes_max" in told(arrow(with_metadata(series="99999999999")), kind=LimitError)


def test_an_answer_larger_than_the_limit_is_not_read() -> None:
    assert "answer_bytes_max = 1000" in told(arrow(stream()), kind=LimitError, answer_bytes_max=1000)

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[")
        while True:
            connection.sendall(b'"a",' * 65536)

    with answering(endless) as foreign, pytest.raises(LimitError, match="answer_bytes_max"):
        RemoteDatabase(Server(foreign.url, "", 20, 1 << 22)).find()


def test_a_message_that_claims_any_size_takes_no_memory() -> None:
    claim = struct.pack("<II", 0xFFFFFFFF, 0x7FFFFFF0) + bytes(64)
    assert "cannot use the answer" in told(arrow(claim))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (http(b"<html>Sign in", "text/html"), "text/html"),
        (http(b"<h1>Bad gateway</h1>", "text/html", "502 Bad Gateway"), "502 Bad Gateway"),
        (http(b"", "text/html", "302 Found", "location: http://evil.example/"), "redirects to 'http://evil.example/'"),
        (http(b"[" * 100_000, "application/json", "500 Oops"), "500 Oops"),
        (http(b'{"error": "cannot read: the disk is gone"}', status="503 Busy"), "cannot read: the disk is gone"),
        (http(b"{}", status="401 Unauthorized"), "not without a token"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "cannot ask"),
        (b"\x00" * 1000, "cannot ask"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, "cannot ask"),
        (http(pickle.dumps([1]), "application/python-pickle"), "python-pickle"),
    ],
)
def test_what_is_no_answer_of_ours_is_told_as_such(answer: bytes, says: str) -> None:
    assert says in told(answer)


def test_a_query_that_the_server_refuses_is_told_in_its_words() -> None:
    refused = http(b'{"error": "cannot call f: unknown function; expected another"}', status="400 Bad Request")
    assert told(refused, kind=QueryError) == "cannot call f: unknown function; expected another"


def test_a_token_is_never_sent_on_to_where_a_server_points() -> None:
    with answering(HEALTH) as elsewhere:
        redirect = http(b"", "text/html", "307 Temporary Redirect", f"location: {elsewhere.url}/")
        with answering(redirect) as foreign, pytest.raises(ServerError, match="redirects"):
            tallystick.connect(foreign.url, token="secret")
        assert elsewhere.asked == []


def test_a_server_that_stays_silent_is_not_waited_for_any_longer() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(1024):
            pass

    with answering(silent) as foreign, pytest.raises(ServerError, match="timed out"):
        tallystick.connect(foreign.url, timeout_s=0.2)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (http(b'{"status": "ok"}'), "not with this token"),
        (http(b'["a"]'), "no Tallystick"),
        (http(b'{"hello": 1}'), "no Tallystick"),
        (http(b"{"), "its JSON cannot be read"),
    ],
)
def test_connect_says_at_once_what_is_wrong(answer: bytes, says: str) -> None:
    with answering(answer) as foreign, pytest.raises(ServerError, match=says):
        tallystick.connect(foreign.url, token="wrong")


@pytest.mark.parametrize(
    "url", ["", "localhost", "localhost:8080", "ftp://a", "http://", "http://a:b@c", "http://[", "http://a:99999"]
)
def test_an_address_that_is_none_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.database.DEFAULT_URL", "nothing")
    monkeypatch.delenv("TALLYSTICK_SERVER", raising=False)
    with pytest.raises(ServerError, match="expected http://host:port"):
        tallystick.connect(url)


def test_nobody_at_an_address_is_told(deserted_port: int) -> None:
    with pytest.raises(ServerError, match="refused; expected a running 'tallystick serve'"):
        tallystick.connect(f"http://127.0.0.1:{deserted_port}")


@pytest.mark.parametrize("token", ["a\nb", "ä", "a\r\nx: y"])
def test_a_token_that_is_no_header_is_told_without_it(token: str) -> None:
    with pytest.raises(ServerError, match="expected ASCII") as caught:
        tallystick.connect("http://127.0.0.1:1", token=token)
    assert token not in str(caught.value)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"series": 3}', b'{"series": [{"name": "a"}]}', b'{"results": [1]}'])
def test_json_of_another_shape_is_told(body: bytes) -> None:
    def asks() -> list[Callable[[Database], object]]:
        return [lambda d: d.series("a"), lambda d: d.find("a"), lambda d: d.browse(), lambda d: d.search("a")]

    with answering(http(body)) as foreign:
        for ask in asks():
            with pytest.raises(ServerError, match="cannot use the answer"):
                ask(RemoteDatabase(Server(foreign.url, "", 20, 1 << 20)))
