"""Keys and values of tags are those that looking at each name finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.model.kind import Kind
from tallystick.model.name import canonical
from tallystick.store.memory_catalog import MemoryCatalog
from tallystick.store.names.catalog import SeriesCatalog

WORDS = st.text("ab\u00e9\U0001f600.", min_size=1, max_size=4)
KEYS = st.sampled_from(["a", "b", "host", "name"])
NAMES = st.builds(
    lambda path, tags: canonical(path + "".join(f";{key}={value}" for key, value in tags.items())),
    WORDS,
    st.dictionaries(KEYS, WORDS, max_size=3),
)
EXPRESSIONS = st.sampled_from(["name=~.", "a=~a", "host!=", "b=a", "name=~a"])


@settings(max_examples=80, deadline=None)
@given(
    names=st.lists(NAMES, unique=True, max_size=20),
    expressions=st.lists(EXPRESSIONS, max_size=2),
    prefix=st.text("ab\u00e9", max_size=2),
    limit=st.none() | st.integers(1, 5),
)
def test_tags_are_what_the_names_say(names: list[str], expressions: list[str], prefix: str, limit: int | None) -> None:
    columns = SeriesCatalog()
    ids = columns.create(names, [Kind.GAUGE] * len(names))
    plain = MemoryCatalog({i: (name, Kind.GAUGE) for i, name in zip(ids.tolist(), names, strict=True)})
    found = columns.tagged(expressions, by_name=False) if expressions else None
    assert columns.tag_keys(found) == plain.tag_keys(found)
    for key in ("a", "host", "name", "nothing"):
        values = columns.tag_values(key, found, prefix, limit)
        assert list(values.items()) == list(plain.tag_values(key, found, prefix, limit).items())
