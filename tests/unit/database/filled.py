"""What the stores hold that databases are tried on."""

import numpy as np

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000
RULES = (
    RetentionRule("slow.*", Retention.parse("1m:30d")),
    RetentionRule("*", Retention.parse("10s:10d,1m:30d")),
)
NAMES = {
    "web.a.load": Kind.GAUGE,
    "web.b.load": Kind.GAUGE,
    "web.a.took": Kind.TIMING,
    "web.a.hits": Kind.COUNTER,
    "disk;dc=west": Kind.GAUGE,
    "slow.temperature": Kind.GAUGE,
}


def filled_store() -> MemoryStore:
    """Two samples a slot up to now: one rises by one a slot, the other lies 100 above it."""
    store = MemoryStore(RULES, ManualClock(float(NOW_S)))
    ids = store.create(list(NAMES), list(NAMES.values()))
    for series, kind in zip(ids.tolist(), NAMES.values(), strict=True):
        times = np.arange(NOW_S - 600, NOW_S, 5, dtype=np.int64)
        values = (times - (NOW_S - 600)) // 10 + np.where(times % 10 == 0, 0.0, 100.0) + 1000.0 * series
        store.append(SampleBatch.of(np.full(len(times), series), times * 1000, values, kind=kind))
    return store
