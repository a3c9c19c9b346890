"""`Storing`: what has found its series goes into the store, is counted, and is shown to those who look."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallystick.ledger.book import Shares
from tallystick.model.clock import Clock
from tallystick.model.errors import ForgottenSeriesError, StoreError
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.native.messages import STATSD
from tallystick.parse import NameTable
from tallystick.receive.arrival import Arrival, Attributed, Load
from tallystick.receive.routing import Routing
from tallystick.receive.taps import Taps
from tallystick.route import Rows
from tallystick.store.contract import Store

_TRIES_MAX = 10  # to store a batch while its series are forgotten again and again


class Storing:
    """Appends batches; whoever calls it does not hold the lock of the table of names.

    Parameters
    ----------
    names
        Its lock is taken where series have to be found again.
    """

    def __init__(self, store: Store, routing: Routing, names: NameTable, clock: Clock) -> None:
        self.taps = Taps(clock)
        self._store = store
        self._routing = routing
        self._names = names
        self._note_statsd: Callable[[NDArray[np.int32]], None] | None = None

    def when_by_statsd(self, call: Callable[[NDArray[np.int32]], None]) -> None:
        """See `Intake.when_by_statsd`."""
        self._note_statsd = call

    def append(self, load: Load, arrival: Arrival) -> int | None:
        """Store a batch and return the store's ticket; None where nothing is left of it or the store takes nothing."""
        for _ in range(_TRIES_MAX):
            if not (len(load) or load.numbered):
                return None
            try:
                ticket = self._store.append(load.samples.batch, load.tallies.batch, load.numbered)
            except ForgottenSeriesError as error:
                with self._names.lock:
                    load = self._routing.again(load, error.ids, arrival)
            except StoreError:
                break
            else:
                self._stored(load, arrival)
                return ticket
        for rows in (load.samples, load.tallies):
            if len(rows):
                arrival.passage.refused(Reason.STORE_FULL, rows.cells)
        return None

    def _stored(self, load: Load, arrival: Arrival) -> None:
        _count(load.samples, arrival)
        _count(load.tallies, arrival)
        if load.generated:
            arrival.account.generated(load.generated)
        if load.blocked:
            arrival.account.refused(Reason.WITHHELD, load.blocked, 0)
        if self._note_statsd is not None:
            self._note_statsd(_by_statsd(load, arrival))
        if self.taps:
            self._show(load, arrival)

    def _show(self, load: Load, arrival: Arrival) -> None:
        """Let those see it who look at what arrives: of tallied slots the last value, for as many as they were."""
        samples, tallied = load.samples, load.tallies
        if len(samples):
            self.taps.offer(samples.batch, samples.arrays, samples.entries, arrival.account)
        if len(tallied):
            t = tallied.batch
            shown = SampleBatch(t.ids, t.timestamp, t.last, t.spread.count, t.kind)
            self.taps.offer(shown, tallied.arrays, tallied.entries, arrival.account)


def _by_statsd(load: Load, arrival: Arrival) -> NDArray[np.int32]:
    """The series of what came by StatsD: to a listener of ours, or to who tallied it."""
    if arrival.account.source.partition(" ")[0] == STATSD:
        return load.samples.batch.ids
    tallies = load.tallies.batch
    return tallies.ids[:0] if tallies.statsd is None else tallies.ids[tallies.statsd]


def _count(stored: Attributed[Rows], arrival: Arrival) -> None:
    if not len(stored):
        return
    late = None
    if stored.late is not None:  # mostly all of them are: who sends late sends what he kept
        late = stored.shares if stored.late.all() else Shares.of_rows(stored.cells[stored.late])
    arrival.passage.stored(stored.shares, len(stored), late)
