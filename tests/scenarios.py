"""`Scenario`: a store's life, made up from a seed, on a disk that keeps a journal.

Every sample is a power of two that no other sample of its five minutes has, whichever series that belongs to. So the
sum of five minutes, at whatever resolution they are kept, says which samples are in it; the count says whether one is
there twice; and a sample under a wrong name is noticed.
"""

import errno
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from faults import FaultyDisk
from stores import NOW_S
from tallystick.files import Files
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Tally
from tallystick.store.conformance.tallies import NOTHING, tallied_by_sender
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.history import History, Loaded, Overlap
from tallystick.store.options import StoreOptions

STEPS = 18
"""Of a life."""
STEP_S = 300
DAY_S = 86_400
RULES = (
    (
        RetentionRule("fast.*", Retention.parse("10s:1d,1m:60d")),
        RetentionRule("brief.*", Retention.parse("10s:2h,5m:1d")),
        RetentionRule("*", Retention.parse("10s:10d,1m:30d,5m:90d")),
    ),
    (
        RetentionRule("fast.*", Retention.parse("10s:2d,1m:30d,5m:90d")),
        RetentionRule("brief.*", Retention.parse("10s:2h,5m:1d")),
        RetentionRule("*", Retention.parse("1m:60d")),
    ),
)
"""Nothing but ``brief.*`` grows old enough to be forgotten, and all of it can be read in steps of five minutes."""
BRIEF_S = DAY_S
DAYS_MAX = 20
SAMPLES_PER_SLOT_MAX = 50  # a sum of doubles holds 53 bits
NAMES = [f"{place}.{word}" for place in ("web", "fast", "brief") for word in ("a", "b", "c")]
KINDS = {"a": Kind.COUNTER, "b": Kind.TIMING, "c": Kind.GAUGE}
NEVER = 1 << 60
SENDER = "agent"
"""Numbers some of the batches."""


def kind_of(name: str) -> Kind:
    """A name has one kind, whenever it comes."""
    return KINDS[name.rpartition(".")[2][0]]


@dataclass(slots=True)
class Sample:
    """One sample: when it was handed over, and when the store said that it is safe (positions in the journal).

    If its sender numbered the batch that it came in, the number.
    """

    slot: int
    bit: int
    begun: int
    safe: int = NEVER
    number: int = 0


@dataclass(slots=True)
class Change:
    """A name that a series was given, or None for its end; begun and safe as for a sample."""

    name: str | None
    begun: int
    safe: int = NEVER


@dataclass(slots=True)
class Life:
    """All that is known of one series."""

    names: list[Change]
    samples: list[Sample] = field(default_factory=list)

    def names_at(self, position: int) -> list[str | None]:
        """What it may be called after a cut there."""
        safe = [k for k, change in enumerate(self.names) if change.safe <= position]
        first = safe[-1] if safe else 0
        return [change.name for change in self.names[first:] if change.begun <= position]


class QuietFiles(Files):
    """The real disk without waiting for it: nothing fails while a state is looked at."""

    def sync(self, descriptor: int) -> None:
        pass

    def sync_directory(self, path: Path) -> None:
        pass


class Scenario:
    """Plays a store's life and remembers what was written, and what was acknowledged, at which event.

    Parameters
    ----------
    seed
        Everything that happens follows from it, but for how the log's thread groups its writes.
    root
        An empty directory; the store is in ``store`` below it.
    files
        The disk.
    """

    def __init__(self, seed: int, root: Path, files: FaultyDisk | None = None) -> None:
        self.choice = random.Random(seed)
        self._senders = random.Random(seed)  # of their own: lives of seeds that once failed stay as they were
        self.root = root
        self.files = files or FaultyDisk(root)
        self.clock = ManualClock(float(NOW_S))
        self.rules = RULES[0]
        self.times: list[tuple[int, float]] = [(0, self.clock.time_s)]
        self.lives: list[Life] = []
        self.living: dict[str, Life] = {}
        self.used: dict[int, int] = defaultdict(int)  # samples in a slot
        self.unsafe: list[Sample] = []
        self.ticket = 0
        self.number = 0
        self._crowd = 0
        self.store = self._open()

    def play(self, steps: int) -> None:
        """Live so many steps and close the store."""
        actions = [action for action, weight in self.actions().items() for _ in range(weight)]
        self.write()
        for _ in range(steps):
            self.choice.choice(actions)()
        self.files.recover()
        self.close()

    def actions(self) -> dict[Callable[[], None], int]:
        """What may happen, and how often."""
        return {
            self.write: 8,
            self.write_without_waiting: 3,
            self.begin_many: 2,
            self.seal: 4,
            self.compact: 3,
            self.let_time_pass: 3,
            self.reopen: 2,
            self.refuse: 1,
            self.delete: 2,
            self.rename: 2,
            self.load: 2,
        }

    def write(self) -> None:
        """Append samples and wait until the disk has them, unless it refuses."""
        self.write_without_waiting()
        self.wait()

    def begin_many(self) -> None:
        """Let a crowd of new series come, so that their definitions fill several records and sectors."""
        for _ in range(3):
            self._crowd += 1
            place = self.choice.choice(["web", "fast", "brief"])
            self._append([f"{place}.{word}{self._crowd}{'x' * self.choice.randint(0, 150)}" for word in "abcabc"])

    def write_without_waiting(self) -> None:
        """Append samples of some series."""
        self._append(self.choice.sample(NAMES, self.choice.randint(1, 5)))

    def _append(self, names: list[str]) -> None:
        kinds = [kind_of(name) for name in names]
        for name in names:
            if name not in self.living:
                self._begin(name)
        ids = self.store.create(names, kinds)
        rows, made = [], []
        for _ in range(self.choice.randint(1, 12)):
            k = self.choice.randrange(len(names))
            second = self._second(names[k])
            sample = self._sample(second)
            if sample is not None:
                made.append((self.living[names[k]], sample))
                rows.append((ids[k], second * 1000, float(sample.bit), kinds[k]))
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        for life, sample in made:
            life.samples.append(sample)
        try:
            batch = SampleBatch.of(*columns[:3], kind=columns[3])
            if self._senders.random() < 0.3:  # their sender may have tallied them
                numbered = Numbered(SENDER, self.number + 1)
                self.ticket = self.store.append(NOTHING, tallied_by_sender(batch, 1), numbered)
                self.number += 1
                for _, sample in made:
                    sample.number = self.number
            else:
                self.ticket = self.store.append(batch)
        except StoreError:
            for life, sample in made:
                life.samples.remove(sample)
            assert self.files.failed.is_set(), "only a disk that refuses keeps a store from taking samples"
            return
        self.unsafe += [sample for _, sample in made]

    def wait(self) -> None:
        """Wait until all that was appended is safe; while the disk refuses that does not come."""
        if self.files.error or not self.unsafe:
            return
        done = threading.Event()
        self.store.when_durable(self.ticket, done.set)
        assert done.wait(30), "the log did not commit"
        self._all_safe()

    def seal(self) -> None:
        with self._perhaps_refused():
            self.store.maintenance.seal()

    def compact(self) -> None:
        with self._perhaps_refused():
            self.store.maintenance.compact()

    def let_time_pass(self) -> None:
        hours = self.choice.choice([0.1, 0.5, 2, 3, 30, 100])
        if self.clock.time_s + hours * 3600 < NOW_S + DAYS_MAX * DAY_S:
            self.clock.advance(hours * 3600)
            self.times.append((self.files.position, self.clock.time_s))

    def delete(self) -> None:
        """Delete a series; its name may come again, as another one."""
        if self.files.error:
            return
        self.wait()
        name = self.choice.choice(sorted(self.living))
        change = Change(None, self.files.position)
        self.living.pop(name).names.append(change)
        self.store.delete(self.store.catalog.find(name))
        change.safe = self.files.position

    def rename(self) -> None:
        """Give a series a name that is kept longer, shorter or just as long."""
        if self.files.error:
            return
        self.wait()
        old = self.choice.choice(sorted(self.living))
        ids = self.store.catalog.find(old)
        if not len(ids):  # it was brief, and is forgotten
            return
        self._crowd += 1
        new = f"{self.choice.choice(['web', 'fast', 'brief'])}.{old.rpartition('.')[2][0]}{self._crowd}renamed"
        life = self.living[new] = self.living.pop(old)
        change = Change(new, self.files.position)
        life.names.append(change)
        self.store.rename(int(ids[0]), new)
        change.safe = self.files.position

    def load(self) -> None:
        """Bring history of a series."""
        if self.files.error:
            return
        self.wait()
        name = self.choice.choice(NAMES)
        if name not in self.living:
            self._begin(name)
        seconds = {self._second(name) // 10: None for _ in range(8)}
        made = {slot: self._sample(slot * 10) for slot in sorted(seconds)}
        samples = {slot: sample for slot, sample in made.items() if sample is not None}
        if not samples:
            return
        self.living[name].samples += samples.values()
        slots, values = np.array(list(samples)), np.array([float(sample.bit) for sample in samples.values()])
        tally = Tally(10, np.zeros(len(slots), np.int32), slots, values)
        loaded = self.store.load(History([name], [kind_of(name)], tally), Overlap.MERGE)
        assert loaded == Loaded(taken=len(slots)), loaded
        for sample in samples.values():
            sample.safe = self.files.position

    def reopen(self) -> None:
        """Close and open again, sometimes with other rules."""
        self.files.recover()
        self.close()
        if self.choice.random() < 0.3:
            self.rules = self.choice.choice(RULES)
        self.store = self._open()

    def refuse(self) -> None:
        """Let the disk refuse some operation for a few steps, and work again."""
        if self.files.error:
            self.files.recover()
            return
        self.wait()
        number = self.choice.choice([errno.ENOSPC, errno.EIO])
        refused = self.choice.choice([["append", "write_whole"], ["sync"], ["write_whole"], []])
        self.files.fail(number, *refused)

    @contextmanager
    def _perhaps_refused(self) -> Iterator[None]:
        try:
            yield
        except (OSError, StoreError):
            assert self.files.failed.is_set(), "only a disk that refuses keeps a store from its work"

    def _open(self) -> EmbeddedStore:
        return open_quietly(self.root / "store", self.clock, self.rules, self.files)

    def close(self) -> None:
        """Close the store: all that it took is safe."""
        self.store.close()
        self._all_safe()

    def _all_safe(self) -> None:
        position = self.files.position
        for sample in self.unsafe:
            sample.safe = position
        self.unsafe.clear()

    def _begin(self, name: str) -> None:
        life = Life([Change(name, self.files.position)])
        self.lives.append(life)
        self.living[name] = life

    def _second(self, name: str) -> int:
        """When a sample is: usually now, sometimes hours or days ago."""
        now = int(self.clock.time_s)
        back = [0, 0, 5, 20, 60] if name.startswith("brief") else [0, 0, 5, 20, 600, 4 * 3600, 2 * DAY_S]
        return now - self.choice.choice(back) - self.choice.randint(0, 60)

    def _sample(self, second: int) -> Sample | None:
        slot = second // STEP_S
        if self.used[slot] == SAMPLES_PER_SLOT_MAX:
            return None
        self.used[slot] += 1
        return Sample(slot, 1 << (self.used[slot] - 1), self.files.position)

    def time_at(self, position: int) -> float:
        """What the clock said at an event."""
        return next(time_s for since, time_s in reversed(self.times) if since <= position)


def open_quietly(directory: Path, clock: ManualClock, rules: Sequence[RetentionRule], files: Files) -> EmbeddedStore:
    """A store whose clock stands still and that seals only when told to."""
    return EmbeddedStore(directory, rules, clock, StoreOptions(commit_interval_s=0.001), files)
