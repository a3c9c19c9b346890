"""A batch on its way from the parser into the store: who sent it, and what is known so far of each of its rows."""

from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameArrays
from tallystick.ledger import Account
from tallystick.ledger.attribution import Senders
from tallystick.ledger.book import Shares
from tallystick.ledger.passage import Passage
from tallystick.model.numbered import Numbered
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.route import Rows


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who sent a batch, and when.

    Parameters
    ----------
    account
        Of the whole batch; where it is of several peers that of the source.
    passage
        Its way through the ledger.
    samples, tallies
        Whose each sample and each tallied slot is.
    """

    account: Account
    passage: Passage
    samples: Senders
    tallies: Senders


@dataclass(frozen=True, slots=True)
class Attributed(Generic[Rows]):
    """Samples, or tallied slots, on their way into the store, and where the ledger counts them.

    Parameters
    ----------
    batch
        Their ids are entries of the table of names, and series once they are routed.
    entries : int32[n]
        The names that they came by.
    cells : int32[n]
        Where the ledger counts each of them.
    shares
        How many each cell has.
    late : bool[n] or None
        Which of them are late; None where none is.
    arrays
        What `entries` are entries of: the table may be another one by the time that they are asked for.
    """

    batch: Rows
    entries: NDArray[np.int32]
    cells: NDArray[np.int32]
    shares: Shares
    late: NDArray[np.bool_] | None
    arrays: NameArrays

    def __len__(self) -> int:
        return len(self.batch)

    def routed(self, batch: Rows) -> "Attributed[Rows]":
        """The same rows with their series."""
        return Attributed(batch, self.entries, self.cells, self.shares, self.late, self.arrays)

    def take(self, rows: NDArray[np.bool_]) -> "Attributed[Rows]":
        """The rows that a mask selects."""
        cells = self.cells[rows]
        late = None if self.late is None else self.late[rows]
        batch, entries = self.batch.take(rows), self.entries[rows]
        return replace(self, batch=batch, entries=entries, cells=cells, shares=Shares.of_rows(cells), late=late)


@dataclass(frozen=True, slots=True)
class Load:
    """All of a batch that has found its series.

    Parameters
    ----------
    wasteful
        Whether the table of names is worth being made anew.
    numbered
        Up to which of its numbered batches this is all of a sender's.
    generated
        So many slots the sender made for those that are new.
    blocked
        So many of these it did not send since their names are blocked.
    """

    samples: Attributed[SampleBatch]
    tallies: Attributed[TallyBatch]
    wasteful: bool
    numbered: Numbered | None = None
    generated: int = 0
    blocked: int = 0

    def __len__(self) -> int:
        return len(self.samples) + len(self.tallies)
