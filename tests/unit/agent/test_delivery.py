"""An agent's way out and real doors: everything arrives once, whoever goes away, and what is lost is known."""

import errno
import logging
import shutil
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from certificates import self_signed
from line_server import line_server
from native_doors import NativeDoor
from posting import NOW_S
from servers import wait_until
from tallystick.agent.delivery import Delivery, destination
from tallystick.agent.spool import spool as spools
from tallystick.config.agent import Agent
from tallystick.config.delivery import Repeat
from tallystick.files import Files
from tallystick.model.clock import SystemClock
from tallystick.model.errors import StartError
from tallystick.model.kind import Kind
from tallystick.native.messages import Name, Slot
from tallystick.parse.native_connection import Greeting
from tallystick.sockets import Backoff

Make = Callable[..., Delivery]


@pytest.fixture
def door() -> Iterator[NativeDoor]:
    made = NativeDoor()
    made.open()
    yield made
    made.close()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make deliveries of one spool, which are stopped at the end."""
    monkeypatch.setattr(destination, "Backoff", lambda: Backoff(most_s=0.2))
    made: list[Delivery] = []

    def delivery(*doors: NativeDoor, files: Files | None = None, **keys: Any) -> Delivery:
        keys = {"spool": str(tmp_path / "spool")} | keys
        config = Agent(servers=tuple(str(each.address) for each in doors), **keys)
        made.append(Delivery(config, "web1", SystemClock(), files))
        return made[-1]

    yield delivery
    for each in made:
        end(each)


def end(delivery: Delivery) -> None:
    """As an agent ends, in order."""
    delivery.stop(0)


def slots(first: int, count: int = 5) -> list[Slot]:
    """Slots of names of their own, so that each that is doubled is seen."""
    return [Slot(f"of.{k}", Kind.COUNTER, NOW_S * 1000, 1.0) for k in range(first, first + count)]


def offer(delivery: Delivery, given: list[Slot], **cursors: str) -> None:
    """Have slots on disk."""
    safe = threading.Event()
    delivery.offer(given, {key.replace("_", ":"): value for key, value in cursors.items()}, safe.set)
    assert safe.wait(20)


def arrived(door: NativeDoor, count: int) -> None:
    """Wait for names that all have a count of one."""
    wait_until(lambda: len(door.house.store.catalog) == count and door.balance().generated >= count, f"{count} names")
    assert set(door.house.values().values()) == {1.0}
    balance = door.balance()
    assert balance.generated == count
    assert balance.stored == balance.received - balance.rejected.get("duplicate", 0) == count


def test_what_is_offered_reaches_the_server_and_positions_are_kept(make: Make, door: NativeDoor) -> None:
    delivery = make(door)
    delivery.start()
    offer(delivery, slots(0), log_a="10")
    offer(delivery, slots(5), log_b="7", log_a="20")
    arrived(door, 10)
    wait_until(lambda: delivery.spool.waiting() == 0, "the last answer")
    end(delivery)
    again = make(door)
    assert again.cursors == {"log:a": "20", "log:b": "7"}
    assert again.spool.waiting() == 0
    again.start()
    offer(again, slots(10), log_b="")
    arrived(door, 15)
    end(again)
    assert make(door).cursors == {"log:a": "20"}


def test_what_is_offered_while_nobody_listens_is_sent_once_somebody_does(make: Make, door: NativeDoor) -> None:
    door.close()
    delivery = make(door)
    delivery.start()
    for k in range(4):
        offer(delivery, slots(5 * k))
    assert delivery.problems()
    assert delivery.spool.waiting() == 20
    door.open()
    arrived(door, 20)
    wait_until(lambda: delivery.spool.waiting() == 0, "the last answer")


def test_what_waits_outlives_the_agent(make: Make, door: NativeDoor) -> None:
    door.close()
    for k in range(3):
        delivery = make(door)
        delivery.start()
        offer(delivery, slots(5 * k))
        end(delivery)
    door.open()
    delivery = make(door)
    delivery.start()
    offer(delivery, slots(15))
    arrived(door, 20)


OLD_SEGMENT = """
VFNzcG9vbDEpXFGgZjc5ZTlmY2U0ZWY0ZDQ4NKtUU3JrdTeafv8oiQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAYvP5WgAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAQeyJzZW50OmEiOiIwLzAifatUU3IZHUA/7CFAzAAAAAAAAAABAAAAAAAAAAIAAAAAAAAAAAAAAYvP5WgAAAAAAAAAAAAAAAACAAAAIAAAAC4AAAAa
AAAAHEYtkAgCAAQIb2YuMAIAAAAACG9mLjECAAAAAAAAAAAq+KWoIAQCBACAoKv++WIEAAAAAAAAAADwPwAAAAIAAAAAAAAA8D8AAAAAeyJ4OnkiOiIxIiwi
c2VudDphIjoiMC8wIn0="""
"""What an agent wrote that knew nothing of origins: the names and a batch of two slots."""


def test_what_an_older_agent_left_on_disk_is_sent(make: Make, door: NativeDoor, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "0000000001.segment").write_bytes(b64decode(OLD_SEGMENT))
    delivery = make(door)
    delivery.start()
    offer(delivery, slots(2))
    arrived(door, 7)


def test_servers_are_told_what_came_by_statsd_once_for_each_conversation(
    make: Make, door: NativeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_statsd: list[int] = []
    door.house.intake.when_by_statsd(lambda series: by_statsd.extend(series.tolist()))
    delivery = make(door)
    delivery.start()
    first, other = (Slot(name, Kind.COUNTER, NOW_S * 1000, 1.0, origin="statsd") for name in ("of.a", "of.b"))
    offer(delivery, [first, *slots(0, 2)])
    offer(delivery, [first._replace(origin=""), other._replace(origin="")])  # it is known by now
    offer(delivery, [other])  # it was known as something else
    wait_until(lambda: delivery.spool.waiting() == 0, "the answers")
    names = door.house.store.catalog.names(np.array(by_statsd, np.int32))
    assert names == ["of.a", "of.a", "of.b"]
    door.close()
    door.open()
    offer(delivery, [first])
    wait_until(lambda: len(by_statsd) == 4, "it on another connection")
    text = b"".join(path.read_bytes() for path in delivery.spool.directory.glob("*.segment"))
    assert text.count(b"\x0c\x0cstatsd") == 2


def test_each_of_two_servers_has_everything_though_one_is_away_for_long(
    make: Make, door: NativeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 500)
    away = NativeDoor()
    away.open()
    away.close()
    delivery = make(door, away)
    delivery.start()
    for k in range(10):
        offer(delivery, slots(5 * k))
    arrived(door, 50)
    assert len(list(delivery.spool.directory.glob("*.segment"))) > 3
    away.open()
    arrived(away, 50)
    wait_until(lambda: len(list(delivery.spool.directory.glob("*.segment"))) == 1, "segments to be removed")
    away.close()


def test_the_first_server_that_answers_is_sent_to_and_the_preferred_one_again_later(
    make: Make, door: NativeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destination, "RETURN_S", 0.3)
    monkeypatch.setattr(destination, "_LOOK_S", 0.1)
    other = NativeDoor()
    other.open()
    delivery = make(door, other, mode="first")
    delivery.start()
    offer(delivery, slots(0))
    arrived(door, 5)
    door.close()
    offer(delivery, slots(5))
    wait_until(lambda: len(other.house.store.catalog) >= 5, "the other server")
    door.open()
    wait_until(lambda: delivery.destinations[0].connects >= 3, "the preferred one")
    offer(delivery, slots(10))
    wait_until(lambda: door.house.values().get("of.14") == 1.0, "the preferred one")
    assert "of.14" not in other.house.values()
    other.close()


def test_a_server_that_was_never_there_is_told_of_once(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tallystick")
    door = NativeDoor()
    door.open()
    door.close()
    delivery = make(door)
    delivery.start()
    wait_until(lambda: "cannot send to" in caplog.text, "the warning")
    door.open()
    wait_until(lambda: "sending to" in caplog.text, "the server")
    assert caplog.text.count("cannot send to") == 1
    door.close()


def test_what_no_server_wants_stays_here_and_is_told(make: Make) -> None:
    class Blocks:
        version = 1

        def globs_for(self, host: str) -> tuple[str, ...]:
            return ("of.1*",)

        def when_changed(self, call: Callable[[], None]) -> None:
            pass

    door = NativeDoor(Greeting(blocklist=Blocks()))
    door.open()
    delivery = make(door)
    told: list[tuple[str, ...]] = []
    delivery.when_blocked(lambda blocking: told.append(blocking.patterns))
    delivery.start()
    wait_until(lambda: len(told) == 2, "the list")
    assert told == [(), ("of.1*",)]
    assert delivery.blocking.version == 1
    offer(delivery, slots(0, 12))

    def balance() -> tuple[int, int, dict[str, int]]:
        found = door.balance()
        return found.generated, found.stored, found.rejected

    wait_until(lambda: balance() == (12, 9, {"withheld": 3}), "the others", balance)
    assert (delivery.counts.given, delivery.counts.blocked) == (12, 3)
    door.close()


def test_what_is_said_of_names_is_sent_with_them(make: Make) -> None:
    told: list[Name] = []
    door = NativeDoor(Greeting(when_described=told.extend))
    door.open()
    delivery = make(door)
    delivery.start()
    said = Name("of.0", Kind.COUNTER, "requests", "team-x")
    delivery.describe([said])
    offer(delivery, slots(0, 1))
    delivery.describe([said])
    offer(delivery, slots(0, 1))
    delivery.describe([said._replace(unit="hits")])
    offer(delivery, slots(0, 1))
    wait_until(lambda: door.balance().stored == 3, "three of them")
    assert [name.unit for name in told] == ["requests", "hits"]
    door.close()


def test_what_does_not_fit_is_given_up_oldest_first_and_known_to_the_ledger(
    make: Make, door: NativeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.close()
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 20_000)
    delivery = make(door, spool_bytes_max=100_000)
    delivery.start()
    for k in range(40):
        offer(delivery, slots(200 * k, 200))
    assert delivery.spool.size_bytes < 120_000
    given_up = delivery.spool.counts.given_up
    assert 0 < given_up < 8000 and given_up % 200 == 0
    end(delivery)
    delivery = make(door, spool_bytes_max=100_000)
    delivery.start()
    door.open()
    wait_until(lambda: door.balance().generated == 8000, "all to be told")
    balance = door.balance()
    assert balance.stored == 8000 - given_up
    assert balance.lost_on_the_way == given_up
    assert "of.7999" in door.house.values() and "of.0" not in door.house.values()


class FullDisk(Files):
    """A disk that refuses while it is told to."""

    full = False

    def append(self, descriptor: int, parts: Any) -> None:
        if self.full:
            half = b"".join(map(bytes, parts))[:7]
            super().append(descriptor, [half])
            raise OSError(errno.ENOSPC, "No space left on device")
        super().append(descriptor, parts)


def test_while_the_disk_is_full_slots_are_sent_from_memory_and_it_recovers(make: Make, door: NativeDoor) -> None:
    disk = FullDisk()
    delivery = make(door, files=disk)
    delivery.start()
    offer(delivery, slots(0))
    disk.full = True
    delivery.offer(slots(5), when_safe=lambda: None)
    arrived(door, 10)
    assert "No space" in delivery.spool.trouble and delivery.problems()
    disk.full = False
    offer(delivery, slots(10))
    arrived(door, 15)
    assert not delivery.problems()
    end(delivery)
    other = NativeDoor()
    other.open()
    again = make(other)
    again.start()
    offer(again, slots(15))
    wait_until(lambda: "of.19" in other.house.values(), "what came after it")
    other.close()


def killed(delivery: Delivery, root: Path) -> str:
    """The spool as an agent that is killed now leaves it."""
    left = root / "left"
    shutil.copytree(delivery.spool.directory, left)
    return str(left)


def test_what_has_positions_is_not_sent_before_the_disk_has_them(make: Make, door: NativeDoor, tmp_path: Path) -> None:
    disk = FullDisk()
    delivery = make(door, files=disk)
    delivery.start()
    offer(delivery, slots(0), log_a="10")
    arrived(door, 5)
    disk.full = True
    told: list[str] = []
    delivery.offer(slots(5), {"log:a": "20"}, lambda: told.append("20"))
    delivery.offer(slots(10), when_safe=lambda: told.append("loose"))
    wait_until(lambda: "of.14" in door.house.values(), "what has no positions")
    wait_until(lambda: not delivery.is_writable, "the disk to have refused")
    left = killed(delivery, tmp_path)
    assert delivery.cursors == {"log:a": "20"} and told == []
    disk.full = False
    arrived(door, 15)
    wait_until(lambda: sorted(told) == ["20", "loose"] and delivery.is_writable, "the disk", lambda: told)
    end(delivery)
    assert make(door).cursors == {"log:a": "20"}
    other = NativeDoor()
    other.open()
    again = make(other, spool=left)
    assert again.cursors == {"log:a": "10"}
    again.start()
    offer(again, slots(5), log_a="20")
    arrived(other, 10)
    other.close()


class UnsafeDisk(Files):
    """A disk that takes what is written and never says that it is safe, or cuts a file, while it is told to."""

    failing = False

    def sync(self, descriptor: int) -> None:
        self._check()
        super().sync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        self._check()
        super().truncate(descriptor, size)

    def _check(self) -> None:
        if self.failing:
            raise OSError(errno.EIO, "Input/output error")


def test_what_a_crash_might_find_on_a_broken_disk_has_no_number_that_others_pass(
    make: Make, door: NativeDoor, tmp_path: Path
) -> None:
    disk = UnsafeDisk()
    delivery = make(door, files=disk)
    delivery.start()
    offer(delivery, slots(0), log_a="10")
    arrived(door, 5)
    disk.failing = True
    delivery.offer(slots(5), {"log:a": "20"}, lambda: None)
    wait_until(lambda: not delivery.is_writable, "the disk to fail")
    delivery.offer(slots(10), when_safe=lambda: None)
    wait_until(lambda: delivery.counts.spooled == 10, "a turn of the spool")
    again = make(door, spool=killed(delivery, tmp_path))
    assert again.cursors == {"log:a": "20"}
    again.start()
    arrived(door, 10)
    end(again)
    disk.failing = False
    end(delivery)


def test_a_disk_that_is_full_for_long_costs_no_memory_for_what_was_sent(make: Make, door: NativeDoor) -> None:
    disk = FullDisk()
    delivery = make(door, files=disk)
    delivery.start()
    disk.full = True
    for k in range(20):
        delivery.offer(slots(5 * k), when_safe=lambda: None)
        arrived(door, 5 * k + 5)
        wait_until(lambda: delivery.spool.waiting() == 0, "the answer")
    assert len(delivery.spool.unwritten(delivery.spool.segment(1 << 30)[0], 0)) <= 2
    disk.full = False
    offer(delivery, slots(100))
    arrived(door, 105)


def test_what_finds_no_room_in_memory_while_the_disk_is_full_is_counted(make: Make, door: NativeDoor) -> None:
    door.close()
    disk = FullDisk()
    delivery = make(door, files=disk, buffer_bytes_max=1 << 16)
    delivery.start()
    offer(delivery, slots(0))
    disk.full = True
    for k in range(1, 40):
        delivery.offer(slots(200 * k, 200), when_safe=lambda: None)
        wait_until(
            lambda given=k: delivery.counts.spooled + delivery.spool.counts.refused >= 5 + 200 * given - 200, "a turn"
        )
    wait_until(lambda: delivery.counts.spooled + delivery.spool.counts.refused == 5 + 200 * 39, "the last turn")
    disk.full = False
    offer(delivery, slots(10_000, 1))
    door.open()
    wait_until(lambda: door.balance().generated == 5 + 200 * 39 + 1, "all to be told")
    assert door.balance().lost_on_the_way == delivery.spool.counts.refused > 0


def test_a_second_agent_does_not_use_the_same_spool(make: Make, door: NativeDoor) -> None:
    make(door)
    with pytest.raises(StartError, match="another process has it open"):
        make(door)


def test_the_same_is_repeated_to_another_system_in_its_words(make: Make, door: NativeDoor) -> None:
    with line_server() as old:
        delivery = make(door, repeats=(Repeat(protocol="carbon", address=str(old.address), prefix="old."),))
        delivery.start()
        offer(delivery, slots(0, 2))
        assert old.wait_for(2) == [b"old.of.0 1 %d\n" % NOW_S, b"old.of.1 1 %d\n" % NOW_S]
        arrived(door, 2)


def test_a_token_from_a_file_and_a_certificate_of_our_own_open_an_encrypted_door(make: Make, tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = self_signed(tmp_path)
    tls.load_cert_chain(certificate, tmp_path / "key.pem")
    door = NativeDoor(Greeting(token="open-sesame"), tls)
    door.open()
    (tmp_path / "token").write_text("open-sesame\n")
    door.address = replace(door.address, scheme="tls")
    delivery = make(door, token_file=str(tmp_path / "token"), tls_ca=str(certificate))
    delivery.start()
    for k in range(3):
        offer(delivery, slots(5 * k))
    arrived(door, 15)
    door.close()


def test_an_agent_with_a_wrong_token_keeps_what_it_has(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_TOKEN", "shut")
    door = NativeDoor(Greeting(token="open"))
    door.open()
    delivery = make(door)
    delivery.start()
    offer(delivery, slots(0))
    wait_until(lambda: door.balance().rejected.get("unauthorized", 0) >= 2, "refusals")
    assert any("token" in problem for problem in delivery.problems())
    assert delivery.spool.waiting() == 5
    door.close()


def test_nobody_else_can_read_the_spool(make: Make, door: NativeDoor) -> None:
    delivery = make(door)
    delivery.start()
    offer(delivery, slots(0))
    assert delivery.spool.directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in delivery.spool.directory.iterdir()} == {0o600}
