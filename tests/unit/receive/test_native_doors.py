"""The native client and a door for it: tokens, encryption, what is said of names, and what the server does not want."""

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from certificates import self_signed
from native_doors import NativeDoor
from posting import NOW_S
from servers import wait_until
from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native import Name, NativeClient, Slot, messages
from tallystick.native.link import tls_context
from tallystick.parse.native_connection import Greeting

WAIT_S = 20.0


class Blocks:
    """A block list that is changed by hand."""

    def __init__(self, *patterns: str) -> None:
        self.version, self.patterns = 1, patterns
        self._calls: list[Callable[[], None]] = []

    def globs_for(self, host: str) -> tuple[str, ...]:
        return self.patterns if host in ("127.0.0.1", "") else ()

    def when_changed(self, call: Callable[[], None]) -> None:
        self._calls.append(call)

    def become(self, *patterns: str) -> None:
        self.version, self.patterns = self.version + 1, patterns
        for call in self._calls:
            call()


@contextmanager
def opened(
    greeting: Greeting | None = None, tls: ssl.SSLContext | None = None, path: Path | None = None
) -> Iterator[NativeDoor]:
    found = NativeDoor(greeting, tls, path)
    found.open()
    try:
        yield found
    finally:
        found.close()


@contextmanager
def started(client: NativeClient) -> Iterator[NativeClient]:
    client.start()
    try:
        yield client
    finally:
        client.stop(0)


def slots(*names: str) -> list[Slot]:
    return [Slot(name, Kind.GAUGE, NOW_S * 1000, 1.0) for name in names]


def taken(client: NativeClient, names: Sequence[str]) -> bool:
    client.offer(slots(*names))
    return client.wait_acknowledged(WAIT_S)


@pytest.fixture
def certified(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """The file of a certificate, and what a server does with it."""
    certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, tmp_path / "key.pem")
    return certificate, tls


def test_who_brings_the_token_is_taken_from_and_another_is_counted() -> None:
    with opened(Greeting(token="open")) as there:
        with started(NativeClient(there.address, "a", token="open")) as client:
            assert taken(client, ["x"])
        with started(NativeClient(there.address, "b", token="shut")) as client:
            client.offer(slots("y"))
            wait_until(lambda: there.balance().rejected.get("unauthorized", 0) >= 1, "a refusal")
            assert client.counts.acknowledged == 0
        assert there.house.values() == {"x": 1.0}
        assert all("shut" not in offender.text for offender in there.house.ledger.offenders())


def test_a_greeting_that_breaks_off_shows_nothing_of_its_token() -> None:
    with opened(Greeting(token="open-sesame")) as there:
        with socket.create_connection((there.address.host, there.address.port)) as broken:
            broken.sendall(messages.framed(messages.hello("a", "r", "open-sesame"))[:-2])
        wait_until(lambda: there.balance().rejected.get("truncated", 0) == 1, "the end of it")
        assert all("open" not in offender.text for offender in there.house.ledger.offenders())


def test_slots_come_through_an_encrypted_connection_in_any_amount(certified: tuple[Path, ssl.SSLContext]) -> None:
    certificate, tls = certified
    with opened(Greeting(token="t"), tls) as there:
        server = Address("tls", there.address.host, there.address.port)
        with started(NativeClient(server, "a", token="t", tls=tls_context(str(certificate)))) as client:
            many = [f"of.many.{k}.{'x' * 100}" for k in range(20_000)]
            assert taken(client, many)
            assert taken(client, many[:10])
            assert client.counts.connects == 1
        assert there.balance().stored == 20_010
        with started(NativeClient(server, "b", token="t")) as stranger:
            stranger.offer(slots("y"))
            assert not stranger.wait_acknowledged(0.5), "the system does not trust it"


def test_who_speaks_in_the_clear_to_an_encrypted_door_is_not_heard(certified: tuple[Path, ssl.SSLContext]) -> None:
    with opened(Greeting(), certified[1]) as there, started(NativeClient(there.address, "a")) as client:
        client.offer(slots("x"))
        wait_until(lambda: client.counts.connects >= 2, "another try")
        assert there.house.values() == {}


def test_a_unix_socket_can_be_served_encrypted_or_not(tmp_path: Path) -> None:
    with (
        opened(path=tmp_path / "s") as there,
        started(NativeClient(Address("unix", path=str(tmp_path / "s")), "a")) as client,
    ):
        assert taken(client, ["x"])
        assert there.balance().stored == 1


def test_what_is_blocked_is_not_sent_and_counted_until_it_is_blocked_no_longer() -> None:
    blocks = Blocks("noise.*")
    with opened(Greeting(blocklist=blocks)) as there, started(NativeClient(there.address, "a")) as client:
        wait_until(lambda: client.blocking.version == 1, "the list")
        assert taken(client, ["noise.a", "noise.b", "good"])
        blocks.become("*.b", "good")
        wait_until(lambda: client.blocking.version == 2, "the new list")
        assert taken(client, ["noise.a", "noise.b", "good"])
        blocks.become()
        wait_until(lambda: client.blocking.version == 3, "the end of the list")
        assert taken(client, ["noise.b", "good"])
        assert (client.counts.given, client.counts.acknowledged, client.counts.blocked) == (8, 4, 4)
        balance = there.balance()
        assert (balance.generated, balance.stored, balance.rejected) == (8, 4, {"withheld": 4})
        assert balance.lost_on_the_way == 0


def test_what_is_said_of_names_reaches_the_server_and_is_said_again_when_it_changes() -> None:
    told: list[Name] = []
    with (
        opened(Greeting(when_described=told.extend)) as there,
        started(NativeClient(there.address, "a")) as client,
    ):
        assert taken(client, ["x"])
        said = Name("x", Kind.GAUGE, "bytes", "team-x", "What it holds", "> 5")
        for _ in range(3):
            client.describe([said])
            assert taken(client, ["x"])
        assert told == [said]
        client.describe([said._replace(owner="team-y")])
        assert taken(client, ["x"])
        assert [name.owner for name in told] == ["team-x", "team-y"]
        assert there.balance().stored == 5
