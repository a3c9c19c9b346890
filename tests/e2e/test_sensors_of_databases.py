"""Statements that a program sends to real PostgreSQL and MariaDB servers, timed as its libraries send them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from hearing import PLACE, Hearing, hearing
from servers import package

pytestmark = pytest.mark.senders

POSTGRESQL = """
import asyncio, psycopg
from psycopg import sql
from psycopg.rows import dict_row
from tallystick.sensors import integrations
assert integrations.install("psycopg") == integrations.install("psycopg") == ["psycopg"]
place = dict(host={root!r}, port={port}, user="postgres", dbname="postgres")
with psycopg.connect(**place, row_factory=dict_row) as connection:
    connection.execute("CREATE TABLE t (a int)")
    with connection.cursor() as cursor:
        assert isinstance(cursor, psycopg.Cursor)
        cursor.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)])
        assert cursor.execute("SELECT sum(a) FROM t").fetchone() == {{"sum": 3}}
        cursor.execute(sql.SQL("SELECT {{}}").format(1))
    with connection.cursor("by-the-server") as cursor:
        assert len(cursor.execute("SELECT * FROM t").fetchall()) == 2
    try:
        connection.execute("SELECT * FROM nothing")
    except psycopg.errors.UndefinedTable:
        pass
class Own(psycopg.Connection): pass
with Own.connect(**place) as connection:
    assert type(connection) is Own
async def ask():
    async with await psycopg.AsyncConnection.connect(**place) as connection:
        assert (await (await connection.execute("SELECT 7")).fetchone()) == (7,)
asyncio.run(ask())
"""
MYSQL = """
import pymysql
from tallystick.sensors import integrations
integrations.install("pymysql")
for kind in (None, pymysql.cursors.DictCursor):
    with pymysql.connect(unix_socket={socket!r}, user="root", cursorclass=kind or pymysql.cursors.Cursor) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 7 AS a")
            assert cursor.fetchone() == ((7,) if kind is None else {{"a": 7}})
            try:
                cursor.execute("SELECT * FROM nothing.at_all")
            except pymysql.err.Error:
                pass
"""


@pytest.fixture
def door() -> Iterator[Hearing]:
    with hearing() as opened:
        yield opened


def run(door: Hearing, text: str) -> None:
    environ = os.environ | PLACE | {"TALLYSTICK_AGENT": door.address}
    found = subprocess.run([sys.executable, "-c", text], env=environ, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stderr


def counted(door: Hearing, name: str) -> dict[str, float]:
    begin = f"dev.apps.shop.database.{name};"
    return {
        key.removeprefix(begin): sum(slot["spread"]["count"] if slot["spread"] else 1 for slot in slots)
        for key, slots in door.slots.items()
        if key.startswith(begin)
    }


def test_statements_to_postgresql(door: Hearing, open_path: Path) -> None:
    package("psycopg")
    root = open_path / "postgresql"
    root.mkdir()
    daemon, port = services.postgresql(root)
    daemon.start()
    try:
        run(door, POSTGRESQL.format(root=str(root), port=port))
    finally:
        daemon.kill()
    assert counted(door, "time") == {
        "statement=CREATE;system=psycopg": 1,
        "statement=INSERT;system=psycopg": 1,
        "statement=SELECT;system=psycopg": 3,
        "statement=OTHER;system=psycopg": 1,
    }
    assert counted(door, "errors") == {"error=UndefinedTable;system=psycopg": 1}


def test_statements_to_mariadb(door: Hearing, open_path: Path) -> None:
    package("pymysql")
    root = open_path / "mariadb"
    root.mkdir()
    daemon, _ = services.mariadb(root)
    daemon.start()
    try:
        [socket] = root.rglob("*.sock")
        run(door, MYSQL.format(socket=str(socket)))
    finally:
        daemon.kill()
    assert counted(door, "time") == {"statement=SELECT;system=pymysql": 4}
    assert set(counted(door, "errors").values()) == {2}
