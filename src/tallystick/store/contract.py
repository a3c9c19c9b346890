"""What a store promises, whichever engine is behind it.

Threads: every method may be called from any thread. `append` is called by the threads that receive; it folds and
hands the batch to the log, and blocks while the log's bounded queue is full. Reads never block writes for longer than
the copy of what they read from the open slots.

Ownership: a batch given to `append` must not be changed afterwards. Arrays that reads return belong to the caller.

Freshness: what `append` took is in the next `read`.

Durability: `append` returns a ticket; once `durable(ticket)` is true, no crash at any instant loses the batch.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.retention import Retention
from tallystick.model.sample import SampleBatch
from tallystick.model.series import Part
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Tally, TallyBatch
from tallystick.store.history import History, Loaded, Overlap


class Node(msgspec.Struct, frozen=True, gc=False):
    """One level of the tree of names; a struct, as there are thousands in an answer and it is made fastest.

    Parameters
    ----------
    name
        The component, ``cpu``.
    path
        From the root, ``web.h1.cpu``.
    leaf
        Whether a series has exactly this name.
    branch
        Whether series lie below it.
    """

    name: str
    path: str
    leaf: bool
    branch: bool


class Catalog(Protocol):
    """The names of all series.

    An id stays with its series for as long as that lives. Ids are small numbers: that of a series that was forgotten
    is given to another one, once nothing in the store refers to it any more.

    Components of a name are its parts between dots; tags, if it has any, belong to the last one.
    """

    def __len__(self) -> int: ...

    def ids(self) -> NDArray[np.int32]:
        """Ids of all series, ascending."""
        ...

    def find(self, pattern: str) -> NDArray[np.int32]:
        """Ids of the series that a glob (``*``, ``?``, ``[a-z]``, ``{a,b}``) matches, sorted by name; depth is exact.

        Raises
        ------
        QueryError
            If the glob has unbalanced brackets.
        """
        ...

    def children(self, pattern: str, among: NDArray[np.bool_] | None = None) -> list[Node]:
        """The nodes (branches and leaves) that `pattern` matches at its own depth, sorted by path.

        Parameters
        ----------
        among : bool[n]
            Which series make nodes, by id; ids beyond its end do not. None for all.
        """
        ...

    def paths(self, pattern: str, *, leaves_only: bool = False) -> list[str]:
        """The paths of `children`, in their order, without an object for each; or of those that are series."""
        ...

    def tagged(self, expressions: Sequence[str], *, by_name: bool = True) -> NDArray[np.int32]:
        """Ids of the series that all expressions match: ``tag=value``, ``!=``, ``=~regex``, ``!=~``.

        Parameters
        ----------
        by_name
            Whether they are sorted by name, which can cost more than to find them; else they come in any order.

        Raises
        ------
        QueryError
            If an expression cannot be read or all of them match the empty value.
        """
        ...

    def tag_keys(self, ids: NDArray[np.int32] | None = None) -> list[str]:
        """The keys of the tags that some series have, in order; ``name`` is one of them.

        Parameters
        ----------
        ids
            The series; None for all whose names have tags.
        """
        ...

    def tag_values(
        self, key: str, ids: NDArray[np.int32] | None = None, prefix: str = "", limit: int | None = None
    ) -> dict[str, int]:
        """The values that a tag has, in order, and how many series have each.

        Parameters
        ----------
        ids
            The series, each once; None for all whose names have tags.
        prefix
            Values that do not begin so are left out.
        limit
            The most values to give, the first of them; None for all.
        """
        ...

    def search(self, text: str, limit: int) -> list[str]:
        """Up to `limit` names that hold every word of `text`, any case, shortest first."""
        ...

    def names(self, ids: NDArray[np.int32]) -> list[str]:
        """The names of `ids`, in their order."""
        ...

    def kinds(self, ids: NDArray[np.int32]) -> NDArray[np.uint8]:
        """`Kind` of each id."""
        ...


class StoreWriter(Protocol):
    """The half of a store that takes tallies of series."""

    @property
    def catalog(self) -> Catalog: ...

    def create(self, names: Sequence[str], kinds: Sequence[Kind] | NDArray[np.uint8]) -> NDArray[np.int32]:
        """Ids of the series of these canonical names, made where they are new; -1 where a name has another kind."""
        ...

    def append(self, batch: SampleBatch, tallies: TallyBatch | None = None, numbered: Numbered | None = None) -> int:
        """Take samples, and slots that senders tallied; ids are series ids. Returns a ticket for `durable`.

        Parameters
        ----------
        batch
            Samples; may be empty where something else is given.
        tallies
            Merged into the slots of the series' finest step that their timestamps lie in, behind the samples of this
            and of earlier batches: their last value is the slot's until a sample of the slot follows that is no older
            than all before it. Whoever calls has looked at their statistics: see `tallystick.fold.usable`.
        numbered
            That a sender's numbered batches are taken up to this one: as safe as what it came with.

        Raises
        ------
        ForgottenSeriesError
            If a series of the batch was deleted or forgotten since its id was asked for; nothing of the batch was
            taken: ask `create` again.
        StoreError
            If there is nothing to take, or the store takes nothing at present (full disk); nothing of it was taken.
        """
        ...

    def last_number(self, sender: str) -> int:
        """The last of a sender's numbered batches that was taken; 0 where nothing is known of it.

        Of very many senders those that were silent for the longest time may be forgotten.
        """
        ...

    def load(self, history: History, overlap: Overlap = Overlap.SKIP) -> Loaded:
        """Take history in bulk; it is on disk when this returns.

        Slots of the step of a resolution are kept at it; others are merged into the next coarser one that they fit.

        Raises
        ------
        StoreError
            If the disk takes nothing at present; nothing was taken.
        """
        ...

    def delete(self, ids: NDArray[np.int32]) -> None:
        """Forget series and all that is known of them; it is on disk when this returns.

        A sender that goes on sending one makes a new series.

        Raises
        ------
        StoreError
            If the disk takes nothing at present; nothing was forgotten.
        """
        ...

    def rename(self, series: int, name: str) -> None:
        """Give a series another canonical name; it is on disk when this returns.

        Raises
        ------
        StoreError
            If the name is taken, or the disk takes nothing at present.
        """
        ...

    def when_forgotten(self, call: Callable[[NDArray[np.int32]], None]) -> None:
        """Have `call` called with the ids of series that their names no longer lead to: deleted, renamed, forgotten."""
        ...

    def durable(self, ticket: int) -> bool:
        """Whether all that was appended up to `ticket` is on disk."""
        ...

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        """Have `call` called, from any thread, once `durable(ticket)` is true; at once if it is already."""
        ...


class StoreReader(Protocol):
    """The half that gives them back: all that a query needs, and what a view of a closed or foreign store has."""

    @property
    def catalog(self) -> Catalog: ...

    def last_seen(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """Start in epoch seconds of the newest slot of each series; -1 where there is none."""
        ...

    def retention(self, series: int) -> Retention:
        """The resolutions that a series is kept at."""
        ...

    def defaults(self, ids: NDArray[np.int32], step_s: int) -> NDArray[np.uint8]:
        """For each series, which of `tallystick.model.statistic.STATISTICS` ``DEFAULT`` is in slots of `step_s`."""
        ...

    def steps(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> NDArray[np.int64]:
        """For each series, the finest step in seconds that all of ``[start_s, until_s)`` can be read at."""
        ...

    def parts(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> list[Part]:
        """``[start_s, until_s)`` in stretches, oldest first, each with the finest step that all of `ids` have in it.

        The stretches follow each other without gaps and may begin before `start_s` and end behind `until_s`, by less
        than a slot.
        """
        ...

    def read(
        self,
        ids: NDArray[np.int32],
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, NDArray[np.float64]]:
        """Statistics of the slots in ``[start_s, until_s)``, which are multiples of `step_s`.

        `step_s` is a multiple of a step that `steps` gives; finer slots are merged into it as tallies, never averaged
        twice: the maximum of a coarse slot is the maximum of its samples.

        Returns
        -------
        dict of float64[len(ids), (until_s - start_s) / step_s]
            A matrix for each statistic asked for; NaN where nothing was received. ``DEFAULT`` is, by kind: gauge
            the last sample at the finest step, and at coarser ones the statistic of the first aggregation rule that
            is for its name, else the average; cumulative the last sample; counter the sum; timing the average; set
            the number of distinct members.
        """
        ...

    def percentiles(
        self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int, ranks: Sequence[float]
    ) -> dict[float, NDArray[np.float64]]:
        """Percentiles (ranks 0 to 100) of timings from their histograms, else as `read`; NaN for other kinds."""
        ...

    def tally(self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int) -> Tally:
        """All that is known of the slots that `read` would give of some series, ascending, each once.

        The rows' ``series`` are positions in `ids`; slots that nothing came for have none.
        """
        ...


class Store(StoreWriter, StoreReader, Protocol):
    """Keeps tallies of series and gives them back."""
