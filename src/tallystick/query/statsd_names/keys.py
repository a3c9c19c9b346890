"""`Keys`: the series that came by StatsD, found by patterns for their keys; lives as long as one question."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.query.statsd_names.forms import Bin, Bins, Form
from tallystick.query.statsd_names.marks import Marks
from tallystick.query.statsd_names.numbering import SERIES_MAX, Ids
from tallystick.store.contract import Catalog, Node
from tallystick.store.names.glob import Glob

_NONE = np.empty(0, np.int32)


class Keys:
    """Looks each pattern up once, however many forms ask for it."""

    def __init__(self, catalog: Catalog, marks: Marks, histograms: Sequence[Bins]) -> None:
        self._catalog = catalog
        self._marks = marks
        self._histograms = histograms
        self._found: dict[tuple[str, int], tuple[Ids, list[str]]] = {}
        self._children: dict[tuple[str, int], list[Node]] = {}
        self._masks: dict[int, NDArray[np.bool_]] | None = None

    def exist(self, form: Form) -> bool:
        """Whether there is any series of the kind that a form is for."""
        return int(form.kind) in self._kinds()

    def of_form(self, form: Form, series: Ids) -> Ids:
        """Those of some series that a form makes a name of."""
        kept = self._of_kind(int(form.kind), series)
        return kept[self._has_bin(form, self._catalog.names(kept))] if isinstance(form.value, Bin) else kept

    def series(self, form: Form, key: Sequence[Glob], behind: Sequence[Glob]) -> Ids:
        """The series of a form whose key matches one pattern, and what the form has behind it another.

        The tags of a name stand behind its last component, so the pattern for that is one for the tags as well.
        """
        return self._matching(form, key, behind)[0]

    def names(self, form: Form, key: Sequence[Glob], behind: Sequence[Glob]) -> list[str]:
        """The names of `series`; `behind` may be for the first components behind the key only, which have no tags."""
        return self._matching(form, key, behind)[1]

    def nodes(self, form: Form, key: Sequence[Glob]) -> list[Node]:
        """The nodes that keys make at the depth of a pattern; where a form has something behind them all are branches,
        and tags stand further down."""
        path = _text(key)
        if not form.after:
            return self._nodes(form, path)
        found = [*self._nodes(form, path), *self._nodes(form, f"{path};*")]
        bare = {node.path.partition(";")[0]: node.name.partition(";")[0] for node in found}
        kept = zip(bare.items(), key[-1].matches(list(bare.values())), strict=True)
        return [Node(name, at, leaf=False, branch=True) for (at, name), fits in kept if fits]

    def _matching(self, form: Form, key: Sequence[Glob], behind: Sequence[Glob]) -> tuple[Ids, list[str]]:
        path = _text(key)
        if not behind:
            series = self.of_form(form, self._catalog.find(path))
            return series, self._catalog.names(series)
        if not all(map(matches, behind[:-1], form.after)):
            return _NONE, []
        if len(behind) < len(form.after):
            fits = matches(behind[-1], form.after[len(behind) - 1])
            return self._some(form, path, ["", ";*"] if fits else [], None)
        wild = any(sign in behind[-1].text for sign in "*?[{;")
        return self._some(form, path, ["", ";*"] if wild else [""], behind[-1])

    def _some(self, form: Form, path: str, ends: Sequence[str], last: Glob | None) -> tuple[Ids, list[str]]:
        """Series of a form, without tags (an end of "") or with them; `last` is the pattern for the last component."""
        series, names = [_NONE], list[str]()
        for end in ends:
            ids, found = self._found_by(int(form.kind), path + end)
            keep = np.array([(";" in name) == bool(end) for name in found], np.bool_)
            if last is not None:
                tails = [form.after[-1] + name[len(name.partition(";")[0]) :] for name in found]
                keep &= np.array(last.matches(tails) if end else [matches(last, form.after[-1])] * len(found), np.bool_)
            if isinstance(form.value, Bin):
                keep &= self._has_bin(form, found)
            series.append(ids[keep])
            names += [name for name, kept in zip(found, keep.tolist(), strict=True) if kept]
        return np.concatenate(series), names

    def _found_by(self, kind: int, pattern: str) -> tuple[Ids, list[str]]:
        if (pattern, kind) not in self._found:
            series = self._of_kind(kind, self._catalog.find(pattern))
            self._found[pattern, kind] = series, self._catalog.names(series)
        return self._found[pattern, kind]

    def _nodes(self, form: Form, pattern: str) -> list[Node]:
        kind = int(form.kind)
        if (pattern, kind) not in self._children:
            self._children[pattern, kind] = self._catalog.children(pattern, self._kinds()[kind])
        return self._children[pattern, kind]

    def _of_kind(self, kind: int, series: Ids) -> Ids:
        kept: Ids = series[(series < SERIES_MAX) & (self._catalog.kinds(series) == kind) & self._marks.of(series)]
        return kept

    def _kinds(self) -> dict[int, NDArray[np.bool_]]:
        """For each kind that there is, which ids have it."""
        if self._masks is None:
            marked = self._marks.ids()
            marked = marked[marked < SERIES_MAX]
            kinds = self._catalog.kinds(marked)
            self._masks = {}
            for kind in np.unique(kinds).tolist():
                mask = np.zeros(int(marked.max()) + 1, np.bool_)
                mask[marked[kinds == kind]] = True
                self._masks[kind] = mask
        return self._masks

    def _has_bin(self, form: Form, names: Sequence[str]) -> NDArray[np.bool_]:
        """For which keys the first histogram whose word is in them is the form's."""
        words = [one.metric for one in self._histograms]
        wanted = form.value.histogram if isinstance(form.value, Bin) else -1
        firsts = (next((i for i, word in enumerate(words) if word in name), -1) for name in names)
        return np.array([first == wanted for first in firsts], np.bool_)


def matches(glob: Glob, word: str) -> bool:
    """Whether a component matches."""
    return glob.literal == word if glob.literal is not None else glob.matches([word])[0]


def _text(globs: Sequence[Glob]) -> str:
    return ".".join(glob.text for glob in globs)
