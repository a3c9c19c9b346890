"""The disk refuses at each writing operation in turn, once or for a while, and each read fails in turn: nothing
acknowledged is lost, and when the disk works again the store does too, by itself."""

import errno
import threading
from pathlib import Path

import pytest

from faults import FaultyDisk
from inspection import Content, Inspection, content_of
from journal import tree
from power_cuts import memory_directory
from scenarios import RULES, QuietFiles, Scenario, open_quietly
from tallystick.model.errors import StoreError
from tallystick.store.log import log

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]

SEED = 3
NEVER = 1 << 60
AFTER = 25
"""A disk that is full stays so for this many operations."""


@pytest.fixture(autouse=True)
def no_long_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_RETRY_S", 0.001)


class FailingInTurn(FaultyDisk):
    """A disk that refuses some writing operations in a row, and works again."""

    def __init__(self, root: Path, number: int = errno.EIO) -> None:
        super().__init__(root)
        self._first, self._count, self._number = NEVER, 0, number
        self.done = 0
        self._counting = threading.Lock()

    def _refuses(self, operation: str, target: int | Path) -> bool:
        with self._counting:
            refused = self._first <= self.done < self._first + self._count
            self.done += 1
            if refused:
                self.fail(self._number)
            elif self.error:
                self.recover()
        return refused

    def refuse_from(self, first: int, count: int) -> None:
        """Refuse so many operations, after so many more."""
        with self._counting:
            self._first, self._count = self.done + first, count


class Life(Scenario):
    """A life on a disk that refuses by itself."""

    def wait(self) -> None:
        """Wait until all is safe: the disk works again in the end."""
        if self.unsafe:
            done = threading.Event()
            self.store.when_durable(self.ticket, done.set)
            assert done.wait(30), "the log did not commit"
            self._all_safe()

    def live(self) -> None:
        """The same steps each time."""
        for action in (self.write, self.seal, self.write, self.begin_many, self.seal):
            action()
        self.clock.advance(3 * 3600.0)
        for action in (self.compact, self.write):
            action()


def operations(root: Path) -> int:
    """How many there are in a life in which none is refused."""
    disk = FailingInTurn(root)
    life = Life(SEED, root, disk)
    begun = disk.done
    life.live()
    life.close()
    return disk.done - begun


@pytest.mark.parametrize(("count", "number"), [(1, errno.EIO), (AFTER, errno.ENOSPC)])
def test_a_disk_that_refuses_at_any_operation_costs_nothing_acknowledged(tmp_path: Path, count: int, number: int):
    with memory_directory() as name:
        total = operations(Path(name))
    for first in range(0, total, 1 if count == 1 else 4):
        with memory_directory() as name:
            disk = FailingInTurn(Path(name), number)
            life = Life(SEED, Path(name), disk)
            disk.refuse_from(first, count)
            life.live()
            disk.refuse_from(NEVER, 0)
            what = f"operations {first} to {first + count} of {total} refused"
            life.write()
            life.store.maintenance.seal()
            life.store.maintenance.compact()
            assert life.store.problems() == [], what
            inspection = Inspection(life, NEVER - 1, RULES[0], what)
            inspection.compare(content_of(life.store, life.clock), numbered=False)
            life.close()
            inspection.check(Path(name), go_on=False)


class FailingRead(QuietFiles):
    """A disk on which one read fails, and with `for_good` all later ones of that place."""

    def __init__(self, at: int, *, for_good: bool) -> None:
        self._at, self._for_good = at, for_good
        self.reads = 0
        self._bad: tuple[str, int, int] | None = None

    def read(self, descriptor: int, at: int, size: int) -> bytes:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if self.reads == self._at:
            self._bad = path, at, at + min(size, 512)
        failing = self._bad is not None and self._bad[0] == path and at < self._bad[2] and at + size > self._bad[1]
        self.reads += 1
        if failing and (self._for_good or self.reads - 1 == self._at):
            raise OSError(errno.EIO, "Input/output error")
        return super().read(descriptor, at, size)


@pytest.mark.parametrize("for_good", [False, True])
def test_a_read_that_fails_is_tried_again_or_named_and_never_changes_an_answer(tmp_path: Path, for_good: bool):
    scenario = Scenario(SEED, tmp_path)
    for action in (scenario.begin_many, scenario.write, scenario.seal, scenario.write) * 4:
        action()
    scenario.close()
    files = tree(tmp_path / "store")
    counting = FailingRead(NEVER, for_good=False)
    expected, _ = contents(scenario, files, counting)
    assert counting.reads > 10
    for at in range(counting.reads):
        what = f"read {at} of {counting.reads} fails, {for_good=}"
        try:
            found, problems = contents(scenario, files, FailingRead(at, for_good=for_good))
        except StoreError as error:
            assert for_good, f"{what}: {error}"
            continue
        if found != expected:
            assert for_good, f"{what}: what is read a second time is missing"
            assert problems, f"{what}: samples are missing, and nothing is said"
            for series, slots in found.items():
                for slot, (bits, count) in slots.items():
                    assert bits & ~expected[series][slot][0] == 0, what
                    assert count == bits.bit_count(), what


def contents(scenario: Scenario, files: dict[str, bytes], disk: FailingRead) -> tuple[Content, list[str]]:
    """What a store of these files serves, and what it says is wrong."""
    with memory_directory() as name:
        for path, data in files.items():
            (Path(name) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(name) / path).write_bytes(data)
        store = open_quietly(Path(name), scenario.clock, scenario.rules, disk)
        try:
            return content_of(store, scenario.clock), store.problems()
        finally:
            store.close()
