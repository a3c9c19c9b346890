"""PostgreSQL, asked while it is used: by its socket and over TCP and TLS, with a standby."""

import getpass
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import services
from servers import wait_until
from tallystick.agent.services.postgres import Postgres
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
        return f"unix://{self.root}/.s.PGSQL.{self.port}"

    def run(self, *statements: str, database: str = "postgres") -> Sequence[object]:
        with Stream(Address.parse(self.socket), 20) as stream:
            session = Postgres(stream, "postgres", database, "")
            answers = [session.query(statement) for statement in statements]
            session.finish()
        wait_until(lambda: self._sessions() == 0, "the session to have told what it counted")
        return answers[-1]

    def _sessions(self) -> int:
        """How many there are beside the one that asks."""
        with Stream(Address.parse(self.socket), 20) as stream:
            question = (
                "SELECT 1 AS one FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = 'shop'"
            )
            return len(Postgres(stream, "postgres", "postgres", "").query(question))


@pytest.fixture(scope="module")
def server(open_path: Path) -> Iterator[Server]:
    root = open_path / "server"
    root.mkdir()
    daemon, port = services.postgresql(root)
    daemon.start()
    server = Server(daemon, root, port)
    server.run(
        f'CREATE ROLE "{getpass.getuser()}" LOGIN IN ROLE pg_monitor',
        "CREATE ROLE modest LOGIN PASSWORD 'modest'",
        "SET password_encryption = 'md5'",
        "CREATE ROLE old LOGIN PASSWORD 'old-secret'",
        "CREATE ROLE bare LOGIN PASSWORD 'bare-secret'",
        "CREATE DATABASE shop",
    )
    server.run("CREATE TABLE orders (id int PRIMARY KEY, note text)", database="shop")
    yield server
    daemon.kill()


def test_it_counts_rows_and_transactions_and_survives_a_crash(server: Server) -> None:
    watched = Watched("postgresql", address=server.socket)
    first = watched.look()
    assert first["up"] == 1 and watched.cause == ""
    assert (first["connections.max"], first["replication.is_standby"]) == (17, 0)
    assert first["database.shop.size_bytes"] > 1 << 20 and first["uptime_s"] < 1000
    server.run(
        "INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 500) n",
        "UPDATE orders SET note = 'y' WHERE id <= 70",
        "DELETE FROM orders WHERE id > 480",
        "BEGIN",
        "INSERT INTO orders VALUES (1000, 'z')",
        "ROLLBACK",
        database="shop",
    )
    seen = watched.look()
    counted = {
        name: round(10 * seen[f"database.shop.{name}"]) for name in ("rows_updated", "rows_deleted", "rollbacks")
    }
    assert counted == {"rows_updated": 70, "rows_deleted": 20, "rollbacks": 1}
    assert round(10 * seen["database.shop.rows_inserted"]) == 501
    # The three statements, and the beginning of the session.
    assert round(10 * seen["database.shop.commits"]) == 4
    assert 0 <= seen["database.shop.hit_percent"] <= 100 and seen["wal.written_bytes"] > 1000
    assert "database.shop.size_bytes" not in seen, "sizes are reckoned every five minutes"

    server.daemon.kill()
    assert watched.look() == {"up": 0}
    server.daemon.start()
    server.run(*["SELECT 1"] * 20, database="shop")
    back = watched.look()
    assert back["up"] == 1 and not back.keys() & {"database.shop.commits", "wal.written_bytes"}
    assert "database.shop.commits" in watched.look()


def test_open_transactions_and_locks_are_told(server: Server) -> None:
    watched = Watched("postgresql", address=server.socket)
    with Stream(Address.parse(server.socket), 20) as one, Stream(Address.parse(server.socket), 20) as two:
        holder, waiter = (Postgres(stream, "postgres", "shop", "") for stream in (one, two))
        holder.query("BEGIN")
        holder.query("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        question = b"SELECT count(*) FROM orders\0"
        two.send(b"Q" + (4 + len(question)).to_bytes(4, "big") + question)
        wait_until(lambda: watched.look()["connections.waiting"] == 1, "the query to wait")

        def settled() -> dict[str, float]:
            seen = watched.look()
            return seen if seen["connections.used"] == 2 else {}  # the session of the look before may yet be ending

        seen = wait_until(settled, "only the two to be connected")
        assert (seen["locks.waiting"], seen["locks.exclusive"]) == (1, 1)
        assert seen["connections.idle_in_transaction"] == 1
        assert seen["transactions.oldest_s"] > 0
        assert seen["connections.used_percent"] == pytest.approx(100 * 2 / 17, abs=0.01)
        holder.query("ROLLBACK")
        assert waiter.parameters["server_version"].startswith("15")


@pytest.mark.parametrize(("user", "secret"), [("postgres", "secret"), ("old", "old-secret")])
def test_passwords_are_proved_and_not_told(
    server: Server, tmp_path: Path, user: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"address": f"tcp://127.0.0.1:{server.port}", "user": user}
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    monkeypatch.setenv("SOME_PASSWORD", secret)
    assert Watched("postgresql", **keys, password_env="SOME_PASSWORD").look()["up"] == 1
    monkeypatch.setenv("SOME_PASSWORD", "wrong-secret")
    refused = Watched("postgresql", **keys, password_env="SOME_PASSWORD")
    assert refused.look() == {"up": 0}
    assert "password authentication failed" in refused.cause and "wrong-secret" not in refused.cause
    without = Watched("postgresql", **keys)
    assert without.look() == {"up": 0} and "it wants a password" in without.cause


def test_the_usual_file_of_passwords_is_read_if_it_is_private(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    monkeypatch.setenv("PGPASSFILE", str(file))
    file.write_text(f"# mine\n*:*:other:*:no\n127.0.0.1:{server.port}:*:postgres:secret\n")
    file.chmod(0o600)
    keys = {"address": f"tcp://127.0.0.1:{server.port}", "user": "postgres"}
    assert Watched("postgresql", **keys).look()["up"] == 1
    file.chmod(0o644)
    assert Watched("postgresql", **keys).look() == {"up": 0}


def test_a_bare_password_is_said_over_tls_only(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARE", "bare-secret")
    keys = {"address": f"tcp://127.0.0.1:{server.port}", "user": "bare", "password_env": "BARE"}
    in_the_clear = Watched("postgresql", **keys)
    assert in_the_clear.look() == {"up": 0} and "expected SCRAM-SHA-256, or TLS" in in_the_clear.cause
    encrypted = Watched("postgresql", **keys, tls=True, ca_file=str(server.root / "cert.pem"))
    assert encrypted.look()["up"] == 1
    stranger = Watched("postgresql", **keys, tls=True)
    assert stranger.look() == {"up": 0} and "certificate" in stranger.cause


def test_a_role_without_rights_is_told_what_everybody_is(server: Server) -> None:
    watched = Watched("postgresql", address=server.socket, user="modest")
    seen = watched.look()
    assert seen["up"] == 1 and "database.shop.connections" in seen


def test_its_socket_is_found(server: Server) -> None:
    assert wait_until_found("postgresql", address=server.socket) == f"postgresql.{server.port}"


def test_a_standby_and_its_primary_tell_of_replication(server: Server, open_path: Path) -> None:
    root = open_path / "standby"
    root.mkdir()
    daemon, port = services.standby(root, server.root, server.port)
    daemon.start()
    try:
        primary = Watched("postgresql", address=server.socket)
        follower = Watched("postgresql", address=f"unix://{root}/.s.PGSQL.{port}")
        wait_until(lambda: "replica.walreceiver.delay_bytes" in primary.look(), "the standby to follow")
        server.run("INSERT INTO orders SELECT n, 'x' FROM generate_series(2001, 3000) n", database="shop")
        wait_until(lambda: primary.look()["replica.walreceiver.delay_bytes"] == 0, "all to be replayed")
        seen = follower.look()
        assert (seen["up"], seen["replication.is_standby"], seen["replication.delay_bytes"]) == (1, 1, 0)
        assert "wal.written_bytes" not in seen
        assert primary.look()["slot.follower.active"] == 1
        daemon.kill()
        wait_until(lambda: primary.look()["slot.follower.active"] == 0, "the primary to see it gone")
        server.run("INSERT INTO orders SELECT n, 'x' FROM generate_series(3001, 4000) n", database="shop")
        assert primary.look()["slot.follower.retained_bytes"] > 10_000
    finally:
        daemon.kill()
        server.run("SELECT pg_drop_replication_slot('follower')")


def test_a_role_that_there_is_not_is_told_in_the_servers_words(server: Server) -> None:
    watched = Watched("postgresql", address=server.socket, user="nobody-there")
    assert watched.look() == {"up": 0} and 'role "nobody-there" does not exist (28000)' in watched.cause
