"""`Decisions`: what each entry of the table of names leads to, a column for each thing that is known of it.

A batch is routed by one look-up in these columns. Whatever changes what becomes of a name opens its entry again, and it
is decided about when it comes next.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.routing import look_up
from tallystick.model.columns import grown
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA
from tallystick.route.routed import Rows

Value = TypeVar("Value", bound=np.generic)

LEVELS_ALIKE = Kind.GAUGE ^ Kind.CUMULATIVE
"""The bits by which two kinds differ that are taken for each other."""

_UNSEEN = -1000
_ANEW = -1001  # was decided, and is to be once more: its sender is no stranger
_HELD = -1002  # not decided, and to be kept: somebody else has what comes by it


class Decisions:
    """Columns by entry, seven bytes each; the caller holds the lock of the table of names.

    `grow` comes before what takes entries that may be new.
    """

    def __init__(self) -> None:
        self._target = np.full(64, _UNSEEN, np.int32)  # series id, the negative `Reason` why there is none, or open
        self._kind = np.zeros(64, np.uint8)  # of the series
        self._clashed = np.zeros(64, np.uint8)  # a bit for each kind that the name was sent with but does not have
        self._own = np.zeros(64, np.bool_)  # entries that nobody sent, see `tallystick.route.own`
        self.has_own = False
        """Whether there are entries that nobody sent."""

    @property
    def room(self) -> int:
        """How many entries there is room for."""
        return len(self._target)

    def grow(self, entries: int) -> None:
        """Have room for so many entries; nothing is decided about new ones."""
        self._target, self._kind = grown(self._target, entries, _UNSEEN), grown(self._kind, entries)
        self._clashed, self._own = grown(self._clashed, entries), grown(self._own, entries)

    def look_up(self, batch: Rows, out: NDArray[np.int32]) -> tuple[int, int]:
        """Write the series of each row, -1 where there is none or where it has another kind.

        Returns
        -------
        missing, other
            How many have none, and how many have one whose kind is taken for theirs.
        """
        return look_up(batch.ids, batch.kind, self._target, self._kind, GAUGE_DELTA, LEVELS_ALIKE, out)

    def kinds(self, entries: NDArray[np.int32]) -> NDArray[np.uint8]:
        """The kinds of the series of entries that lead to one: uint8[n]."""
        return self._kind[entries]

    def are_open(self, entries: NDArray[np.int32], kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which entries are to be decided about: nobody has yet, or nobody for a sample of that kind."""
        target = self._target[entries]
        untried = (self._clashed[entries] >> kinds) & 1 == 0
        open_: NDArray[np.bool_] = (target <= _UNSEEN) | ((target == -Reason.KIND) & untried)
        return open_

    def lead(self, entries: NDArray[np.int32], series: NDArray[np.int32], kinds: NDArray[np.uint8]) -> None:
        """Entries lead to series, which have these kinds."""
        self._target[entries], self._kind[entries] = series, kinds

    def refuse(self, entries: NDArray[np.int32], reasons: NDArray[np.uint8]) -> None:
        """Entries lead to no series, for a `Reason` each."""
        self._target[entries] = -reasons.astype(np.int32)

    def clash(self, entries: NDArray[np.int32], kinds: NDArray[np.uint8]) -> None:
        """Entries lead to no series for samples of these kinds: the series of that name has another."""
        self._target[entries] = -int(Reason.KIND)
        self._clashed[entries] |= np.uint8(1) << kinds

    def reasons(self, entries: NDArray[np.int32]) -> NDArray[np.int32]:
        """The `Reason` why samples were refused that came by these entries: int32[n]."""
        target = self._target[entries]
        return np.where(target < 0, -target, np.int32(Reason.KIND))

    def forget(self, series: NDArray[np.int32]) -> None:
        """Open entries that led to these series, and those whose kind a series had taken."""
        gone = np.zeros(int(series.max(initial=-1)) + 1, np.bool_)
        gone[series] = True
        led = np.flatnonzero((self._target >= 0) & (self._target < len(gone)))
        open_ = np.concatenate([led[gone[self._target[led]]], np.flatnonzero(self._target == -int(Reason.KIND))])
        self._target[open_], self._clashed[open_] = _UNSEEN, 0

    def reopen(self, reason: Reason) -> None:
        """Open entries that were refused for a reason."""
        self._target[self._target == -int(reason)] = _UNSEEN

    def reopen_all(self, known: NDArray[np.bool_]) -> None:
        """Open the first entries, all of them; those that were sent and are known stay worth their place."""
        count = len(known)
        self._target[:count] = np.where(known & ~self._own[:count], _ANEW, _UNSEEN)
        self._clashed[:count] = 0

    def reopen_known(self, entries: NDArray[np.intp]) -> None:
        """Open entries that stay worth their place."""
        self._target[entries] = _ANEW

    def hold(self, entries: NDArray[np.integer]) -> None:
        """Entries that nobody decided about are worth their place, although they lead to no series."""
        self._target[entries[self._target[entries] == _UNSEEN]] = _HELD

    def worth_keeping(self, count: int) -> NDArray[np.bool_]:
        """Which of the first entries lead to a series, or will when they are decided about: bool[count]."""
        target = self._target[:count]
        worth: NDArray[np.bool_] = (target >= 0) | (target == _ANEW) | (target == _HELD)
        return worth

    def are_own(self, entries: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which entries nobody sent: bool[n]."""
        return self._own[entries]

    def make_own(self, entries: NDArray[np.int32]) -> None:
        """Call entries ours; what was decided about them while they were not is forgotten."""
        fresh = entries[~self._own[entries]]
        self._own[fresh], self._target[fresh], self._clashed[fresh] = True, _UNSEEN, 0
        self.has_own |= bool(len(fresh))

    def moved(self, entries: NDArray[np.intp], place: NDArray[np.intp], count: int) -> None:
        """Follow a table that was made anew, all of whose entries were in the old one.

        Parameters
        ----------
        entries
            Those that were kept.
        place : int[old count]
            Where each entry is now.
        count
            How many there are now.
        """

        def follow(column: NDArray[Value]) -> NDArray[Value]:
            moved = np.zeros(count, column.dtype)
            moved[place[entries]] = column[entries]
            return moved

        self._target, self._kind = follow(self._target), follow(self._kind)
        self._clashed, self._own = follow(self._clashed), follow(self._own)
        self.has_own = bool(self._own.any())
