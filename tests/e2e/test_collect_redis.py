"""Redis, asked while it is used: over TCP and its socket, with a password, with a replica."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from certificates import self_signed
from ports import free_port
from servers import wait_until
from tallystick.agent.collectors.redis import command
from tallystick.agent.services.stream import Stream
from tallystick.model.address import Address
from watched import Watched, found, wait_until_found

pytestmark = [pytest.mark.senders, pytest.mark.usefixtures("counted_alone")]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[services.Daemon, int]]:
    daemon, port = services.redis(tmp_path)
    daemon.start()
    yield daemon, port
    daemon.kill()


def test_it_counts_commands_hits_and_keys_and_survives_a_restart(redis: tuple[services.Daemon, int]) -> None:
    daemon, port = redis
    watched = Watched("redis", address=f"tcp://127.0.0.1:{port}", instance="sessions")
    assert watched.look()["up"] == 1
    with Stream(Address("tcp", "127.0.0.1", port), 20) as stream:
        for number in range(40):
            assert command(stream, "SET", f"key{number}", "x" * 100, *(["EX", "900"] if number < 10 else [])) == "OK"
        for number in range(30):
            assert command(stream, "GET", f"key{number}") == "x" * 100
        stream.send(b"GET none\r\n" * 10)
        stream.exactly(10 * len(b"$-1\r\n"))
    seen = watched.look()
    counted = {name: round(10 * seen[name]) for name in ("commands", "keys.hits", "keys.misses", "clients.accepted")}
    # The looks are one command each: this one is not yet counted, the first is.
    assert counted == {"commands": 81, "keys.hits": 30, "keys.misses": 10, "clients.accepted": 2}
    assert (seen["database.db0.keys"], seen["database.db0.expiring"], seen["keys.hit_percent"]) == (40, 10, 75)
    assert seen["memory.used_bytes"] > 40 * 100

    daemon.kill()
    assert watched.look() == {"up": 0}
    daemon.start()
    with Stream(Address("tcp", "127.0.0.1", port), 20) as stream:
        for _ in range(200):  # more than before it was killed
            command(stream, "PING")
    back = watched.look()
    assert back["up"] == 1 and "commands" not in back
    assert watched.counted("commands") == [1]


def test_its_socket_and_several_of_them_are_found(redis: tuple[services.Daemon, int], tmp_path: Path) -> None:
    _, port = redis
    assert Watched("redis", address=f"unix://{tmp_path}/redis.sock").look()["up"] == 1
    (tmp_path / "second").mkdir()
    second, other = services.redis(tmp_path / "second")
    second.start()
    try:
        for each in (port, other):
            assert wait_until_found("redis", address=f"tcp://127.0.0.1:{each}") == f"redis.{each}"
    finally:
        second.kill()


def test_a_password_is_needed_and_never_told(tmp_path: Path) -> None:
    daemon, port = services.redis(tmp_path, "--requirepass", "open-sesame")
    daemon.start()
    try:
        address = f"tcp://127.0.0.1:{port}"
        assert Watched("redis", address=address).look() == {"up": 0}
        secret = tmp_path / "secret"
        secret.write_text("open-sesame\n")
        assert Watched("redis", address=address, password_file=str(secret)).look()["up"] == 1
        assert Watched("redis", address=address, password_file=str(secret), user="default").look()["up"] == 1
        secret.write_text("wrong-sesame\n")
        refused = Watched("redis", address=address, password_file=str(secret))
        assert refused.look() == {"up": 0}
        assert "AUTH" in refused.cause and "sesame" not in refused.cause
        assert f"redis.{port}" not in found("redis"), "it does not let us in"
    finally:
        daemon.kill()


def test_it_is_asked_over_tls(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    secure = free_port()
    files = [
        "--tls-cert-file",
        str(certificate),
        "--tls-key-file",
        str(tmp_path / "key.pem"),
        "--tls-auth-clients",
        "no",
    ]
    daemon, _ = services.redis(tmp_path, "--tls-port", str(secure), *files)
    daemon.start()
    try:
        address = f"tcp://127.0.0.1:{secure}"
        assert Watched("redis", address=address, tls=True, ca_file=str(certificate)).look()["up"] == 1
        stranger = Watched("redis", address=address, tls=True)
        assert stranger.look() == {"up": 0} and "certificate" in stranger.cause
        assert Watched("redis", address=address).look() == {"up": 0}
    finally:
        daemon.kill()


def test_a_replica_tells_of_its_link_and_the_primary_of_the_lag(
    redis: tuple[services.Daemon, int], tmp_path: Path
) -> None:
    _, port = redis
    (tmp_path / "replica").mkdir()
    replica, other = services.redis(tmp_path / "replica", "--replicaof", "127.0.0.1", str(port))
    replica.start()
    try:
        follower = Watched("redis", address=f"tcp://127.0.0.1:{other}")
        leader = Watched("redis", address=f"tcp://127.0.0.1:{port}")
        wait_until(lambda: follower.look().get("replication.link_up") == 1, "the replica to have its link")
        wait_until(lambda: leader.look().get("replication.lag_bytes") == 0, "the replica to have caught up")
        assert leader.look()["replication.replicas"] == 1
    finally:
        replica.kill()
