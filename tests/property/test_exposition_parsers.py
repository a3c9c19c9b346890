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
from tallystick.parse import NameTable, padded, protocols

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
