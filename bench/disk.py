"""What a slot costs on disk, once its window is over."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.figure import Figure, benchmark
from bench.fleet import slot_now
from bench.prepared import Prepared, times, walks
from bench.server import temporary
from tallystick.model.kind import Kind

_SERIES = 200
_SLOTS = 8640


@benchmark("disk")
def disk() -> Iterator[Figure]:
    """Bytes a slot after compaction, a day of 200 series at ten seconds, headers and checksums included."""
    random = np.random.default_rng(1)
    shape = (_SLOTS, _SERIES)
    yield from bytes_a_slot("gauges that walk, two decimals, 0.84 B of information", walks(*shape), at_most=1.3)
    yield from bytes_a_slot("counters, 0 to 49 a slot", random.integers(0, 50, shape) * 1.0, Kind.COUNTER)
    totals = random.integers(0, 50, shape).cumsum(axis=0) * 1.0
    yield from bytes_a_slot("growing totals", totals, Kind.CUMULATIVE)
    yield from bytes_a_slot("constants", np.broadcast_to(np.arange(_SERIES) * 1.5, shape))
    yield from bytes_a_slot("gauges of ten samples a slot, all five statistics", walks(*shape), samples=10)
    typical_ms = random.lognormal(3, 0.3, (_SLOTS, _SERIES // 4)).round(2)
    yield from bytes_a_slot("timings, ten a slot, with their histograms", typical_ms, Kind.TIMING, samples=10)


def bytes_a_slot(
    label: str, values: NDArray[np.float64], kind: Kind = Kind.GAUGE, *, samples: int = 1, at_most: float | None = None
) -> Iterator[Figure]:
    """Fill a store, seal and compact it, and weigh the blocks of the finest step."""
    slots, series = values.shape
    with temporary() as folder:
        prepared = Prepared(folder / "data", slot_now())
        ids = prepared.create([f"disk.series{i:04d}" for i in range(series)], kind)
        when = times(slots, slot_now())
        jitter = np.random.default_rng(2)
        for k in range(samples):
            prepared.append(ids, when + k * 10 // samples, others(values, kind, jitter) if k else values)
        prepared.compact()
        size = sum(b.file_bytes for b in prepared.store.block_set.manifest.blocks if b.step_s == 10)
        prepared.close()
    yield Figure(f"{label}: bytes a slot", size / (slots * series), "B", at_most=at_most)


def others(values: NDArray[np.float64], kind: Kind, random: np.random.Generator) -> NDArray[np.float64]:
    """Further samples of the same slots: near the first, or for timings as far from it as latencies are."""
    if kind is Kind.TIMING:
        return (values * random.lognormal(0, 0.7, values.shape)).round(2)
    return (values + random.normal(0, 2, values.shape)).round(2)
