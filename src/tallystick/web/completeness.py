"""How complete the series of a target are: from the windows in memory, and for older ones from the stored counts."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import OTHER
from tallystick.ledger import Ledger
from tallystick.ledger.collector import prefix_name
from tallystick.ledger.completeness import CAUSES, Kept, kept_in, window_start_s
from tallystick.ledger.prefixes import Prefixes, prefix_of
from tallystick.ledger.terms import WINDOW_S
from tallystick.model.statistic import Statistic
from tallystick.query import Request as Reading
from tallystick.query.grammar import Call, Node, Path, Template
from tallystick.store.contract import Store

_PREFIXES_SHOWN_MAX = 50
_SETTLED_AFTER = 12  # windows
_OWN = "tallystick."


class Stretch(msgspec.Struct, frozen=True):
    """Windows or slots that follow each other: samples stored, and lost, in each."""

    start: int
    step: int
    stored: list[float]
    lost: list[float]


class Answer(msgspec.Struct, frozen=True):
    """How complete some series are.

    Parameters
    ----------
    complete
        Stored of what was stored and lost, 0 to 1; None where nothing is known.
    causes
        What was lost, by reason; ``before`` is what the stored counts know of windows that are no longer in memory.
    prefixes
        What is counted together: the figures are of all series that begin with one of these.
    """

    complete: float | None
    stored: float
    lost: float
    causes: dict[str, float]
    prefixes: list[str]
    stretches: list[Stretch]
    start: int
    until: int


class Completeness:
    """Answers by prefix, which is how the ledger counts."""

    def __init__(self, ledger: Ledger, store: Store) -> None:
        self._ledger = ledger
        self._store = store
        self._settled: dict[int, Kept] = {}

    def of(self, targets: Sequence[Node], asked: Reading) -> Answer:
        """How complete all series are that targets name, between the times of a request.

        Raises
        ------
        QueryError
            If a glob cannot be read.
        """
        names = self._names(targets)
        depth = self._ledger.prefixes.depth
        texts = sorted({prefix_of(name, depth) for name in names})
        recent, causes = self._from_memory(texts, asked)
        first_s = recent.start if recent.stored else asked.until_s
        older = self._from_store(texts, asked.from_s, min(first_s, asked.until_s))
        stretches = [part for part in (older, recent) if part.stored]
        before = sum(older.lost)
        if before:
            causes["before"] = before
        stored, lost = sum(sum(part.stored) for part in stretches), sum(sum(part.lost) for part in stretches)
        return Answer(
            stored / (stored + lost) if stored + lost else None,
            stored,
            lost,
            {cause: round(count, 3) for cause, count in causes.items()},
            texts[:_PREFIXES_SHOWN_MAX],
            stretches,
            asked.from_s,
            asked.until_s,
        )

    def _names(self, targets: Sequence[Node]) -> list[str]:
        catalog = self._store.catalog
        ids = [catalog.find(pattern) for target in targets for pattern in _patterns(target)]
        return catalog.names(np.unique(np.concatenate(ids))) if ids else []

    def _from_memory(self, texts: Sequence[str], asked: Reading) -> tuple[Stretch, dict[str, float]]:
        windows = [
            number
            for number in self._ledger.windows()
            # Times are whole seconds: what has just begun is there already.
            if asked.from_s < window_start_s(number) + WINDOW_S and window_start_s(number) <= asked.until_s
        ]
        if not windows or not texts:
            return Stretch(asked.until_s, WINDOW_S, [], []), {}
        stored, lost = np.zeros(windows[-1] - windows[0] + 1), np.zeros(windows[-1] - windows[0] + 1)
        causes = np.zeros(len(CAUSES))
        known, prefixes = self._ledger.prefixes, _numbers(self._ledger.prefixes, texts)
        for number in windows:
            kept = self._kept(number)
            if kept.prefixes is not known:
                known, prefixes = kept.prefixes, _numbers(kept.prefixes, texts)
            own = prefixes[prefixes < len(kept.stored)]  # others were not there yet
            stored[number - windows[0]] = kept.stored[own].sum()
            lost[number - windows[0]] = kept.lost[own].sum()
            causes += kept.lost[own].sum(axis=0)
        found = {CAUSES[k]: float(causes[k]) for k in np.flatnonzero(causes).tolist()}
        return Stretch(window_start_s(windows[0]), WINDOW_S, stored.tolist(), lost.tolist()), found

    def _kept(self, number: int) -> Kept:
        """What became of each prefix in a window; remembered where it has been over for a while."""
        kept = self._settled.get(number)
        if kept is None:
            kept = kept_in(self._ledger, number)
            if number < self._ledger.window() - _SETTLED_AFTER:
                self._settled[number] = kept
                for old in set(self._settled) - set(self._ledger.windows()):
                    self._settled.pop(old, None)
        return kept

    def _from_store(self, texts: Sequence[str], from_s: int, until_s: int) -> Stretch:
        known = {prefix_name(text) for text in texts}
        if OTHER in _numbers(self._ledger.prefixes, texts):
            known.add(prefix_name("other"))  # those that have no place of their own were counted together
        columns: dict[str, NDArray[np.float64]] = {}
        step_s, start_s = WINDOW_S, from_s
        found = {what: self._ids(known, what) for what in ("stored", "lost")}
        every = np.concatenate([*found.values()])
        if len(every) and from_s < until_s:
            step_s = int(self._store.steps(every, from_s, until_s).max())
            start_s, end_s = from_s // step_s * step_s, -(-until_s // step_s) * step_s
            for what, ids in found.items():
                if len(ids):
                    read = self._store.read(ids, start_s, end_s, step_s, [Statistic.SUM])
                    columns[what] = np.nansum(read[Statistic.SUM], axis=0)
        stored = columns.get("stored", np.empty(0))
        lost = columns.get("lost", np.zeros(len(stored)))
        return Stretch(start_s, step_s, stored.tolist(), lost.tolist())

    def _ids(self, names: set[str], what: str) -> NDArray[np.int32]:
        found = [self._store.catalog.find(f"{_OWN}{name}.{what}") for name in sorted(names)]
        return np.concatenate([np.empty(0, np.int32), *found])


def _numbers(prefixes: Prefixes, texts: Sequence[str]) -> NDArray[np.int64]:
    """The numbers of prefixes, each once."""
    return np.array(sorted({prefixes.find(text) for text in texts}), np.int64)


def _patterns(node: Node) -> Iterator[str]:
    """The globs that an expression reads."""
    match node:
        case Path():
            yield node.pattern
        case Call(arguments=arguments, keywords=keywords):
            for one in (*arguments, *keywords.values()):
                yield from _patterns(one)
        case Template(body=body):
            yield from _patterns(body)
        case _:
            return
