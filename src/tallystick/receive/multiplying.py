"""Rows that rules make of others: copies behind the rows of a batch, under other names, with the account of each."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.histogram import bucket_column, merge_cells
from tallystick.kernels.names import NameArrays
from tallystick.ledger.attribution import Attribution, Senders
from tallystick.ledger.book import Book, Shares
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.tally import Histograms, Spread
from tallystick.receive.arrival import Attributed
from tallystick.route import AS_SENT, Multiplied, Rows


def multiply(
    on_way: Attributed[Rows], found: Multiplied, attribution: Attribution, book: Book, arrays: NameArrays
) -> tuple[Attributed[Rows], NDArray[np.uint8]]:
    """The rows, and behind them those that are made of them.

    Parameters
    ----------
    arrays
        What the entries of both are entries of.

    Returns
    -------
    rows, unfit
        With ``uint8[n]``: a `Reason` for each row made that no series can take, 0 for the others.
    """
    count, made = len(on_way), len(found.rows)
    rows = np.concatenate([np.arange(count), found.rows])
    unfit = np.zeros(count + made, np.uint8)
    unfit[count:][found.entries < 0] = Reason.SERIES_LIMIT
    entries = on_way.entries[rows]
    entries[count:] = np.where(found.entries < 0, entries[count:], found.entries)
    cells = on_way.cells[rows]
    cells[count:], _ = attribution.attribute(entries[count:], _senders_of(cells[count:], book))
    kinds = on_way.batch.kind[rows]
    ranked = np.flatnonzero(found.kinds != AS_SENT) + count
    ranked = ranked[kinds[ranked] & np.uint8(~GAUGE_DELTA & 0xFF) != Kind.SET]
    batch = replace(on_way.batch.take(rows), ids=entries)
    if len(ranked):
        batch = _as_timings(batch, ranked)
    late = None if on_way.late is None else on_way.late[rows]
    return Attributed(batch, entries, cells, Shares.of_rows(cells), late, arrays), unfit


def _as_timings(batch: Rows, rows: NDArray[np.intp]) -> Rows:
    """The same, some rows as timings, so that there are distributions of them.

    A tallied slot that is none has no distribution of what it was made of: it is one value, what it would be for
    carbon, the sum of a counter or the last of a level.
    """
    kinds = batch.kind.copy()
    kinds[rows] = Kind.TIMING
    if isinstance(batch, SampleBatch):
        return replace(batch, kind=kinds)
    rows = rows[batch.kind[rows] != Kind.TIMING]
    spread = batch.spread
    value = np.where(batch.kind[rows] == Kind.COUNTER, spread.sum[rows], batch.last[rows])
    last, *columns = (
        column.copy() for column in (batch.last, spread.count, spread.sum, spread.m2, spread.min, spread.max)
    )
    last[rows] = value
    ones, zeros = np.ones(len(rows)), np.zeros(len(rows))
    for column, single in zip(columns, (ones, value, zeros, value, value), strict=True):
        column[rows] = single
    known = batch.histograms if batch.histograms is not None else Histograms.none(len(batch))
    row_of = np.repeat(np.arange(len(batch)), np.diff(known.offset))
    histograms = merge_cells(
        len(batch),
        np.concatenate([row_of, rows]),
        np.concatenate([known.bucket, bucket_column(value)]),
        np.concatenate([known.weight, ones]),
    )
    return replace(batch, kind=kinds, last=last, spread=Spread(*columns), histograms=histograms)


def _senders_of(cells: NDArray[np.int32], book: Book) -> Senders:
    """Whose rows with these cells are."""
    accounts = book.account_of[cells]
    ends = np.append(np.flatnonzero(np.diff(accounts)) + 1, len(accounts))
    return Senders(accounts[ends - 1], ends)
