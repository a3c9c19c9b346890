"""`EmbeddedStore`: the store in one process and one directory.

A batch is handed to the log and folded into the head of its retention; every so often the heads are frozen, a new
segment of the log begins, and a maintenance thread writes the frozen tallies as blocks and then drops the older
segments. At start the segments that are left are folded again.
"""

import fcntl
import logging
import mmap
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.fold import kinds_present, remember_gauges, resolve_deltas
from tallystick.model.clock import Clock
from tallystick.model.errors import StartError, StoreError
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Tally
from tallystick.store import codec
from tallystick.store.blocks import BlockSet
from tallystick.store.catalog import SeriesCatalog
from tallystick.store.files import Files
from tallystick.store.head import Head
from tallystick.store.log import SERIES_FILE, Log, LogStatus, segment_path, segments
from tallystick.store.maintenance import Maintenance
from tallystick.store.reading import Range, Reader, Sources
from tallystick.store.record import Scan
from tallystick.store.series_file import lost_definitions, read_series

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store works.

    Parameters
    ----------
    commit_interval_s
        Longest time between taking a sample and its being safe on disk.
    seal_interval_s
        How often the head becomes blocks.
    head_rows_max
        The head is sealed earlier when it has this many rows: it bounds memory at about 12 bytes a row.
    queue_bytes_max
        Bytes that may wait for the log.
    """

    commit_interval_s: float = 0.2
    seal_interval_s: float = 600.0
    head_rows_max: int = 60_000_000
    queue_bytes_max: int = 256 << 20


class EmbeddedStore:
    """A store in a directory of its own; see `tallystick.store.contract.Store` for what it promises.

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
    ) -> None:
        self.options = options or StoreOptions()
        self._directory = directory
        self._rules = _reachable(rules)
        self._clock = clock
        self._files = files or Files()
        self._lock_file = _lock(directory)
        try:
            self._load()
        except BaseException:
            os.close(self._lock_file)  # whoever mends what is wrong can open the directory without a new process
            raise
        self.maintenance = Maintenance(self, clock)

    def _load(self) -> None:
        """Open the blocks, read the series, and fold again what the log has."""
        self.block_set = BlockSet(self._directory, self._files)
        self._retentions: list[Retention] = []
        self._heads: list[Head] = []
        self._retention_of = np.empty(0, np.int16)
        self._frozen: list[tuple[Retention, list[Tally]]] = []
        self._frozen_segment = 0
        self._gauges = np.empty(0)
        self._changing = np.empty(0, np.bool_)  # gauges that were ever changed by a difference
        self._ingest = threading.RLock()  # appending and freezing: a batch is in the segment that its head belongs to
        self._state = threading.Lock()  # what a read takes at one moment
        self._catalog = SeriesCatalog()
        for rule in self._rules:
            self._head_for(rule.retention)
        self._load_series()
        self._replay()
        log_directory = self._directory / "log"
        log_directory.mkdir(exist_ok=True)
        self._log = Log(
            log_directory,
            self._directory / SERIES_FILE,
            max([self.block_set.manifest.first_segment - 1, *segments(log_directory)]) + 1,
            self._clock,
            commit_interval_s=self.options.commit_interval_s,
            queue_bytes_max=self.options.queue_bytes_max,
            files=self._files,
        )

    @property
    def catalog(self) -> SeriesCatalog:
        """The names."""
        return self._catalog

    @property
    def files(self) -> Files:
        """The disk."""
        return self._files

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
        found = [*self.block_set.problems, f"cannot write the log: {error}" if error else "", self.maintenance.problem]
        return [problem for problem in found if problem]

    def create(self, names: Sequence[str], kinds: Sequence[Kind]) -> NDArray[np.int32]:
        """See `Store.create`. Definitions are in the log's queue before any sample that uses them."""
        with self._ingest:
            before = len(self._catalog)
            ids = self._catalog.create(names, kinds)
            new = len(self._catalog) - before
            if new:
                fresh = np.arange(before, before + new, dtype=np.int32)
                defined = [name.encode() for name in self._catalog.names(fresh)]
                self._assign_retention(defined)
                self._log.append(codec.encode_series(before, defined, self._catalog.kinds(fresh)), series=True)
            return ids

    def append(self, batch: SampleBatch) -> int:
        """See `Store.append`."""
        if not len(batch):
            raise StoreError("cannot append an empty batch")
        mask, delta = kinds_present(batch.kind)
        with self._ingest:
            self._log.wait_for_room()  # first: a change of a gauge must not be applied if its batch is then refused
            batch = self._resolved(batch, delta)
            ticket = self._log.append(codec.encode_samples(batch), samples=len(batch))
            self._fold(batch, mask)
            return ticket

    def durable(self, ticket: int) -> bool:
        """See `Store.durable`."""
        return self._log.durable(ticket)

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        """See `Store.when_durable`."""
        self._log.when_durable(ticket, call)

    def retention(self, series: int) -> Retention:
        """See `Store.retention`."""
        return self._retentions[int(self._retention_of[series])]

    def steps(self, ids: NDArray[np.int32], age_s: float) -> NDArray[np.int64]:
        """See `Store.steps`."""
        by_retention = np.array([r.covering(age_s).step_s for r in self._retentions], np.int64)
        return by_retention[self._retention_of[ids]]

    def read(
        self,
        ids: NDArray[np.int32],
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, NDArray[np.float64]]:
        """See `Store.read`."""
        ascending, back = np.unique(ids, return_inverse=True)
        found = self._reader(ascending, start_s, until_s, step_s).read(statistics)
        in_order = len(ascending) == len(ids) and bool((ascending == ids).all())
        return found if in_order else {s: values[back] for s, values in found.items()}

    def percentiles(
        self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int, ranks: Sequence[float]
    ) -> dict[float, NDArray[np.float64]]:
        """See `Store.percentiles`."""
        ascending, back = np.unique(ids, return_inverse=True)
        found = self._reader(ascending, start_s, until_s, step_s).percentiles(ranks)
        return {rank: values[back] for rank, values in found.items()}

    def head_rows(self) -> int:
        """Rows in memory that are not in blocks."""
        return sum(len(head) for head in self._heads)

    def finish_slots(self, now_s: float) -> None:
        """Finish open slots that have been over for a while."""
        for head in self._heads:
            head.finish_before(int(now_s) // head.step_s - 1)

    def freeze(self) -> tuple[list[tuple[Retention, list[Tally]]], int]:
        """Take what the heads hold, still readable, for sealing; return it with the first segment needed without it.

        What was frozen before and never became blocks is returned again.
        """
        with self._ingest, self._state:
            if not self._frozen:
                self._frozen_segment = self._log.rotate()
                changing = np.flatnonzero(self._changing).astype(np.int32)
                if len(changing):
                    self._log.append(codec.encode_gauges(changing, self._gauges[changing]))
                # Readers that took the old heads a moment ago go on reading them: nothing leaves a head.
                full, self._heads = self._heads, [Head(head.step_s) for head in self._heads]
                self._frozen = [
                    (retention, head.finish_all()) for retention, head in zip(self._retentions, full, strict=True)
                ]
            return self._frozen, self._frozen_segment

    def thaw(self, publish: Callable[[], None], segment: int) -> None:
        """Forget the frozen tallies at the moment that `publish` makes their blocks readable; drop their segments."""
        with self._state:
            publish()
            self._frozen = []
        self._log.drop_before(segment)

    def _reader(self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int) -> Reader:
        with self._state:
            frozen = tuple(t for _, tallies in self._frozen for t in tallies)
            sources = Sources(self.block_set.snapshot(), frozen, tuple(self._heads))
        finest = np.array([r.step_s for r in self._retentions])[self._retention_of[ids]] == step_s
        wanted = Range(start_s // step_s, -(-until_s // step_s), step_s)
        return Reader(sources, self.block_set, ids, self._catalog.kinds(ids), finest, wanted)

    def _fold(self, batch: SampleBatch, mask: int) -> None:
        n_series, now_s = len(self._catalog), self._clock.now()
        if len(self._heads) == 1:
            self._heads[0].fold(batch, mask, n_series, now_s)
            return
        of = self._retention_of[batch.ids]
        for k, head in enumerate(self._heads):
            part = batch.take(of == k)
            if len(part):
                head.fold(part, mask, n_series, now_s)

    def _resolved(self, batch: SampleBatch, delta: bool) -> SampleBatch:
        """The batch with changes of gauges turned into values; remembers the value of every gauge."""
        if len(self._catalog) > len(self._gauges):
            more = max(len(self._catalog), 2 * len(self._gauges)) - len(self._gauges)
            self._gauges = np.concatenate([self._gauges, np.full(more, np.nan)])
            self._changing = np.concatenate([self._changing, np.zeros(more, np.bool_)])
        if not delta:
            remember_gauges(batch.ids, batch.kind, batch.value, Kind.GAUGE, self._gauges)
            return batch
        changed = np.unique(batch.ids[batch.kind > GAUGE_DELTA - 1])
        self._changing[changed] = True
        unknown = changed[np.isnan(self._gauges[changed])]
        if len(unknown):
            self._gauges[unknown] = self._latest(unknown)
        value = np.empty(len(batch))
        resolve_deltas(batch.ids, batch.kind, batch.value, GAUGE_DELTA, Kind.GAUGE, self._gauges, value)
        return SampleBatch(batch.ids, batch.timestamp, value, batch.weight, batch.kind & np.uint8(127))

    def _latest(self, ids: NDArray[np.int32]) -> NDArray[np.float64]:
        """The last value of each series that is still in memory; NaN where there is none."""
        latest = np.full(len(ids), np.nan)
        newest = np.full(len(ids), np.iinfo(np.int64).min)
        for head in self._heads:
            for tally in head.of_series(ids, 0, 1 << 62, histograms=False):
                later = tally.slot >= newest[tally.series]
                newest[tally.series[later]] = tally.slot[later]
                latest[tally.series[later]] = tally.last[later]
        return latest

    def _head_for(self, retention: Retention) -> int:
        if retention not in self._retentions:
            self._retentions.append(retention)
            self._heads.append(Head(retention.step_s))
        return self._retentions.index(retention)

    def _assign_retention(self, names: list[bytes]) -> None:
        if len(self._rules) == 1:
            assigned = np.zeros(len(names), np.int16)
        else:
            assigned = np.array([self._retention_index(name.decode()) for name in names], np.int16)
        self._retention_of = np.concatenate([self._retention_of, assigned])

    def _retention_index(self, name: str) -> int:
        for rule in self._rules:
            if rule.matches(name):
                return self._head_for(rule.retention)
        return self._head_for(self._rules[-1].retention)

    def _load_series(self) -> None:
        for names, kinds in read_series(self._directory / SERIES_FILE):
            self._catalog.create([name.decode() for name in names], [Kind(k) for k in kinds.tolist()])
            self._assign_retention(names)
        for open_block in self.block_set.snapshot():
            self._check_defined(open_block.block.series[-1:])

    def _check_defined(self, ids: NDArray[np.int32]) -> None:
        """See that series are defined: damage at the end of the series file looks like a torn write."""
        if len(ids) and int(ids.max()) >= len(self._catalog):
            raise lost_definitions(self._directory / SERIES_FILE, len(self._catalog), int(ids.max()))

    def _replay(self) -> None:
        """Fold again what the log has and no block has."""
        directory = self._directory / "log"
        if not directory.exists():
            return
        n_series = len(self._catalog)
        self._gauges, self._changing = np.full(n_series, np.nan), np.zeros(n_series, np.bool_)
        for segment in segments(directory):
            path = segment_path(directory, segment)
            if segment < self.block_set.manifest.first_segment:
                self._files.remove(path)
            elif path.stat().st_size:
                self._replay_segment(path)

    def _replay_segment(self, path: Path) -> None:
        n_series = len(self._catalog)
        kinds = self._catalog.kinds(np.arange(n_series, dtype=np.int32))
        with path.open("rb") as file:
            scan = Scan(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        for payload in scan:
            self._check_defined(codec.ids_of(payload))
            if codec.record_type(payload) == codec.GAUGES:
                ids, values = codec.decode_gauges(payload)
                self._gauges[ids], self._changing[ids] = values, True
                continue
            batch = codec.decode_samples(payload, kinds)
            self._fold(self._resolved(batch, delta=False), kinds_present(batch.kind)[0])
        if scan.damaged_bytes:
            self.block_set.problems.append(f"cannot read {scan.damaged_bytes} bytes of {path}: damaged, passed over")
            logger.error("%s", self.block_set.problems[-1])


def _reachable(rules: Sequence[RetentionRule]) -> list[RetentionRule]:
    """The rules up to the first that matches every name, which ends them."""
    ends = next((k for k, rule in enumerate(rules) if rule.match == "*"), len(rules) - 1)
    return list(rules[: ends + 1])


def _lock(directory: Path) -> int:
    """Make a directory ours alone, for as long as the descriptor returned is open."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StartError(
            f"cannot use store directory {directory}: {error.strerror}; expected one that this user may write "
            "(key store.directory)"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StartError(f"cannot use store directory {directory}: another process has it open") from None
    return descriptor
