"""Stores prepared in this process, by a clock that can be turned, for servers to start on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import DEFAULT_KEEP, Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.store.embedded import EmbeddedStore

STEP_S = 10
WALK_STEP = 0.25
"""Deviation of the steps of gauges: 6.7 bits or 0.84 bytes a value, which no format can go below."""
RULES = (RetentionRule("*", Retention.parse(DEFAULT_KEEP)),)
_SLOTS_AT_ONCE_ROWS = 500_000


class Prepared:
    """A store in a directory; `close` it before a server starts there."""

    def __init__(self, directory: Path, now_s: int) -> None:
        self.clock = ManualClock(float(now_s))
        self.store = EmbeddedStore(directory, RULES, self.clock)

    def create(self, names: Sequence[str], kind: Kind = Kind.GAUGE) -> NDArray[np.int32]:
        """Ids of series."""
        return self.store.create(names, [kind] * len(names))

    def append(self, ids: NDArray[np.int32], times_s: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Append a sample for each series and time, slot after slot as senders do; `values` are slots x series."""
        slots = max(1, _SLOTS_AT_ONCE_ROWS // len(ids))
        for begin in range(0, len(times_s), slots):
            part = times_s[begin : begin + slots]
            stamped = np.repeat(part * 1000, len(ids))
            kind = int(self.store.catalog.kinds(ids[:1])[0])
            batch = SampleBatch.of(np.tile(ids, len(part)), stamped, values[begin : begin + slots].ravel(), kind=kind)
            self.store.append(batch)

    def compact(self) -> None:
        """Make blocks of all there is, and merge them as if all their windows had been over for long."""
        self.store.maintenance.seal()
        self.clock.advance(13 * 3600)
        self.store.maintenance.compact()
        self.clock.advance(-13 * 3600)

    def close(self) -> None:
        """Let go of the directory."""
        self.store.close()


def walks(slots: int, series: int, seed: int = 1, step: float = WALK_STEP) -> NDArray[np.float64]:
    """float64[slots, series]: gauges with two decimals that walk; a step carries log2(413 * `step`) bits."""
    random = np.random.default_rng(seed)
    return (random.uniform(100, 900, series) + random.normal(0, step, (slots, series)).cumsum(axis=0)).round(2)


def times(slots: int, now_s: int, step_s: int = STEP_S) -> NDArray[np.int64]:
    """int64[slots]: the last slots up to `now_s`."""
    return (now_s // step_s - np.arange(slots - 1, -1, -1)) * step_s
