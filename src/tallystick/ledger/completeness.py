"""How complete the data of some prefixes is, window by window: what was stored against what was lost.

What was rejected by name counts for its own prefix. What was lost without one (lines that could not be read, datagrams
that the kernel dropped, samples that a numbered sender made and that never came) is shared out among the prefixes
of the same peer, or of the same source, as their samples are: that is an estimate, the best there can be. A dropped
datagram counts as one sample, so the true loss may be larger. What a rule blocks, what was sent twice and markers
that hold no value are not lost, nor are names beyond a limit: no series that there is misses them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import UNDECIDED
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.prefixes import Prefixes
from tallystick.ledger.terms import BY_CHOICE, GENERATED, KERNEL_DROPS, PARSED, RECEIVED, REJECTED, STORED, WINDOW_S
from tallystick.ledger.windows import Counts
from tallystick.model.reason import Reason

ON_THE_WAY = "lost_on_the_way"
DROPPED = "kernel_drops"
_NEW_NAMES = (Reason.THROTTLED, Reason.SERIES_LIMIT, Reason.PREFIX_LIMIT)
_NOT_LOST = (*BY_CHOICE, *_NEW_NAMES, Reason.DUPLICATE, Reason.STALE)
_REASONS = [reason for reason in Reason if reason is not Reason.NONE and reason not in _NOT_LOST]
_LOST_COLUMNS = [REJECTED + int(reason) for reason in _REASONS]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the samples of each prefix in a window.

    Parameters
    ----------
    stored : float64[prefixes]
    lost : float64[prefixes, causes]
        By cause: `CAUSES`.
    prefixes
        What the rows are.
    """

    stored: NDArray[np.float64]
    lost: NDArray[np.float64]
    prefixes: Prefixes


CAUSES = (*(reason.name.lower() for reason in _REASONS), DROPPED, ON_THE_WAY)
"""The columns of `Kept.lost`."""


def kept_in(ledger: Ledger, number: int) -> Kept:
    """What became of each prefix in the window of this number; zeros where it is not in memory."""
    book = ledger.book
    with book.lock:
        counts, total = book.windows.window(number, book.cells), book.windows.total(book.cells)
        account_of, source_of = book.account_of.copy(), book.source_of
        prefix_of, prefixes = book.prefix_of.copy(), book.prefixes
        rows = len(prefixes)
    lost = np.zeros((len(counts), len(CAUSES)))
    lost[:, : len(_LOST_COLUMNS)] = counts[:, _LOST_COLUMNS]
    unnamed = prefix_of == UNDECIDED
    nameless = lost * unnamed[:, None]
    nameless[:, -1] = _never_came(counts, account_of)
    lost[unnamed] = 0.0
    lost += _shared(nameless, account_of, counts, total, unnamed)
    drops = np.zeros_like(lost)
    drops[:, -2] = counts[:, KERNEL_DROPS]
    lost += _shared(drops, source_of, counts, total, unnamed)
    stored = np.bincount(prefix_of, counts[:, STORED], minlength=rows).astype(np.float64)
    by_prefix = np.zeros((rows, len(CAUSES)))
    np.add.at(by_prefix, prefix_of, lost)
    return Kept(stored, by_prefix, prefixes)


def _never_came(counts: Counts, account_of: NDArray[np.int32]) -> NDArray[np.float64]:
    """Samples of numbered senders that never came, at the cell where the sender told of them."""
    generated = counts[:, GENERATED]
    if not generated.any():
        return np.zeros(len(counts))
    twice = counts[:, REJECTED + int(Reason.DUPLICATE)]
    came = np.bincount(account_of, counts[:, RECEIVED] - twice)[account_of]
    return np.where(generated > 0, np.maximum(generated - came, 0), 0).astype(np.float64)


def _shared(
    lost: NDArray[np.float64],
    group_of: NDArray[np.int32],
    counts: Counts,
    total: Counts,
    unnamed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """What the cells of a group lost together, shared out as their parsed samples are."""
    groups = int(group_of.max(initial=0)) + 1
    together = np.zeros((groups, lost.shape[1]))
    np.add.at(together, group_of, lost)
    if not together.any():
        return np.zeros_like(lost)
    weight = np.where(unnamed, 0, counts[:, PARSED]).astype(np.float64)
    silent = np.bincount(group_of, weight, minlength=groups) == 0
    weight = np.where(silent[group_of], np.where(unnamed, 0, total[:, PARSED]), weight)
    sums = np.bincount(group_of, weight, minlength=groups)
    share = np.divide(weight, sums[group_of], out=np.zeros_like(weight), where=sums[group_of] > 0)
    return together[group_of] * share[:, None]


def window_start_s(number: int) -> int:
    """When the window of a number begins, in epoch seconds."""
    return number * WINDOW_S
