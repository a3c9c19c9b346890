"""The log: what was appended and is not yet in a block, on disk within one group commit.

Producers hand over records; one thread writes them and waits for the disk once for all that came together. The queue
is bounded in bytes: a producer waits while it is full, and while the disk refuses writes it is told so at once. After
an error the unwritten records stay queued, the file is cut back to its last whole record, and the write is tried again
every second until it works.
"""

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from tallystick.files import Buffer, Files
from tallystick.model.clock import Clock
from tallystick.model.errors import StoreError
from tallystick.store.log.record import Record, frame

logger = logging.getLogger(__name__)

SERIES_FILE = "series"
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class LogStatus:
    """What of the log is not yet safe.

    Parameters
    ----------
    unsafe_samples
        Samples appended that a power cut would lose now.
    unsafe_s
        Age in seconds of the oldest of them; 0 if there are none.
    error
        Why the disk takes nothing at present; empty if it does.
    """

    unsafe_samples: int
    unsafe_s: float
    error: str


@dataclass(frozen=True, slots=True)
class _Item:
    ticket: int
    record: Record
    samples: int
    series: bool
    segment: int
    at_s: float


def segment_path(directory: Path, segment: int) -> Path:
    """Where a segment of the log is."""
    return directory / f"{segment:010d}.log"


def segments(directory: Path) -> list[int]:
    """Numbers of the segments in a directory, ascending."""
    return sorted(int(path.stem) for path in directory.glob("*.log") if path.stem.isdigit())


class Log:
    """Appends records to numbered segment files, and to the series file beside them.

    Parameters
    ----------
    directory
        Where the segments are.
    series_path
        The series file: definitions are safe there before any sample that uses them is acknowledged.
    segment
        Number of the first segment to write.
    series_bytes
        What of the series file is whole, if not all: a write that was torn is cut off before the next one.
    commit_interval_s
        Longest time between the write of a record and the disk's word that it is safe.
    queue_bytes_max
        When so many bytes of records wait for the disk, no more samples are taken.
    """

    def __init__(
        self,
        directory: Path,
        series_path: Path,
        segment: int,
        clock: Clock,
        *,
        series_bytes: int | None = None,
        commit_interval_s: float = 0.2,
        queue_bytes_max: int = 256 << 20,
        files: Files | None = None,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._files = files or Files()
        self._commit_interval_s = commit_interval_s
        self._queue_bytes_max = queue_bytes_max
        self._disk = threading.Lock()  # held around writes
        self._closed = False
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # for the thread that writes
        self._written = threading.Condition(self._lock)  # for those who wait until it has
        self._queue: deque[_Item] = deque()
        self._queue_bytes = 0
        self._ticket = 0
        self._durable = 0
        self._segment = segment
        self._waiters: list[tuple[int, Callable[[], None]]] = []
        self._unsafe_samples = 0
        self._oldest_s: float | None = None
        self._error = ""
        self._closing = False
        self._written_segment = segment
        self._series_ticket = 0
        self._log_file = self._files.open_append(segment_path(directory, segment))
        self._series_file = self._files.open_append(series_path)
        self._whole = {
            self._log_file: os.fstat(self._log_file).st_size,
            self._series_file: os.fstat(self._series_file).st_size if series_bytes is None else series_bytes,
        }
        self._series_bytes_before = self._whole[self._series_file]
        self._cut: set[int] = set()  # files that were cut back, which is not safe
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def append(self, *records: list[Buffer], samples: int = 0, series: bool = False) -> int:
        """Queue records (of the series file, if `series`), all or none; return the ticket of the last of them.

        Waits while the queue is full.

        Raises
        ------
        StoreError
            If the disk takes nothing at present and the queue is full, or the log was closed.
        """
        summed = [Record(parts) for parts in records]
        with self._lock:
            if self._closing:
                raise StoreError("cannot take samples: the store is closed")
            if not series:
                # Definitions are never refused: their names are in the catalog already, and names are limited there.
                self._wait_for_room()
            now = self._clock.monotonic()
            if not self._queue:  # else the thread has something to do, or gathers until the interval is over
                self._work.notify()
            for record in summed:
                self._ticket += 1
                self._queue.append(_Item(self._ticket, record, samples, series, self._segment, now))
                self._queue_bytes += len(record)
                self._unsafe_samples += samples
                samples = 0
            if self._oldest_s is None:
                self._oldest_s = now
            return self._ticket

    def wait_for_room(self) -> None:
        """Wait until the queue is not full; the next record of a caller that nobody overtakes is then taken at once.

        Raises
        ------
        StoreError
            As `append`.
        """
        with self._lock:
            self._wait_for_room()

    def sync(self) -> None:
        """Wait until all that was appended before is on disk.

        Raises
        ------
        StoreError
            If the disk takes nothing at present, or the log was closed.
        """
        with self._lock:
            ticket = self._ticket
            while self._durable < ticket:
                if self._error:
                    raise StoreError(f"cannot write the log: {self._error}")
                if self._closing or not self._thread.is_alive():
                    raise StoreError("cannot write the log: the store is closed")
                self._written.wait(1.0)

    def rotate(self) -> int:
        """Begin a new segment; records appended from now on go there. Returns its number."""
        with self._lock:
            self._segment += 1
            return self._segment

    @property
    def segment(self) -> int:
        """The segment that records appended now go to."""
        return self._segment

    def write_series(self, parts: list[Buffer]) -> None:
        """Write a record of the series file, past the queue; it is on disk when this returns.

        Raises
        ------
        StoreError
            If the disk does not take it (nothing of it stays then), or the log was closed.
        """
        with self._disk:
            if self._closed:
                raise StoreError("cannot write the series file: the store is closed")
            try:
                self._write(self._series_file, [Record(parts)])
            except OSError as error:
                raise StoreError(
                    f"cannot write the series file: {error.strerror or error} ({self._directory.parent})"
                ) from error

    def drop_before(self, segment: int) -> None:
        """Delete the segments whose samples are all in blocks."""
        for number in segments(self._directory):
            if number < segment:
                self._files.remove(segment_path(self._directory, number))

    def durable(self, ticket: int) -> bool:
        """Whether the record of `ticket`, and all before it, are on disk."""
        with self._lock:
            return self._durable >= ticket

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        """Have `call` called once `ticket` is on disk; at once if it is."""
        with self._lock:
            if self._durable < ticket:
                self._waiters.append((ticket, call))
                self._work.notify()
                return
        call()

    def status(self) -> LogStatus:
        """What is not yet safe."""
        with self._lock:
            age = 0.0 if self._oldest_s is None else max(0.0, self._clock.monotonic() - self._oldest_s)
            return LogStatus(self._unsafe_samples, age, self._error)

    def close(self) -> None:
        """Write and sync what is queued (once: a disk that refuses keeps no one from stopping), and stop the thread."""
        with self._lock:
            self._closing = True
            self._work.notify()
            self._written.notify_all()
        self._thread.join()
        with self._disk:
            self._closed = True
            with contextlib.suppress(OSError):  # without it a gap in the last write goes unnoticed, and nothing else
                self._end_segment()
                if self._whole[self._series_file] != self._series_bytes_before:
                    self._write(self._series_file, [Record([])])
            os.close(self._log_file)
            os.close(self._series_file)

    def _wait_for_room(self) -> None:
        while self._queue_bytes >= self._queue_bytes_max and not self._closing:
            if self._error:
                raise StoreError(f"cannot take samples: {self._error}")
            self._written.wait(1.0)
        if self._closing:
            raise StoreError("cannot take samples: the store is closed")

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._queue and not self._closing:
                    self._work.wait()
                if not self._queue:
                    return
                if not self._waiters and not self._closing:
                    # Nobody waits for the answer: let more records share the sync.
                    self._work.wait_for(lambda: self._waiters or self._closing, self._commit_interval_s)
                # One segment at a time: what failed half-way is cut back as a whole and never written twice.
                group = list(takewhile(lambda item: item.segment == self._queue[0].segment, self._queue))
            with self._disk:
                error = self._commit(group)
            if not error:
                self._committed(group)
            if error and self._closing:
                return
            if error:
                with self._lock:
                    self._error = error
                    self._written.notify_all()
                    self._work.wait_for(lambda: self._closing, _RETRY_S)

    def _commit(self, group: list[_Item]) -> str:
        """Write a group and sync it; return what was wrong, if anything was: then the group is written again later."""
        # Definitions that were safe before the samples failed must not be there twice.
        fresh = [item for item in group if item.series and item.ticket > self._series_ticket]
        try:
            self._open_segment(group[0].segment)
            self._write(self._series_file, [item.record for item in fresh])
            self._series_ticket = max([self._series_ticket, *(item.ticket for item in fresh)])
            self._write(self._log_file, [item.record for item in group if not item.series])
        except OSError as error:
            return f"{error.strerror or error} ({self._directory})"
        return ""

    def _open_segment(self, number: int) -> None:
        if number != self._written_segment:
            self._end_segment()
            following = self._files.open_append(segment_path(self._directory, number))
            del self._whole[self._log_file]
            self._cut.discard(self._log_file)
            os.close(self._log_file)
            self._log_file, self._written_segment = following, number
            self._whole[following] = os.fstat(following).st_size

    def _write(self, descriptor: int, records: list[Record]) -> None:
        """Append to a file and sync it, behind what is known to be whole."""
        if not records:
            return
        self._cut_back(descriptor)
        try:
            self._files.append(descriptor, frame(*records))
            self._files.sync(descriptor)
        except OSError:
            # If even this fails it is done before the next write: whole records of it would count twice.
            with contextlib.suppress(OSError):
                self._cut_back(descriptor)
            raise
        self._whole[descriptor] = os.fstat(descriptor).st_size

    def _cut_back(self, descriptor: int) -> None:
        if os.fstat(descriptor).st_size != self._whole[descriptor]:
            self._cut.add(descriptor)
            self._files.truncate(descriptor, self._whole[descriptor])
        if descriptor in self._cut:
            # Else a power cut could bring back what was cut off, behind or within what is written next.
            self._files.sync(descriptor)
            self._cut.remove(descriptor)

    def _end_segment(self) -> None:
        """Mark that nothing follows in this segment: a gap before the mark is damage, and no write that was torn."""
        if self._whole[self._log_file] and os.fstat(self._log_file).st_nlink:  # it may be in blocks, and deleted
            self._write(self._log_file, [Record([])])

    def _committed(self, group: list[_Item]) -> None:
        with self._lock:
            for _ in group:
                item = self._queue.popleft()
                self._queue_bytes -= len(item.record)
                self._unsafe_samples -= item.samples
            self._durable = group[-1].ticket
            self._oldest_s = self._queue[0].at_s if self._queue else None
            self._error = ""
            ready = [call for ticket, call in self._waiters if ticket <= self._durable]
            self._waiters = [(ticket, call) for ticket, call in self._waiters if ticket > self._durable]
            self._written.notify_all()
        for call in ready:
            try:
                call()
            except Exception:
                # Whoever asked may be gone (a loop that was closed): the log serves all the others.
                logger.exception("cannot tell that samples are on disk")
