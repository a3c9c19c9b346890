"""`NamesCatalog`: finds the names that StatsD makes, beside those of series.

A pattern is laid on each form: its first components on those before the key, its last on those behind, and what is
between is a pattern for the series themselves. So finding costs what finding the series costs.

A pattern that begins with a wildcard means stored names only: ``sumSeries(*.requests)`` must not count a key twice. The
tree shows the roots (``stats``) nevertheless.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from tallystick.model.kind import Kind
from tallystick.query.statsd_names.forms import Bins, Form
from tallystick.query.statsd_names.keys import Keys, matches
from tallystick.query.statsd_names.marks import Marks
from tallystick.query.statsd_names.numbering import Ids, forms_of, made_id, series_of
from tallystick.store.contract import Catalog, Node
from tallystick.store.names.glob import Glob, split

_WILD = "*?["


class NamesCatalog:
    """A `tallystick.store.contract.Catalog` that has these names, too.

    `ids`, `search` and ``len`` are of series alone: every name made is found by its series.
    """

    def __init__(self, base: Catalog, marks: Marks, forms: Sequence[Form], histograms: Sequence[Bins]) -> None:
        self._base = base
        self._marks = marks
        self._forms = forms
        self._histograms = histograms

    def __len__(self) -> int:
        return len(self._base)

    def ids(self) -> Ids:
        """See `Catalog.ids`."""
        return self._base.ids()

    def search(self, text: str, limit: int) -> list[str]:
        """See `Catalog.search`."""
        return self._base.search(text, limit)

    def kinds(self, ids: Ids) -> NDArray[np.uint8]:
        """See `Catalog.kinds`; what StatsD makes is a gauge with one sample a slot."""
        return np.where(forms_of(ids) < 0, self._base.kinds(series_of(ids)), np.uint8(Kind.GAUGE)).astype(np.uint8)

    def names(self, ids: Ids) -> list[str]:
        """See `Catalog.names`."""
        keys, forms = self._base.names(series_of(ids)), forms_of(ids)
        if (forms < 0).all():
            return keys
        made = zip(keys, forms.tolist(), strict=True)
        return [key if form < 0 or not key else self._forms[form].name_of(key) for key, form in made]

    def find(self, pattern: str) -> Ids:
        """See `Catalog.find`. Of a name made and a stored one that are the same, the made one is found."""
        stored, keys = self._base.find(pattern), self._keys()
        made = [ids for globs in split(pattern) for ids in self._found(globs, keys)]
        return self._sorted(stored, made) if made else stored

    def tagged(self, expressions: Sequence[str], *, by_name: bool = True) -> Ids:
        """See `Catalog.tagged`; names made are found where ``name=`` says one."""
        stored = self._base.tagged(expressions, by_name=by_name)
        names = [text for text in expressions if text.startswith("name=") and not text.startswith("name=~")]
        if len(names) != 1:
            return stored
        others = [text for text in expressions if text is not names[0]]
        parts = names[0][5:].split(".")
        keys, made = self._keys(), []
        for number, form in enumerate(self._forms):
            key = _key_between(parts, form)
            if key:
                series = keys.of_form(form, self._base.tagged([f"name={key}", *others]))
                made.append(made_id(number, series))
        return self._sorted(stored, made) if any(map(len, made)) else stored

    def tag_keys(self, ids: Ids | None = None) -> list[str]:
        """See `Catalog.tag_keys`; names made have the tags of their series."""
        return self._base.tag_keys(None if ids is None else series_of(ids))

    def tag_values(
        self, key: str, ids: Ids | None = None, prefix: str = "", limit: int | None = None
    ) -> dict[str, int]:
        """See `Catalog.tag_values`."""
        if ids is None:
            return self._base.tag_values(key, None, prefix, limit)
        forms = forms_of(ids)
        if key != "name" or (forms < 0).all():
            return self._base.tag_values(key, series_of(ids), prefix, limit)
        counts: Counter[str] = Counter()
        for form in np.unique(forms).tolist():
            for path, number in self._base.tag_values(key, series_of(ids[forms == form])).items():
                counts[path if form < 0 else self._forms[form].name_of(path)] += number
        paths = sorted(path for path in counts if path.startswith(prefix))
        return {path: counts[path] for path in paths[:limit]}

    def children(self, pattern: str, among: NDArray[np.bool_] | None = None) -> list[Node]:
        """See `Catalog.children`; `among` is for stored names only."""
        stored, made = self._base.children(pattern, among), self._made(pattern)
        if not made:
            return stored
        found = {node.path: node for node in stored}
        for node in made:
            other = found.get(node.path, node)
            found[node.path] = replace(node, leaf=node.leaf or other.leaf, branch=node.branch or other.branch)
        return sorted(found.values(), key=lambda node: node.path)

    def paths(self, pattern: str, *, leaves_only: bool = False) -> list[str]:
        """See `Catalog.paths`."""
        stored, made = self._base.paths(pattern, leaves_only=leaves_only), self._made(pattern)
        if not made:
            return stored
        return sorted({*stored, *(node.path for node in made if node.leaf or not leaves_only)})

    def _made(self, pattern: str) -> list[Node]:
        """The nodes that names made have at the depth of a pattern, some of them several times."""
        keys = self._keys()
        return [node for globs in split(pattern) for node in self._nodes(globs, keys)]

    def _keys(self) -> Keys:
        return Keys(self._base, self._marks, self._histograms)

    def _sorted(self, stored: Ids, made: Sequence[Ids]) -> Ids:
        """All of them by name; one of each name, the made one first."""
        ids = np.concatenate([*made, stored])
        by_name: dict[str, int] = {}
        for name, one in zip(self.names(ids), ids.tolist(), strict=True):
            by_name.setdefault(name, one)
        return np.array([by_name[name] for name in sorted(by_name)], np.int32)

    def _reached(self, globs: Sequence[Glob]) -> Iterator[tuple[int, Form]]:
        """The forms whose components before the key a pattern matches."""
        if globs[0].text[:1] in _WILD:
            return
        for number, form in enumerate(self._forms):
            if all(map(matches, globs, form.before)):
                yield number, form

    def _found(self, globs: Sequence[Glob], keys: Keys) -> Iterator[Ids]:
        """The names of each form that a pattern matches."""
        for number, form in self._reached(globs):
            end = len(globs) - len(form.after)
            if end > len(form.before):
                series = keys.series(form, globs[len(form.before) : end], globs[end:])
                if len(series):
                    yield made_id(number, series)

    def _nodes(self, globs: Sequence[Glob], keys: Keys) -> Iterator[Node]:
        """The nodes that a pattern matches at its own depth, some of them several times."""
        if len(globs) == 1:
            reached = [form for form in self._forms if all(map(matches, globs, form.before))]
        else:
            reached = [form for _, form in self._reached(globs)]
        for form in reached:
            if not keys.exist(form):
                continue
            if len(globs) <= len(form.before):
                yield _branch(form.before[: len(globs)])
            else:
                yield from _below(form, globs[len(form.before) :], keys)


def _below(form: Form, globs: Sequence[Glob], keys: Keys) -> Iterator[Node]:
    """The nodes of a form behind its components before the key."""
    lead = "".join(f"{word}." for word in form.before)
    for node in keys.nodes(form, globs):
        yield replace(node, path=lead + node.path)
    for taken in range(1, min(len(form.after), len(globs) - 1) + 1):
        for key in keys.names(form, globs[:-taken], globs[-taken:]):
            if taken < len(form.after):
                yield _branch((*form.before, *key.partition(";")[0].split("."), *form.after[:taken]))
            else:
                tags = key[len(key.partition(";")[0]) :]
                yield Node(form.after[-1] + tags, form.name_of(key), leaf=True, branch=False)


def _branch(words: Sequence[str]) -> Node:
    return Node(words[-1], ".".join(words), leaf=False, branch=True)


def _key_between(parts: Sequence[str], form: Form) -> str:
    """The key that a name is made of by a form; empty if it is not."""
    begin, end = len(form.before), len(parts) - len(form.after)
    if end <= begin or tuple(parts[:begin]) != form.before or tuple(parts[end:]) != form.after:
        return ""
    return ".".join(parts[begin:end])
