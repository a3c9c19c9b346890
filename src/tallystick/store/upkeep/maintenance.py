"""The thread that seals, compacts, rolls up, expires and forgets."""

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import msgspec

from tallystick.files import Files
from tallystick.model.clock import Clock
from tallystick.store.blocks.block_set import BlockSet
from tallystick.store.disk.manifest import BlockEntry
from tallystick.store.head.heads import Frozen
from tallystick.store.names.catalog import SeriesCatalog
from tallystick.store.options import StoreOptions
from tallystick.store.reading.reader import Sources
from tallystick.store.rules.retentions import Retentions
from tallystick.store.rules.settled import SettledClock
from tallystick.store.upkeep import compaction, purging, reshaping
from tallystick.store.upkeep.lifecycle import Lifecycle
from tallystick.store.upkeep.scrub import Scrub
from tallystick.store.upkeep.sealing import seal

logger = logging.getLogger(__name__)

_TICK_S = 1.0
_TRY_AGAIN_S = 60.0
_FIRST_SEAL_S = 60.0


class Maintained(Protocol):
    """What maintenance needs of a store."""

    @property
    def block_set(self) -> BlockSet: ...

    @property
    def catalog(self) -> SeriesCatalog: ...

    @property
    def lifecycle(self) -> Lifecycle: ...

    @property
    def files(self) -> Files: ...

    @property
    def retentions(self) -> Retentions: ...

    @property
    def options(self) -> StoreOptions: ...

    def sources(self) -> Sources:
        """All that the store has, at one moment."""
        ...

    def head_rows(self) -> int:
        """Rows in memory that are not in blocks."""
        ...

    def finish_slots(self, now_s: float) -> None:
        """Finish open slots that have been over for a while."""
        ...

    def freeze(self) -> tuple[Frozen, int]:
        """Take what the heads hold for sealing, and the first log segment that is needed without it."""
        ...

    def thaw(self, publish: Callable[[], None], segment: int) -> None:
        """Forget what was frozen at the moment that `publish` makes its blocks readable; drop its segments."""
        ...


class Maintenance:
    """Keeps a store small; every step can also be called by itself.

    An error of the disk is logged and named among the store's problems, and the step is tried again later: the frozen
    head stays readable and its log segments stay.
    """

    def __init__(self, store: Maintained, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.settled = SettledClock(clock, store.block_set.known_s())
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._sealed_at_s = clock.monotonic()
        self._tried_at_s = clock.monotonic()
        self._working = threading.Lock()
        self._scrubbing: tuple[Scrub, Iterator[int]] | None = None
        self._moved = 0  # of the names with another retention, those from before the last sealing
        self.problem = ""

    def start(self) -> None:
        """Begin.

        What an earlier life left in the log is sealed soon: a server whose lives are all shorter than the interval
        would never do it, and replay more at each start.
        """
        if self._store.head_rows():
            self._sealed_at_s -= max(self._store.options.seal_interval_s - _FIRST_SEAL_S, 0.0)
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the step at hand."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is sealed, compacted or forgotten meanwhile."""
        with self._working:
            yield

    @contextmanager
    def sealed(self) -> Iterator[None]:
        """Everything in the heads is written as blocks, and until the end nothing else is changed."""
        with self._working:
            self._seal()
            yield

    def seal(self) -> None:
        """Write everything in the heads as blocks."""
        with self._working:
            self._seal()

    def compact(self) -> int:
        """Do all that compaction has planned; return how many jobs that were."""
        with self._working:
            return self._compact()

    def _seal(self) -> None:
        store = self._store
        store.block_set.settle()
        store.block_set.note(settled_s=self.settled.now())
        moved = store.retentions.moved
        frozen, segment = store.freeze()
        kinds, living = store.catalog.kinds_by_id(), store.catalog.living_by_id()
        entries: list[BlockEntry] = []
        try:
            for retention, tallies in frozen:
                entries.extend(seal(tallies, retention, kinds, living, store.block_set, store.files))
        except BaseException:
            store.block_set.discard(entries)  # they are written again under other numbers, on a disk that may be full
            raise
        if moved > self._moved:  # some of it was taken under a name with another retention
            entries = [msgspec.structs.replace(entry, stale=True) for entry in entries]
        store.thaw(lambda: store.block_set.change(add=entries, first_segment=segment), segment)
        self._moved = moved
        store.retentions.unsealed.clear()  # no series is renamed meanwhile
        self._sealed_at_s = self._clock.monotonic()

    def _compact(self, *, patient: bool = True) -> int:
        """Do what is planned; without patience only until the next sealing is due, which bounds the head."""
        store = self._store
        store.block_set.settle()
        done = self._split()

        def may_go_on() -> bool:
            return not self._stopping.is_set() and (patient or not self._seal_is_due())

        while may_go_on():
            self._expire()
            now_s = self._clock.now()
            kinds, living = store.catalog.kinds_by_id(), store.catalog.living_by_id()
            entries = store.block_set.readable()
            fold = reshaping.plan(entries, store.block_set.manifest.blocks)
            if fold is not None:
                reshaping.run(fold, kinds, living, store.block_set, store.files)
                done += 1
                continue
            # As many as there are are planned at once: after a back-fill there are thousands of windows.
            jobs = compaction.plan(entries, now_s) or purging.plan(store.block_set.snapshot(), living)
            if not jobs:
                break
            for job in itertools.takewhile(lambda _: may_go_on(), jobs):
                compaction.run(job, store.block_set, kinds, living, store.files)
                done += 1
        store.lifecycle.tidy(store.block_set.manifest, store.sources())
        return done

    def _scrub(self) -> None:
        """Go on verifying checksums, a second's worth; begin when the last time is long enough ago."""
        options, block_set = self._store.options, self._store.block_set
        if self._scrubbing is None:
            due_s = block_set.manifest.scrubbed_s + options.scrub_interval_s
            if not options.scrub_interval_s or self.settled.now() < due_s:
                return
            scrub = Scrub(block_set.directory, block_set.manifest, self._store.files, block_set.set_aside)
            self._scrubbing = (scrub, iter(scrub))
        scrub, pieces = self._scrubbing
        left = options.scrub_bytes_per_s * _TICK_S
        while left > 0:
            read = next(pieces, None)
            if read is None:
                self._scrubbing = None
                block_set.note(settled_s=self.settled.now(), scrubbed_s=self.settled.now())
                block_set.scrubbed(scrub.problems)
                return
            left -= read

    def _split(self) -> int:
        """Give the blocks that rules or names have changed for to the retentions that their series have now."""
        store = self._store
        kinds, living = store.catalog.kinds_by_id(), store.catalog.living_by_id()
        stale = reshaping.settle(store.block_set, store.retentions, living, self.settled.now())
        for done, block in enumerate(stale):
            if self._stopping.is_set():
                return done
            reshaping.split(block, store.retentions, self.settled.now(), kinds, living, store.block_set, store.files)
        return len(stale)

    def _expire(self) -> None:
        over = compaction.expired(self._store.block_set.manifest.blocks, self.settled.now())
        if over:
            self._store.block_set.change(remove=over)

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_S):
            try:
                self._tick()
            except Exception as error:
                # Whatever it is, the data stays readable where it is, and the next try may find the cause gone.
                self.problem = f"cannot write blocks: {error}"
                logger.exception("cannot write blocks")
                self._stopping.wait(10 * _TICK_S)

    def _tick(self) -> None:
        store = self._store
        store.finish_slots(self._clock.now())
        self.settled.now()  # it has to see a jump when it happens
        self._scrub()
        if self._clock.monotonic() - self._tried_at_s >= _TRY_AGAIN_S:
            self._tried_at_s = self._clock.monotonic()
            store.block_set.try_unreadable()
        if self._seal_is_due():
            with self._working:
                living = store.catalog.living_by_id()
                reshaping.settle(store.block_set, store.retentions, living, self.settled.now())
                self._expire()  # first: it makes room on a disk that is full
                self._seal()
                self._compact(patient=False)
            self.problem = ""

    def _seal_is_due(self) -> bool:
        options = self._store.options
        late = self._clock.monotonic() - self._sealed_at_s >= options.seal_interval_s
        return late or self._store.head_rows() > options.head_rows_max
