"""Whatever a polled target answers: each value is taken or rejected with a reason, and nothing is raised."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.model.name import NAME_BYTES_MAX
from tallystick.parse.ganglia_xml import read_report
from tallystick.parse.munin import read_conversation
from tallystick.parse.reading import Reading

NOW_MS = 1_700_000_000_000

VALUES = st.one_of(st.floats().map(repr), st.text(max_size=6), st.sampled_from(["U", "5:U", "1699999999:4", "9" * 500]))
WORDS = st.one_of(st.text(max_size=5), st.sampled_from(["a", "web1.lan", "n" * 1100, "DERIVE", "COUNTER"]))
MUNIN_LINES = st.one_of(
    st.builds("> {} {}".format, st.sampled_from(["list", "config", "fetch"]), WORDS),
    st.builds("{}.value {}".format, WORDS, VALUES),
    st.builds("{}.type {}".format, WORDS, WORDS),
    st.builds("multigraph {}".format, WORDS),
    st.sampled_from([".", "", "# Bad exit", "graph_title x"]),
    st.text(max_size=20),
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["NAME", "VAL", "TYPE", "TN", "SLOPE", "SUM", "NUM"]),
    st.one_of(
        VALUES, WORDS, st.sampled_from(["string", "float", "positive", "-1", "99999999999"]), st.integers().map(str)
    ),
)
ATTRIBUTE = '{}="{}"'
TAGS = st.builds(
    lambda tag, attributes, end: f"<{tag} {' '.join(map(ATTRIBUTE.format, attributes, attributes.values()))}{end}",
    st.sampled_from(["GANGLIA_XML", "GRID", "CLUSTER", "HOST", "METRIC", "METRICS", "/HOST", "/CLUSTER", "!ENTITY"]),
    ATTRIBUTES,
    st.sampled_from([">", "/>", "></METRIC>", ""]),
)
TEXTS = {
    "munin": st.lists(MUNIN_LINES, max_size=12).map("\n".join),
    "ganglia-xml": st.lists(TAGS, max_size=12).map("".join),
}
READERS: dict[str, Callable[[bytes, str, int], Reading]] = {"munin": read_conversation, "ganglia-xml": read_report}


@pytest.mark.parametrize("name", sorted(READERS))
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_any_answer_is_read_without_an_exception(name: str, data: st.DataObject) -> None:
    text = data.draw(st.one_of(TEXTS[name].map(lambda t: t.encode("utf-8", "replace")), st.binary(max_size=60)))
    reading = READERS[name](text, "p", NOW_MS)
    assert reading.seen == len(reading.samples) + len(reading.rejects)
    assert all(len(known) <= NAME_BYTES_MAX and known.startswith(b"p.") for known in reading.names)
    assert all(0 <= entry < len(reading.names) for entry in reading.samples.ids.tolist())
