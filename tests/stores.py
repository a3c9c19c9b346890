"""What tests of the embedded store share: opening one, putting samples in, waiting for the disk, reading all back."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tallystick.files import Files
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.options import StoreOptions

NOW_S = 1_700_006_400 // 7200 * 7200 + 3600
"""The middle of a window of ten-second slots."""
STEP_S = 10
RULES = (RetentionRule("*", Retention.parse("10s:10d,1m:30d,5m:90d,1h:2y")),)


def open_store(
    directory: Path,
    clock: ManualClock | None = None,
    *,
    rules: Sequence[RetentionRule] = RULES,
    files: Files | None = None,
    queue_bytes_max: int = 64 << 20,
    scrub_bytes_per_s: float = 4 << 20,
) -> EmbeddedStore:
    """A store whose clock stands still and that seals only when told to."""
    options = StoreOptions(0.001, queue_bytes_max=queue_bytes_max, scrub_bytes_per_s=scrub_bytes_per_s)
    return EmbeddedStore(directory, rules, clock or ManualClock(float(NOW_S)), options, files)


@contextmanager
def opened(directory: Path, clock: ManualClock | None = None, **options: object) -> Iterator[EmbeddedStore]:
    """`open_store`, closed at the end."""
    store = open_store(directory, clock, **options)
    try:
        yield store
    finally:
        store.close()


def put(store: EmbeddedStore, name: str, values: dict[int, float], kind: int = Kind.COUNTER) -> int:
    """Append a sample to each slot named by its seconds from `NOW_S`; return the ticket."""
    ids = store.create([name], [Kind(kind & 127)])
    times = [(NOW_S + second) * 1000 for second in values]
    return store.append(SampleBatch.of(np.repeat(ids, len(values)), times, list(values.values()), kind=kind))


def wait_durable(store: EmbeddedStore, ticket: int) -> None:
    """Return once the ticket is on disk."""
    safe = threading.Event()
    store.when_durable(ticket, safe.set)
    assert safe.wait(30), "the log did not commit"


def found(
    store: EmbeddedStore, name: str, statistic: Statistic = Statistic.SUM, step_s: int = STEP_S, span_s: int = 7200
) -> dict[int, float]:
    """What the store has of a series around `NOW_S`: seconds from it, and the value."""
    ids = store.catalog.find(name)
    start_s = (NOW_S - span_s) // step_s * step_s
    until_s = (NOW_S + span_s) // step_s * step_s
    row = store.read(ids, start_s, until_s, step_s, [statistic])[statistic][0]
    return {start_s + int(k) * step_s - NOW_S: float(row[k]) for k in np.flatnonzero(~np.isnan(row))}
