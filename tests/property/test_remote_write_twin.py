"""Remote write: what the kernel reads of anything that the library of Protocol Buffers writes; no bytes can hurt it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prometheus_messages import request, write_request
from reference import remote_write as twin
from reference.outcome import Outcome
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, padded, protocols

NOW_MS = 1_700_000_000_123
VERSIONS = {"remote-write": (write_request, twin.parse), "remote-write-2": (request, twin.parse_2)}

WORDS = st.one_of(
    st.sampled_from(
        [b"job", b"name", b"le", b"a b", b"x;y", b"k=v!^", b"~up", b"", b"\xc3\xa9", b"\xff", b"C:\\DIR", b"v" * 300]
    ),
    st.binary(max_size=20),
    st.text(min_size=1, max_size=30).map(str.encode),
)
METRICS = st.one_of(
    st.sampled_from(
        [b"up", b"http_requests_total", b"x_bucket", b"x_count", b"x_sum", b"x_created", b"_total", b"my.metric", b""]
    ),
    WORDS,
)
LABELS = st.builds(
    lambda metric, before, after: [*before, *metric, *after],
    st.lists(METRICS.map(lambda metric: (b"__name__", metric)), min_size=1, max_size=1)
    | st.lists(METRICS.map(lambda metric: (b"__name__", metric)), max_size=2),
    st.lists(st.tuples(WORDS, WORDS), max_size=1),
    st.lists(st.tuples(WORDS, WORDS), max_size=4),
)
SAMPLES = st.fixed_dictionaries(
    {"value": st.floats(), "timestamp": st.one_of(st.integers(-5, 5), st.integers(1, (1 << 63) - 1))}
)
SERIES = st.tuples(LABELS, st.fixed_dictionaries({"samples": st.lists(SAMPLES, max_size=3)}))
SERIES_2 = st.tuples(
    LABELS,
    st.fixed_dictionaries(
        {"samples": st.lists(SAMPLES, max_size=3)},
        optional={"metadata": st.fixed_dictionaries({"type": st.integers(-1, 9), "help_ref": st.integers(0, 3)})},
    ),
)


def outcome_of(protocol: str, message: bytes) -> Outcome:
    names, outcome, parser = NameTable(), Outcome(), protocols()[protocol]()
    buffer = padded(message)
    for _ in range(2):  # the second time the names are guessed
        outcome = Outcome()
        parsed = parser.parse(buffer, len(message), names, NOW_MS, final=True)
        assert parsed.consumed == len(message)
        outcome.add(parsed, names)
    assert bytes(buffer[: len(message)]) == message
    return outcome


@pytest.mark.parametrize("protocol", VERSIONS)
@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_the_kernel_reads_what_the_library_writes(protocol: str, data: st.DataObject):
    write, parse = VERSIONS[protocol]
    message = write(data.draw(st.lists(SERIES if protocol == "remote-write" else SERIES_2, max_size=5)))
    assert outcome_of(protocol, message) == parse(message)


@pytest.mark.parametrize("protocol", VERSIONS)
@given(data=st.data())
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_taken_or_rejected(protocol: str, data: st.DataObject):
    """`Outcome.add` checks that every sample and reject is counted."""
    message = bytearray(
        VERSIONS[protocol][0](data.draw(st.lists(SERIES, max_size=3))) + data.draw(st.binary(max_size=9))
    )
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4)):
        if message:
            message[at % len(message)] = byte
    found = outcome_of(protocol, bytes(message))
    documented = {"FRAME", "TAG", "NAME_EMPTY", "NAME_LONG", "NAME_BYTES", "VALUE_NOT_FINITE", "STALE", "TIMESTAMP"}
    assert {reason.name for reason in found.rejects} <= documented | {"UNSUPPORTED", "RESET", "DUPLICATE"}


@pytest.mark.parametrize("protocol", VERSIONS)
def test_names_that_find_no_room_are_read_once_more(protocol: str):
    """More names than a table makes room for at once, in a single message: the kernel stops and goes on."""
    point = {"samples": [{"value": 1.0, "timestamp": 5}, {"value": 2.0, "timestamp": 6}]}
    series = [([(b"__name__", b"m%d" % k), (b"l", b"v" * 90)], point) for k in range(9000)]
    samples = outcome_of(protocol, VERSIONS[protocol][0](series)).samples
    assert [(s.name, s.value) for s in samples] == [
        (b"m%d;l=" % k + b"v" * 90, value) for k in range(9000) for value in (1.0, 2.0)
    ]


@pytest.mark.parametrize("protocol", VERSIONS)
def test_names_beyond_the_limit_are_rejected(protocol: str):
    message = VERSIONS[protocol][0](
        [([(b"__name__", name)], {"samples": [{"value": 1.0, "timestamp": 5}]}) for name in (b"a", b"b", b"c", b"a")]
    )
    names, outcome = NameTable(entries_max=2), Outcome()
    outcome.add(protocols()[protocol]().parse(padded(message), len(message), names, NOW_MS, final=True), names)
    assert [s.name for s in outcome.samples] == [b"a", b"b", b"a"]
    assert outcome.rejects == {Reason.SERIES_LIMIT: 1}


def test_a_message_of_the_other_version_holds_nothing():
    point = {"samples": [{"value": 1.0, "timestamp": 5}]}
    series = [([(b"__name__", b"a")], point)]
    assert outcome_of("remote-write", request(series)) == Outcome()
    assert outcome_of("remote-write-2", write_request(series)) == Outcome()


@pytest.mark.parametrize("protocol", VERSIONS)
def test_what_is_broken_costs_what_encloses_it(protocol: str):
    write, _ = VERSIONS[protocol]
    good = write([([(b"__name__", b"a")], {"samples": [{"value": 1.0, "timestamp": 5}]})])
    field = 1 if protocol == "remote-write" else 5
    broken_series = bytes([field << 3 | 2, 3]) + b"\x12\x7fx"
    message = good + broken_series + good
    outcome = outcome_of(protocol, message)
    assert (len(outcome.samples), outcome.rejects) == (2, {Reason.FRAME: 1})
    outcome = outcome_of(protocol, good + b"\x0b" + good)
    assert (len(outcome.samples), outcome.rejects) == (1, {Reason.FRAME: 1})
