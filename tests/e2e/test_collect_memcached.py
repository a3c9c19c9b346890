"""memcached, asked while it is used; and counters that applications keep in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from tallystick.agent.services.stream import Stream
from tallystick.model.address import Address
from watched import Watched, wait_until_found

pytestmark = [pytest.mark.senders, pytest.mark.usefixtures("counted_alone")]


@pytest.fixture
def memcached(tmp_path: Path) -> Iterator[tuple[services.Daemon, int]]:
    daemon, port = services.memcached(tmp_path)
    daemon.start()
    yield daemon, port
    daemon.kill()


def say(port: int, *commands: str) -> None:
    with Stream(Address("tcp", "127.0.0.1", port), 20) as stream:
        stream.send("".join(f"{command}\r\n" for command in (*commands, "quit")).encode())
        stream.rest()


def test_it_counts_what_was_asked_and_survives_a_restart(memcached: tuple[services.Daemon, int]) -> None:
    daemon, port = memcached
    watched = Watched("memcached", address=f"tcp://127.0.0.1:{port}", slabs=True)
    assert watched.look()["up"] == 1
    say(port, *(f"set key{n} 0 0 5\r\nvalue" for n in range(20)), *(f"get key{n}" for n in range(30)))
    seen = watched.look()
    counted = {name: round(10 * seen[name]) for name in ("commands.set", "commands.get", "get.hits", "get.misses")}
    assert counted == {"commands.set": 20, "commands.get": 30, "get.hits": 20, "get.misses": 10}
    assert seen["items.stored"] == 20 and seen["get.hit_percent"] == pytest.approx(66.667)
    assert seen["slab.96.used"] == 20 and seen["memory.max_bytes"] == 16 << 20
    assert wait_until_found("memcached", address=f"tcp://127.0.0.1:{port}") == f"memcached.{port}"

    daemon.kill()
    assert watched.look() == {"up": 0}
    daemon.start()
    say(port, *(f"get key{n}" for n in range(100)))
    back = watched.look()
    assert back["up"] == 1 and "commands.get" not in back and back["items.stored"] == 0


def test_what_applications_count_in_it_is_read_out(memcached: tuple[services.Daemon, int]) -> None:
    _, port = memcached
    say(port, "set site.logins 0 0 2\r\n10", "set web1/queue 0 0 1\r\n7", "set name 0 0 3\r\nbob")
    keys = {"counters": ["site.logins", "site.missing", "name"], "gauges": ["web1/queue"]}
    watched = Watched("memcached", address=f"tcp://127.0.0.1:{port}", **keys)
    first = watched.look()
    assert first["gauges.web1-queue"] == 7 and "counters.site.logins" not in first
    say(port, *["incr site.logins 5"] * 6, "decr web1/queue 4")
    seen = watched.look()
    assert (seen["counters.site.logins"], seen["gauges.web1-queue"]) == (3.0, 3)
    assert not [name for name in seen if "missing" in name or name == "counters.name"]
    # An application that begins its counter anew costs a rate, and nothing else.
    say(port, "set site.logins 0 0 1\r\n0")
    seen = watched.look()
    assert "counters.site.logins" not in seen and seen["commands.set"] == 0.1


def test_those_that_want_a_password_get_it(open_path: Path, tmp_path: Path) -> None:
    users = open_path / "users"
    users.write_text("tallystick:secret\n")
    services.give_to_nobody(users)
    daemon, port = services.memcached(tmp_path, "-Y", str(users))
    daemon.start()
    try:
        secret = tmp_path / "secret"
        secret.write_text("secret")
        keys = {"address": f"tcp://127.0.0.1:{port}", "user": "tallystick", "password_file": str(secret)}
        assert Watched("memcached", **keys).look()["up"] == 1
        secret.write_text("sesame")
        refused = Watched("memcached", **keys)
        assert refused.look() == {"up": 0} and "sesame" not in refused.cause
    finally:
        daemon.kill()
