"""Lives of an agent's spool made up from seeds, with a plain server that takes what is sent, full disks and power cuts
in them."""

import errno
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from faults import FaultyDisk
from journal import Disk, JournalFiles
from tallystick.agent.spool import Reader, Spool, SpoolLimits
from tallystick.agent.spool import spool as spools
from tallystick.agent.spool.reader import ReplacedError
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.native import messages
from tallystick.native.messages import Name, Slot
from tallystick.native.reading import read_batch, read_names

LIMITS = SpoolLimits(bytes_max=6000, memory_bytes_max=3000)
ALL = 1 << 30
_HEAD = struct.Struct(">II")


@dataclass
class PlainServer:
    """Takes each number of a run once, as a server does; its disk outlives everything."""

    numbers: dict[str, int] = field(default_factory=dict)
    stored: Counter[str] = field(default_factory=Counter)
    generated: int = 0

    def copy(self) -> "PlainServer":
        return PlainServer(dict(self.numbers), self.stored.copy(), self.generated)

    def take(self, run: str, frames: bytes, names: list[Name]) -> int:
        """Frames of a conversation with these names so far; the last number."""
        at = 0
        while at < len(frames):
            size, _ = _HEAD.unpack_from(frames, at)
            message = frames[at + _HEAD.size : at + 4 + size]
            kind, begin = messages.read_long(message, 0)
            if kind == messages.NAMES:
                first, more = read_names(message, begin)
                assert first == len(names), "names are told in order, from the first"
                names += more
            else:
                self._take_batch(run, read_batch(message, begin, names))
            at += 4 + size
        return self.numbers.get(run, 0)

    def _take_batch(self, run: str, batch: Any) -> None:
        if batch.number > self.numbers.get(run, 0):
            self.numbers[run] = batch.number
            self.generated += batch.generated
            self.stored.update(slot.name for slot in batch.slots)


class Conversation:
    """A destination that reads the spool by hand."""

    def __init__(
        self, spool: Spool, server: PlainServer, destination: str, when_taken: Callable[[], None] | None = None
    ) -> None:
        self.reader = Reader(spool, destination)
        self._server = server
        self._when_taken = when_taken
        self._names: list[Name] = []

    def send(self, bytes_max: int, *, answering: bool) -> bool:
        """Send something, and have it answered, or not; False if there was nothing."""
        pieces = self.reader.take(bytes_max)
        last = 0
        for piece in pieces:
            last = self._server.take(self.reader.run, piece.frames, self._names)
        if self._when_taken is not None:
            self._when_taken()
        if answering and last:
            self.reader.answered(last)
        if not pieces and self.reader.advance():
            self._names = []
            return True
        return bool(pieces)


def drained(spool: Spool, server: PlainServer, destination: str) -> None:
    """Everything that waits is sent and answered."""
    conversation = Conversation(spool, server, destination)
    while conversation.send(ALL, answering=True):
        pass
    conversation.reader.close()


def slots(first: int, count: int, name: str = "n") -> list[Slot]:
    return [Slot(f"{name}{k}", Kind.GAUGE, 1000 * k, float(k)) for k in range(first, first + count)]


class SpoolLife:
    """A spool that is filled, read by two destinations, given up in part, closed and opened, on a disk with a journal
    that is full now and then.

    What was given by the end of each offer is known: the position ``offer:`` counts the slots so far, which are given
    again as long as the disk refuses them. Beside these there are loose ones, without a position.
    """

    def __init__(self, seed: int, root: Path) -> None:
        self.choice = random.Random(seed)
        self.clock = ManualClock()
        self.files = FaultyDisk(root)
        self.given = 0
        self.loose = 0
        self.safe: list[tuple[int, int, int]] = [(0, 0, 0)]  # event of the disk, and slots that were safe by then
        self.sent: list[tuple[int, dict[str, PlainServer]]] = []  # event, and what each server had by then
        self.servers = {name: PlainServer() for name in ("a", "b")}
        self.given_up = 0
        self._root = root
        self._note_sent()

    def play(self, steps: int) -> None:
        """Live."""
        while steps > 0:
            spool = opened(self._root, self.clock, self.files)
            conversations = {name: self._conversation(spool, name) for name in self.servers}
            for _ in range(self.choice.randint(3, 12)):
                self._step(spool, conversations)
                steps -= 1
            for conversation in conversations.values():
                conversation.reader.close()
            self.files.recover()
            self._write(spool, is_moody=False)
            spool.close()

    def _step(self, spool: Spool, conversations: dict[str, Conversation]) -> None:
        doing = self.choice.random()
        if doing < 0.3:
            self._write(spool, self.choice.choice([0, 1, 3, 20]))
        elif doing < 0.6:
            count = self.choice.choice([0, 1, 3, 20])
            self.loose += count
            spool.add(slots(self.loose - count, count, "loose"))
            if self.choice.random() < 0.6:
                self._write(spool)
        elif doing < 0.65:
            self.clock.advance(spools.SEGMENT_S)
        else:
            name = self.choice.choice(["a", "a", "a", "b"])
            try:
                conversations[name].send(self.choice.choice([1, 500, ALL]), answering=self.choice.random() < 0.7)
            except ReplacedError:
                conversations[name].reader.close()
                conversations[name] = self._conversation(spool, name)

    def _write(self, spool: Spool, count: int = 0, *, is_moody: bool = True) -> None:
        """Write, with so many more slots that have a position, to a disk that may be full."""
        if is_moody and self.choice.random() < 0.2:
            self.files.recover() if self.files.error else self.files.fail(errno.ENOSPC, "append", "write_whole")
        more = slots(self.given, count)
        cursors = {"offer:": str(self.given + count)} if count else {}
        if spool.write(more, cursors):
            self.given += count
            self.safe.append((self.files.position, self.given, self.loose))
        else:
            assert self.files.error

    def _conversation(self, spool: Spool, name: str) -> Conversation:
        return Conversation(spool, self.servers[name], name, self._note_sent)

    def _note_sent(self) -> None:
        self.sent.append((self.files.position, {name: server.copy() for name, server in self.servers.items()}))


def opened(root: Path, clock: ManualClock, files: JournalFiles | None = None) -> Spool:
    return Spool(root / "spool", ("a", "b"), clock, LIMITS, files)


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 700)


def cut_everywhere(life: SpoolLife, seed: int, root: Path) -> Iterator[None]:
    """Cut the power in each event of a life that was played, and look at what is left."""
    for position in range(len(life.files.events) + 1):
        choice = random.Random(seed * 1_000_003 + position)
        left = root / f"cut{position}"
        left.mkdir()
        Disk(life.files, position, choice).write_to(left)
        check(life, position, left, f"seed {seed}, power cut in event {position}")
        yield


def check(life: SpoolLife, position: int, root: Path, what: str) -> None:
    """What was safe is there or was sent, each slot once, and what was given up is known."""
    servers = [servers for at, servers in life.sent if at <= position][-1]
    safe, loose_safe = [given for at, *given in life.safe if at <= position][-1]
    clock = ManualClock(life.clock.now())
    spool = opened(root, clock)
    known = int(spool.cursors.get("offer:", "0"))
    assert safe <= known <= life.given, f"{what}: {known} known, {safe} of {life.given} safe"
    spool.add(slots(life.given, 1))
    assert spool.write()
    for name, server in servers.items():
        server = server.copy()
        drained(spool, server, name)
        loose = server.generated - known - 1
        assert loose_safe <= loose <= life.loose, f"{what}: {loose} of {life.loose} loose ones told, {loose_safe} safe"
        assert set(server.stored.values()) <= {1}, what
        expected = {f"n{k}" for k in range(known)} | {f"loose{k}" for k in range(life.loose)} | {f"n{life.given}"}
        assert set(server.stored) <= expected, what
        assert f"n{life.given}" in server.stored, what
    assert spool.waiting() == 0, what
    spool.close()
