"""Texts of Prometheus and OpenMetrics: we read what the official client writes, and what its parsers read."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from reference import labels as naming
from reference.outcome import Outcome
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Parser, padded, protocols
from tallystick.parse.heads import HEADS_MAX

NOW_MS = 1_700_000_000_123

NAMES = st.one_of(st.from_regex(r"[a-z][a-z0-9_:]{0,8}", fullmatch=True), st.sampled_from(["my.metric", "naïve name"]))
KEYS = st.one_of(
    st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), st.sampled_from(["name", "a.b", "k=v!"])
).filter(lambda key: key not in ("le", "quantile"))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)
NUMBERS = st.one_of(st.floats(), st.integers(0, 1 << 60).map(float))


@st.composite
def registries(draw: st.DrawFn) -> CollectorRegistry:
    registry = CollectorRegistry()
    for k, name in enumerate(draw(st.lists(NAMES, max_size=4))):
        keys = draw(st.lists(KEYS, max_size=3, unique=True))
        values = [draw(TEXTS) for _ in keys]
        kind = draw(st.sampled_from([Counter, Gauge, Histogram, Summary, Info]))
        metric = kind(f"{name}_{k}", draw(TEXTS), keys, registry=registry)
        if keys:
            metric = metric.labels(*values)
        if kind is Gauge:
            metric.set(draw(NUMBERS))
        elif kind is Counter:
            metric.inc(draw(st.floats(0, 1e12)))
        elif kind is Info:
            metric.info({"version": draw(TEXTS)})
        else:
            metric.observe(draw(st.floats(0, 1e6)))
    return registry


def expected_of(families: object) -> Outcome:
    """What the samples of the official parser are here."""
    outcome = Outcome()
    for family in families:
        for sample in family.samples:
            pairs = [(key.encode(), value.encode()) for key, value in sample.labels.items()]
            path = naming.clean(sample.name.encode(), naming.UNFIT)
            name = naming.named(path, pairs)
            if isinstance(name, Reason):
                outcome.reject(name)
            elif not math.isfinite(sample.value):
                outcome.reject(Reason.VALUE_NOT_FINITE)
            else:
                ms = NOW_MS if sample.timestamp is None else round(float(sample.timestamp) * 1000)
                kind = naming.kind_of(path, family.type if family.type in naming.TYPES else "unknown")
                outcome.samples.append((name[0], ms, sample.value, kind))
    outcome.samples.sort()
    return outcome


def found_in(protocol: str, text: bytes) -> Outcome:
    names, outcome = NameTable(), Outcome()
    outcome.add(protocols()[protocol]().parse(padded(text), len(text), names, NOW_MS, final=True), names)
    outcome.samples = sorted((s.name, s.timestamp_ms, s.value, s.kind) for s in outcome.samples)
    return outcome


@settings(max_examples=150, deadline=None)
@given(registries())
def test_the_text_of_the_official_client_is_read_as_its_parser_reads_it(registry: CollectorRegistry):
    text = generate_latest(registry)
    assert found_in("exposition", text) == expected_of(read_text(text.decode()))


@settings(max_examples=150, deadline=None)
@given(registries())
def test_the_openmetrics_of_the_official_client_is_read_as_its_parser_reads_it(registry: CollectorRegistry):
    text = generate_openmetrics(registry)
    assert found_in("openmetrics", text) == expected_of(read_openmetrics(text.decode()))


EXEMPLARS = """# TYPE a counter
# HELP a help
a_total 17.0 1520879607.789 # {trace_id="x # y"} 0.5 1520879607.7
a_created 1520872607.123 1520879607.789
# TYPE h histogram
h_bucket{le="0.5"} 1 # {} 0.4
h_bucket{le="+Inf"} 2
h_count 2
h_sum 1.5
# EOF
"""


def test_exemplars_and_times_are_as_the_official_parser_has_them():
    assert found_in("openmetrics", EXEMPLARS.encode()) == expected_of(read_openmetrics(EXEMPLARS))


HEADS = ("up", "up {a='b'}", "up{a='b'}", "up{a='b',}", "up_total", "up_bucket{le='1'}", "{'a.b',c='d'}", "{'up'}", "é")
TAILS = (
    " 1",
    "\t2.5",
    " 1 1520879607",
    " 1 1520879607.789",
    "1",
    "",
    " x",
    " {a='b'} 3",
    "{a='b'} 3",
    " 1 2 3",
    " 1 # {} 2",
)
SAID = st.one_of(
    st.tuples(st.sampled_from(HEADS), st.sampled_from(TAILS)).map("".join),
    st.tuples(st.sampled_from(["up", "'up'", "other"]), st.sampled_from(["counter", "gauge", "histogram"])).map(
        lambda told: f"# TYPE {told[0]} {told[1]}"
    ),
    st.just("# EOF"),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["exposition", "openmetrics"]),
    st.lists(st.tuples(st.lists(SAID, max_size=8), st.integers(1, 3)), min_size=1, max_size=4),
)
def test_what_a_sender_says_again_is_read_as_for_the_first_time(protocol: str, said: list[tuple[list[str], int]]):
    parser, names, afresh = protocols()[protocol](), NameTable(), NameTable()
    for lines, times in said:
        text = "\n".join(lines).replace("'", '"').encode()
        for _ in range(times):
            again, first = Outcome(), Outcome()
            again.add(parser.parse(padded(text), len(text), names, NOW_MS, final=True), names)
            new = protocols()[protocol]()
            first.add(new.parse(padded(text), len(text), afresh, NOW_MS, final=True), afresh)
            assert again == first


def read_by(parser: Parser, text: bytes, names: NameTable) -> list[bytes]:
    """The names of the samples of a text."""
    return names.names(parser.parse(padded(text), len(text), names, NOW_MS, final=True).batch.ids)


def many(series: int) -> tuple[bytes, list[bytes]]:
    """A text of so many samples, and their names."""
    text = "".join(f'many{{k="{k}"}} {k}\n' for k in range(series))
    return text.encode(), [f"many;k={k}".encode() for k in range(series)]


def test_what_is_remembered_of_heads_is_of_no_other_table_of_names():
    parser, names, other = protocols()["exposition"](), NameTable(), NameTable()
    text, expected = many(1000)
    assert all(read_by(parser, text, names) == expected for _ in range(4))
    other.intern_many([b"first", b"second"])
    names.become(other)
    assert read_by(parser, text, names) == expected


def test_more_heads_than_may_be_remembered_are_read_as_few_are():
    parser, names = protocols()["exposition"](), NameTable()
    text, expected = many(HEADS_MAX + 1)
    assert all(read_by(parser, text, names) == expected for _ in range(8))
