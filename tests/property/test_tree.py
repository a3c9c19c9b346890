"""The tree of names is found by columns as it is by looking through all names."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.model.kind import Kind
from tallystick.store.memory import MemoryStore
from tallystick.store.names.catalog import SeriesCatalog

WORD = st.sampled_from(["a", "b", "ab", "é", "c1"])
TAGS = st.sampled_from(["", "", ";host=x", ";host=y"])
NAME = st.builds(lambda words, tags: ".".join(words) + tags, st.lists(WORD, min_size=1, max_size=4), TAGS)
PART = st.sampled_from(["*", "*", "a", "b", "é", "a*", "*b", "?", "[ab]", "{a,b}", "none"])
PATTERN = st.builds(
    lambda parts, end: ".".join(parts) + end, st.lists(PART, min_size=1, max_size=5), st.sampled_from(["", ";host=*"])
)


@given(st.lists(NAME, unique=True, max_size=30), PATTERN)
@example(["a.b", "a.b.c1", "a.b;host=x"], "a.*")
@example(["a.b.c1", "a.b"], "a.b")
@settings(max_examples=300, deadline=None)
def test_children_and_series_are_those_of_the_plain_model(names: list[str], pattern: str):
    catalog, model = SeriesCatalog(), MemoryStore()
    catalog.create(names, np.zeros(len(names), np.uint8))
    if names:
        model.create(names, [Kind.GAUGE] * len(names))
    assert catalog.children(pattern) == model.catalog.children(pattern)
    for leaves_only in (False, True):
        assert catalog.paths(pattern, leaves_only=leaves_only) == model.catalog.paths(pattern, leaves_only=leaves_only)
    assert catalog.names(catalog.find(pattern)) == model.catalog.names(model.catalog.find(pattern))
