"""Libraries as they are, at work, and what was counted of it."""

import asyncio
import logging
import sqlite3
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hearing import Hearing, Run
from servers import package
from tallystick.sensors import Sensors
from tallystick.sensors.integrations import INTEGRATIONS, databases, install
from tallystick.sensors.integrations.databases import statement_of
from tallystick.sensors.integrations.logs import CountingHandler

APPS = "dev.apps.shop"


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test replaces in a library is put back."""
    for owner, name in (
        (logging.Logger, "callHandlers"),
        (sqlite3, "connect"),
        (sqlite3.dbapi2, "connect"),
        (urllib.request.AbstractHTTPHandler, "do_open"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))


@pytest.fixture
def web() -> Iterator[str]:
    """A server that answers with the status that is asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = int(self.path.strip("/"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/200")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def counts(door: Hearing, name: str) -> dict[str, float]:
    """Samples of each series of a name, by its labels."""
    found = {key: slots for key, slots in door.slots.items() if key.partition(";")[0] == f"{APPS}.{name}"}
    return {
        key.partition(";")[2]: sum(slot["spread"]["count"] if slot["spread"] else 1 for slot in slots)
        for key, slots in found.items()
    }


def test_log_records_are_counted_by_level_and_logger(own: Sensors, door: Hearing) -> None:
    install("logging", sensors=own)
    install("logging", sensors=own)
    logger = logging.getLogger("shop.cart.items")
    logger.setLevel(logging.INFO)
    logger.info("counted")
    logger.debug("below its level")
    for _ in range(3):
        logging.getLogger("shop").error("failed")
    assert own.flush()
    assert counts(door, "log.records") == {"level=info;logger=shop.cart": 1, "level=error;logger=shop": 3}


def test_a_handler_counts_for_those_who_configure_it(own: Sensors, door: Hearing) -> None:
    logger = logging.getLogger("handled")
    logger.addHandler(CountingHandler(own, logging.ERROR))
    logger.error("counted")
    logger.warning("below its level")
    assert own.flush()
    assert counts(door, "log.records") == {"level=error;logger=handled": 1}


def test_counting_records_leaves_the_logging_of_a_program_as_it_is(run: Run) -> None:
    program = """
import logging, sys
from tallystick.sensors import integrations
if {install}: integrations.install("logging")
logging.warning("without handlers")
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
logging.error("with them")
"""
    told = [run(program.format(install=install)) for install in (True, False)]
    assert (told[0].stdout, told[0].stderr) == (told[1].stdout, told[1].stderr)


def statements(connection: Any) -> None:
    connection.execute("CREATE TABLE t (a)")
    with connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        cursor = connection.cursor()
        cursor.execute("-- of the cart\n  select * from t")
    assert cursor.fetchall() == [(1,), (2,)]
    with pytest.raises(sqlite3.OperationalError):
        connection.cursor().execute("SELECT * FROM nothing")


def test_statements_of_sqlite_are_timed_by_their_first_word(own: Sensors, door: Hearing) -> None:
    install("sqlite3", sensors=own)
    for connect in (sqlite3.connect, sqlite3.dbapi2.connect):
        with connect(":memory:") as connection:
            assert isinstance(connection, sqlite3.Connection)
            statements(connection)
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    assert connection.execute("SELECT 1 AS a").fetchone()["a"] == 1
    assert type(connection.cursor(lambda own: sqlite3.Cursor(own))) is sqlite3.Cursor
    assert own.flush()
    assert counts(door, "database.time") == {
        "statement=CREATE;system=sqlite3": 2,
        "statement=INSERT;system=sqlite3": 2,
        "statement=SELECT;system=sqlite3": 5,
    }
    assert counts(door, "database.errors") == {"error=OperationalError;system=sqlite3": 2}


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("(SELECT 1) UNION (SELECT 2)", "SELECT"),
        ("/* a\nlong\nhint */ update t set a = 1", "UPDATE"),
        (b"delete from t", "DELETE"),
        ("frobnicate", "OTHER"),
        ("", "OTHER"),
        (object(), "OTHER"),
        ("-" * 100_000, "OTHER"),
        ("/*" * 10_000, "OTHER"),
    ],
)
def test_the_first_word_of_a_statement(query: object, word: str) -> None:
    assert statement_of(query) == word


def test_cursors_of_other_databases_are_timed_wherever_they_are_asked_for(own: Sensors, door: Hearing) -> None:
    psycopg, pymysql = package("psycopg"), package("pymysql")
    timed = databases.timed_cursor(psycopg.Cursor, "psycopg", own)
    assert issubclass(timed, psycopg.Cursor)
    assert databases.timed_cursor(psycopg.Cursor, "psycopg", own) is timed
    assert databases.timed_cursor(timed, "psycopg", own) is timed

    class Refused(pymysql.cursors.Cursor):  # as of a server that refuses everything
        def execute(self, query: str, args: object = None) -> int:
            raise pymysql.err.ProgrammingError(query)

    cursor = databases.timed_cursor(Refused, "pymysql", own)(None)
    with pytest.raises(pymysql.err.ProgrammingError):
        cursor.execute("SELECT 1")
    assert own.flush()
    assert counts(door, "database.time") == {"statement=SELECT;system=pymysql": 1}
    assert counts(door, "database.errors") == {"error=ProgrammingError;system=pymysql": 1}


def by_requests(url: str) -> None:
    requests = package("requests")
    session = requests.Session()
    session.trust_env = False
    assert session.get(f"{url}/302").status_code == 200
    assert session.get(f"{url}/404").status_code == 404
    with pytest.raises(requests.ConnectionError):
        session.get("http://127.0.0.1:9/")


def by_httpx(url: str) -> None:
    httpx = package("httpx")
    with httpx.Client(follow_redirects=True, trust_env=False) as client:
        assert client.get(f"{url}/302").status_code == 200
        assert client.get(f"{url}/404").status_code == 404
        with pytest.raises(httpx.ConnectError):
            client.get("http://127.0.0.1:9/")


def by_httpx_async(url: str) -> None:
    httpx = package("httpx")

    async def ask() -> None:
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as client:
            assert (await client.get(f"{url}/302")).status_code == 200
            assert (await client.get(f"{url}/404")).status_code == 404
            with pytest.raises(httpx.ConnectError):
                await client.get("http://127.0.0.1:9/")

    asyncio.run(ask())


def by_urllib(url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/302") as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError):
        opener.open(f"{url}/404")
    with pytest.raises(urllib.error.URLError):
        opener.open("http://127.0.0.1:9/")


@pytest.mark.parametrize(
    ("library", "ask", "error"),
    [
        ("requests", by_requests, "ConnectionError"),
        ("httpx", by_httpx, "ConnectError"),
        ("httpx", by_httpx_async, "ConnectError"),
        ("urllib.request", by_urllib, "URLError"),
    ],
)
def test_requests_to_others_are_timed_by_host_and_status(
    own: Sensors,
    door: Hearing,
    web: str,
    monkeypatch: pytest.MonkeyPatch,
    library: str,
    ask: Callable[[str], None],
    error: str,
) -> None:
    if library == "requests":
        monkeypatch.setattr("requests.adapters.HTTPAdapter.send", package(library).adapters.HTTPAdapter.send)
    elif library == "httpx":
        for kind, name in (("HTTPTransport", "handle_request"), ("AsyncHTTPTransport", "handle_async_request")):
            transport = getattr(package(library), kind)
            monkeypatch.setattr(transport, name, getattr(transport, name))
    assert install(library, sensors=own) == [library]
    ask(web)
    assert own.flush()
    assert counts(door, "http.client") == {
        "host=127.0.0.1;method=GET;status=302": 1,
        "host=127.0.0.1;method=GET;status=200": 1,
        "host=127.0.0.1;method=GET;status=404": 1,
        "host=127.0.0.1;method=GET;status=none": 1,
    }
    assert counts(door, "http.client.errors") == {f"error={error};host=127.0.0.1": 1}


def test_libraries_that_are_missing_are_left_out(own: Sensors, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("psycopg2", "MySQLdb"):
        monkeypatch.setitem(sys.modules, name, None)
    assert install("psycopg2", "MySQLdb", sensors=own) == []
    with pytest.raises(KeyError):
        install("nothing", sensors=own)


def test_an_integration_is_loaded_only_when_it_is_asked_for(run: Run) -> None:
    loaded = run("import sys; from tallystick.sensors import integrations; print(*sys.modules)").stdout.split()
    assert not set(loaded) & (set(INTEGRATIONS) - {"logging"})
