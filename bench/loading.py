"""A bulk import of history: into a directory, from a Graphite tree, and into a running server."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.figure import Figure, benchmark
from bench.server import running
from tallystick.exchange.incoming import Incoming, renaming
from tallystick.exchange.registry import readers
from tallystick.exchange.sending import Sending
from tallystick.model.clock import SystemClock
from tallystick.model.kind import Kind
from tallystick.model.retention import DEFAULT_KEEP, Retention, RetentionRule
from tallystick.model.tally import Spread, Tally
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.history import History, Loaded, Overlap
from tallystick.store.loading.bulk import BulkLoader

_RULES = (RetentionRule("*", Retention.parse(DEFAULT_KEEP)),)
_RATE_MIN = 1.0
_DAY_SLOTS = 8640
_SEED = 7


@benchmark("loading")
def loading() -> Iterator[Figure]:
    """A bulk import of history, until it is safe on disk: points a second, CPU seconds of the importing process."""
    yield from into_directory("gauges, a day every 10 s, one value a slot", pieces(10, 25), rate_min=_RATE_MIN)
    yield from into_directory("gauges, a day every 10 s, all statistics", pieces(4, 25, full=True))
    yield from into_directory("gauges, a day every 5 min, one value a slot", pieces(4, 2000, step_s=300))
    yield from from_whisper(40)
    yield from into_server(pieces(8, 25))


def pieces(n: int, series: int, *, full: bool = False, step_s: int = 10) -> list[History]:
    """Histories of the last day, each of other series."""
    random = np.random.default_rng(_SEED)
    slots = 86_400 // step_s
    end = int(time.time()) // step_s
    made = []
    for piece in range(n):
        value = np.round(100 + np.cumsum(random.normal(0, 1, (series, slots)), axis=1), 2).ravel()
        spread = None
        if full:
            spread = Spread(
                np.full(len(value), 6.0), np.round(6 * value, 2), random.random(len(value)), value - 1, value + 1
            )
        row = np.repeat(np.arange(series, dtype=np.int32), slots)
        slot = np.tile(np.arange(end - slots, end), series)
        names = [f"old.host{piece * series + k:05}.load" for k in range(series)]
        made.append(History(names, [Kind.GAUGE] * series, Tally(step_s, row, slot, value, spread)))
    return made


def into_directory(label: str, histories: list[History], rate_min: float | None = None) -> Iterator[Figure]:
    """Figures of an import into a store's directory."""
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        store = EmbeddedStore(Path(folder), _RULES, SystemClock())
        try:
            store.load(pieces(1, 1, full=histories[0].tally.spread is not None)[0])  # loads the kernels

            def run() -> int:
                with store.loading() as session:
                    return sum((session.add(piece) for piece in histories), Loaded()).taken

            yield from _measured(label, run, rate_min)
            size_bytes = sum(block.entry.file_bytes for block in store.block_set.snapshot())
            yield Figure(f"{label}: on disk", size_bytes / sum(map(len, histories)), "bytes a slot")
        finally:
            store.close()


def from_whisper(files: int) -> Iterator[Figure]:
    """Figures of an import of files of whisper, reading included."""
    import whisper

    random = np.random.default_rng(_SEED)
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        tree = Path(folder) / "whisper"
        tree.mkdir()
        now_s = int(time.time()) // 60 * 60
        for k in range(files):
            value = np.round(100 + np.cumsum(random.normal(0, 1, 2 * _DAY_SLOTS)), 2)
            points = [(now_s - 10 * (len(value) - j), one) for j, one in enumerate(value.tolist())]
            file = str(tree / f"host{k:05}.wsp")
            whisper.create(file, [(10, _DAY_SLOTS), (60, 4 * 1440)])
            whisper.update_many(file, points, now=now_s)
        store = EmbeddedStore(Path(folder) / "store", _RULES, SystemClock())
        try:

            def run() -> int:
                incoming = Incoming(readers()["whisper"], [tree], renaming([], ""))
                with store.loading() as session, BulkLoader(session.add) as bulk:
                    for piece in incoming:
                        bulk.add(piece)
                return bulk.loaded.taken

            yield from _measured(f"{files} files of whisper, 10 s for a day and 1 min before", run, _RATE_MIN)
        finally:
            store.close()


def into_server(histories: list[History]) -> Iterator[Figure]:
    """Figures of an import into a running server, over HTTP."""
    label = "gauges, a day every 10 s, into a running server"
    with running() as server:
        sending = Sending(f"http://127.0.0.1:{server.http}", None, Overlap.SKIP)
        sending.load(pieces(1, 1)[0])
        before, taken = server.usage(), 0
        for piece in histories:
            taken += sending.load(piece).taken
        after = server.usage()
        yield Figure(f"{label}: rate", taken / (after.at_s - before.at_s) / 1e6, "M points/s", at_least=_RATE_MIN)
        yield Figure(f"{label}: CPU", (after.cpu_s - before.cpu_s) / taken * 1e6, "s per million")


def _measured(label: str, run: Callable[[], int], rate_min: float | None = None) -> Iterator[Figure]:
    begun_s, cpu_s = time.monotonic(), time.process_time()
    taken = run()
    wall_s, cpu_s = time.monotonic() - begun_s, time.process_time() - cpu_s
    yield Figure(f"{label}: rate", taken / wall_s / 1e6, "M points/s", at_least=rate_min)
    yield Figure(f"{label}: CPU", cpu_s / taken * 1e6, "s per million")
