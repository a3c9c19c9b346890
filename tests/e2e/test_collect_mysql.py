"""MariaDB, asked while it is used: by its socket and over TCP and TLS."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import services
from servers import wait_until
from tallystick.agent.services.mysql import Mysql, Row
from tallystick.agent.services.stream import Stream
from tallystick.model.address import Address
from watched import Watched, wait_until_found

pytestmark = [pytest.mark.senders, pytest.mark.usefixtures("counted_alone")]


class Server(NamedTuple):
    """A server, and where its socket is."""

    daemon: services.Daemon
    root: Path
    port: int

    @property
    def socket(self) -> str:
        return f"unix://{self.root}/mysql.sock"

    def run(self, *statements: str) -> list[Row]:
        with Stream(Address.parse(self.socket), 20) as stream:
            session = Mysql(stream, "root", "")
            answers = [session.query(statement) for statement in statements]
            session.finish()
            stream.rest()  # until it has hung up
        return answers[-1]


@pytest.fixture(scope="module")
def server(open_path: Path) -> Iterator[Server]:
    root = open_path
    daemon, port = services.mariadb(root)
    daemon.start()
    yield Server(daemon, root, port)
    daemon.kill()


def test_it_counts_statements_and_rows_and_survives_a_crash(server: Server) -> None:
    server.run("CREATE TABLE shop.orders (id int PRIMARY KEY, note varchar(20)) ENGINE = InnoDB")
    watched = Watched("mysql", address=server.socket, user="root")
    first = watched.look()
    assert first["up"] == 1 and watched.cause == "" and first["connections.max"] == 151
    server.run(
        *(f"INSERT INTO shop.orders VALUES ({number}, 'x')" for number in range(60)),
        *["SELECT count(*) FROM shop.orders"] * 25,
        "UPDATE shop.orders SET note = 'y' WHERE id < 7",
        "DELETE FROM shop.orders WHERE id < 4",
    )
    seen = watched.look()
    names = ("insert", "select", "update", "delete")
    assert [round(10 * seen[f"statements.{name}"]) for name in names] == [60, 25, 1, 1]
    counted = {name: round(10 * seen[f"rows.{name}"]) for name in ("updated", "deleted")}
    assert counted == {"updated": 7, "deleted": 4} and seen["rows.written"] >= 6.0
    # What was said above, and what the looks say: two of the one before and, so far, two of this one.
    assert round(10 * seen["questions"]) in range(87, 93)
    assert round(10 * seen["connections.opened"]) == 2 and seen["connections.open"] == 1

    server.daemon.kill()
    assert watched.look() == {"up": 0}
    server.daemon.start()
    server.run(*["SELECT 1"] * 300)
    back = watched.look()
    assert back["up"] == 1 and "statements.select" not in back and "questions" not in back
    assert watched.look()["statements.select"] == 0


def test_passwords_are_proved_and_not_told(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    keys = {"address": f"tcp://127.0.0.1:{server.port}"}
    monkeypatch.setenv("SOME_PASSWORD", "secret")
    assert Watched("mysql", **keys, user="tallystick", password_env="SOME_PASSWORD").look()["up"] == 1
    monkeypatch.setenv("SOME_PASSWORD", "wrong-secret")
    refused = Watched("mysql", **keys, user="tallystick", password_env="SOME_PASSWORD")
    assert refused.look() == {"up": 0} and "Access denied" in refused.cause and "wrong-secret" not in refused.cause
    options = tmp_path / ".my.cnf"
    options.write_text('[mysqldump]\nquick\n[client]\nuser = tallystick\npassword = "secret"\n')
    options.chmod(0o600)
    assert Watched("mysql", **keys).look()["up"] == 1
    options.chmod(0o644)
    assert Watched("mysql", **keys, user="tallystick").look() == {"up": 0}, "others' eyes have seen it"


def test_it_is_asked_over_tls(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "secret")
    keys = {"address": f"tcp://127.0.0.1:{server.port}", "user": "tallystick", "password_env": "SOME_PASSWORD"}
    server.run("ALTER USER tallystick@localhost REQUIRE SSL")
    try:
        in_the_clear = Watched("mysql", **keys)
        assert in_the_clear.look() == {"up": 0}
        assert Watched("mysql", **keys, tls=True, ca_file=str(server.root / "cert.pem")).look()["up"] == 1
        stranger = Watched("mysql", **keys, tls=True)
        assert stranger.look() == {"up": 0} and "certificate" in stranger.cause
    finally:
        server.run("ALTER USER tallystick@localhost REQUIRE NONE")


def test_a_user_without_rights_is_told_what_everybody_is(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.run("CREATE OR REPLACE USER modest@localhost IDENTIFIED BY 'modest'")
    monkeypatch.setenv("SOME_PASSWORD", "modest")
    watched = Watched("mysql", address=server.socket, user="modest", password_env="SOME_PASSWORD")
    seen = watched.look()
    assert seen["up"] == 1 and "connections.open" in seen and "SLAVE MONITOR" in watched.cause


def test_a_replica_that_cannot_reach_its_primary_is_told(server: Server) -> None:
    server.run(
        "CHANGE MASTER 'far' TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'x', MASTER_PASSWORD = 'x'",
        "START ALL SLAVES",
    )
    try:
        watched = Watched("mysql", address=server.socket, user="root")
        wait_until(lambda: watched.look().get("replication.far.sql_running") == 1, "the replica to begin")
        seen = watched.look()
        assert seen["replication.far.io_running"] == 0 and "replication.far.delay_s" not in seen
    finally:
        server.run("STOP ALL SLAVES", "RESET SLAVE 'far' ALL")


def test_its_socket_is_found(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    options = tmp_path / ".my.cnf"
    options.write_text("[client]\nuser=tallystick\npassword=secret\n")
    options.chmod(0o600)
    assert wait_until_found("mysql", address=server.socket).startswith("mysql.")
