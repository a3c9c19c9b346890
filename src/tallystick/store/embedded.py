"""`EmbeddedStore`: the store in one process and one directory.

A batch is handed to the log and folded into the head of its retention; every so often the heads are frozen, a new
segment of the log begins, and a maintenance thread writes the frozen tallies as blocks and then drops the older
segments. At start the segments that are left are folded again.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Buffer, Files, hold_directory
from tallystick.kernels.extent import extent
from tallystick.kernels.fold import kinds_present
from tallystick.kernels.packed import Names
from tallystick.model.clock import Clock
from tallystick.model.errors import ForgottenSeriesError, StoreError
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.retention import AggregationRule, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.store.blocks.block_set import BlockSet
from tallystick.store.contents import Contents
from tallystick.store.disk.file_bytes import FileBytes
from tallystick.store.head.heads import Frozen, Heads
from tallystick.store.history import History, Loaded, Overlap
from tallystick.store.loading.loading import Loading
from tallystick.store.log import codec
from tallystick.store.log.log import SERIES_FILE, Log, LogStatus, segment_path, segments
from tallystick.store.log.tallies import encode_tallies
from tallystick.store.names.series_file import mend
from tallystick.store.options import StoreOptions
from tallystick.store.readable import Readable
from tallystick.store.reading.newest import last_values
from tallystick.store.reading.reader import Sources
from tallystick.store.upkeep.lifecycle import Lifecycle
from tallystick.store.upkeep.maintenance import Maintenance


class EmbeddedStore(Readable):
    """A store in a directory of its own; see `tallystick.store.contract.Store` for what it promises.

    Parameters
    ----------
    directory
        Made where there is none.
    rules
        How series are kept.
    aggregation
        What gauges are in coarse slots; by default as when the store was last opened.

    Raises
    ------
    StartError
        If the directory cannot be made or written, or another process has it open.
    StoreError
        If its format is newer than this program, or the series file is damaged.
    """

    def __init__(
        self,
        directory: Path,
        rules: Sequence[RetentionRule],
        clock: Clock,
        options: StoreOptions | None = None,
        files: Files | None = None,
        aggregation: Sequence[AggregationRule] | None = None,
    ) -> None:
        self.options = options or StoreOptions()
        self._directory = directory
        self._rules = rules
        self._aggregation = aggregation
        self._clock = clock
        self._files = files or Files()
        self._lock_file = hold_directory(directory, self._files, "store directory", "store.directory")
        try:
            self._load()
        except BaseException:
            os.close(self._lock_file)  # whoever mends what is wrong can open the directory without a new process
            raise
        self.maintenance = Maintenance(self, clock)

    def _load(self) -> None:
        """Open the blocks, read the series, and fold again what the log has."""
        self.block_set = BlockSet(self._directory, self._files)
        if self._aggregation is None:
            self._aggregation = self.block_set.manifest.aggregation_rules
        self.block_set.follow(self._rules, self._aggregation)
        self._frozen: Frozen = []
        self._frozen_segment = 0
        self.frozen_numbers: list[Numbered] = []
        """How far the batches of senders were taken when the heads were last frozen."""
        self._ingest = threading.RLock()  # appending and freezing: a batch is in the segment that its head belongs to
        self._state = threading.Lock()  # what a read takes at one moment
        log_directory = self._directory / "log"
        self._files.make_directory(log_directory)
        contents = self._contents(log_directory)
        super().__init__(contents.catalog, contents.heads, contents.retentions, self.block_set, self._clock)
        self._gauges, self._senders = contents.gauges, contents.senders
        self._log = Log(
            log_directory,
            self._directory / SERIES_FILE,
            max([self.block_set.manifest.first_segment - 1, *segments(log_directory)]) + 1,
            self._clock,
            series_bytes=contents.series_bytes,
            commit_interval_s=self.options.commit_interval_s,
            queue_bytes_max=self.options.queue_bytes_max,
            files=self._files,
        )
        self.lifecycle = Lifecycle(self._catalog, self._heads, self._gauges, self._log, self._ingest, contents.dead)

    def _contents(self, log_directory: Path) -> Contents:
        contents = Contents(self._rules, self._aggregation or ())
        names = self._directory / SERIES_FILE
        names.touch(0o640)
        with FileBytes(names, self._files) as series_file:
            contents.read_names(series_file, self.block_set.snapshot())
        for number in segments(log_directory):
            path = segment_path(log_directory, number)
            if number < self.block_set.manifest.first_segment:
                self._files.remove(path)
                continue
            with FileBytes(path, self._files) as segment:
                contents.replay(segment, self._clock.now())
        complete = len(self.block_set.readable()) == len(self.block_set.manifest.blocks)
        contents.finish(names, complete=complete)
        try:
            if mend(names, contents, self._files):
                contents.series_bytes = names.stat().st_size
        except OSError as error:
            contents.problems.append(f"cannot write {names}: {error.strerror or error}; it stays as it was")
        for problem in contents.problems:
            self.block_set.add_problem(problem)
        return contents

    @property
    def files(self) -> Files:
        """The disk."""
        return self._files

    @property
    def heads(self) -> Heads:
        """What is in memory, and how each series is kept."""
        return self._heads

    def start(self) -> None:
        """Let the maintenance thread seal, compact and expire."""
        self.maintenance.start()

    def close(self) -> None:
        """Make everything that was appended safe, and let go of the directory. Nothing is sealed: the log has it."""
        self.maintenance.stop()
        self._log.close()
        os.close(self._lock_file)

    def status(self) -> LogStatus:
        """What of the log is not yet safe."""
        return self._log.status()

    def problems(self) -> list[str]:
        """What is wrong with the store now, a sentence each."""
        error = self._log.status().error
        found = [*self.block_set.problems, f"cannot write the log: {error}" if error else ""]
        found += [self.maintenance.problem, self.maintenance.settled.problem]
        return [problem for problem in found if problem]

    def create(self, names: Sequence[str], kinds: Sequence[Kind] | NDArray[np.uint8]) -> NDArray[np.int32]:
        """See `Store.create`. Definitions are in the log's queue before any sample that uses them."""
        with self._ingest:
            defined: list[tuple[NDArray[np.int32], Names]] = []

            def define(fresh: NDArray[np.int32], new: Names) -> None:
                # A reader may ask for a series as soon as its name is found: how it is kept is known before that.
                self.retentions.assign(fresh, new)
                self.lifecycle.born(fresh)
                defined.append((fresh, new))

            ids = self._catalog.create(names, kinds, define)
            for fresh, new in defined:
                self._log.append(codec.encode_define(fresh, new, self._catalog.kinds(fresh)), series=True)
            return ids

    def append(self, batch: SampleBatch, tallies: TallyBatch | None = None, numbered: Numbered | None = None) -> int:
        """See `Store.append`."""
        tallies = tallies if tallies is not None and len(tallies) else None
        if not (len(batch) or tallies or numbered):
            raise StoreError("cannot append an empty batch")
        mask, delta = kinds_present(batch.kind)
        told = [numbered] if numbered else []
        with self._ingest:
            self._log.wait_for_room()  # first: a change of a gauge must not be applied if its batch is then refused
            self._check_living(batch.ids, *((tallies.ids,) if tallies else ()))
            id_end, now_s = self._catalog.id_end, self._clock.now()
            records: list[list[Buffer]] = []
            if len(batch):
                batch = self._gauges.resolve(batch, id_end, self._latest if delta else None)
                records.append(codec.encode_samples(batch))
            if tallies or told:
                records.append(encode_tallies(tallies or TallyBatch.empty(), told))
            ticket = self._log.append(*records, samples=len(batch) + (len(tallies) if tallies else 0))
            self._senders.take(told)
            if len(batch):
                self._heads.take(batch, mask, id_end, now_s)
            if tallies:
                self._gauges.remember(tallies, id_end)
                self._heads.take_tallies(tallies, id_end, now_s)
            return ticket

    def last_number(self, sender: str) -> int:
        """See `Store.last_number`."""
        with self._ingest:
            return self._senders.last(sender)

    def delete(self, ids: NDArray[np.int32]) -> None:
        """See `Store.delete`."""
        self.lifecycle.delete(ids)

    def rename(self, series: int, name: str) -> None:
        """See `Store.rename`."""
        ids = np.array([series], np.int32)
        if not (self._catalog.living(ids)[0] and self.retentions.moves(ids, [name])):
            self.lifecycle.rename(series, name)
            return
        with self.maintenance.paused():  # it must not look at the blocks between the two
            self.block_set.doubt(ids)
            self.retentions.move(series)
            self.lifecycle.rename(series, name)

    def when_forgotten(self, call: Callable[[NDArray[np.int32]], None]) -> None:
        """See `Store.when_forgotten`."""
        self.lifecycle.when_forgotten(call)

    def load(self, history: History, overlap: Overlap = Overlap.SKIP) -> Loaded:
        """See `Store.load`."""
        with self.loading(overlap) as loading:
            return loading.add(history)

    @contextmanager
    def loading(self, overlap: Overlap = Overlap.SKIP) -> Iterator[Loading]:
        """An import of many pieces, which become few blocks; all of it is on disk at the end of the block.

        Nothing is sealed meanwhile: while senders send, a piece at a time is better loaded.
        """
        with self.maintenance.paused():
            loading = Loading(self, overlap, self._clock.now(), self.options.future_limit_s)
            yield loading
            loading.finish()

    def durable(self, ticket: int) -> bool:
        """See `Store.durable`."""
        return self._log.durable(ticket)

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        """See `Store.when_durable`."""
        self._log.when_durable(ticket, call)

    def head_rows(self) -> int:
        """Rows in memory that are not in blocks."""
        return len(self._heads)

    def finish_slots(self, now_s: float) -> None:
        """Finish open slots that have been over for a while."""
        self._heads.finish_slots(now_s)

    def freeze(self) -> tuple[Frozen, int]:
        """Take what the heads hold, still readable, for sealing; return it with the first segment needed without it.

        What was frozen before and never became blocks is returned again. A block must not name a series whose
        definition a crash can still lose, so this waits until all definitions are on disk.

        Raises
        ------
        StoreError
            If the log's disk takes nothing at present.
        """
        with self._ingest:
            self._log.wait_for_room()  # before readers are kept out
            with self._state:
                if not self._frozen:
                    self._frozen_segment = self._log.rotate()
                    ids, values = self._gauges.changing()
                    if len(ids):
                        self._log.append(codec.encode_gauges(ids, values))
                    self.frozen_numbers = self._senders.all()
                    if self.frozen_numbers:
                        self._log.append(encode_tallies(TallyBatch.empty(), self.frozen_numbers))
                    self._frozen = self._heads.freeze()
                frozen, segment = self._frozen, self._frozen_segment
        self._log.sync()
        return frozen, segment

    def thaw(self, publish: Callable[[], None], segment: int) -> None:
        """Forget the frozen tallies at the moment that `publish` makes their blocks readable; drop their segments."""
        with self._state:
            publish()
            self._frozen = []
        self._log.drop_before(segment)

    def _check_living(self, *columns: NDArray[np.int32]) -> None:
        catalog = self._catalog
        dead = []
        for ids in columns:
            if len(ids):
                least, greatest = extent(ids)
                if catalog.gaps or least < 0 or greatest >= catalog.id_end:  # names of another kind have -1
                    dead.append(ids[~catalog.living(ids)])
        if any(len(ids) for ids in dead):
            raise ForgottenSeriesError(np.unique(np.concatenate(dead)).tolist())

    def _latest(self, ids: NDArray[np.int32]) -> NDArray[np.float64]:
        """The last value of each gauge (ids ascending); NaN where there is none."""
        return last_values(self.sources(), ids, self.block_set)

    def sources(self) -> Sources:
        """See `Readable.sources`."""
        with self._state:
            frozen = tuple(t for _, tallies in self._frozen for t in tallies)
            return Sources(self.block_set.snapshot(), frozen, self._heads.all())

    def sync_definitions(self) -> None:
        """Wait until the definitions of all series are on disk; see `Log.sync`."""
        self._log.sync()
