"""OpenTSDB's points as JSON: kernel and twin agree on anything, and no bytes can hurt."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference import opentsdb_json as twin
from reference.outcome import Outcome
from tallystick.kernels.opentsdb_json import DEPTH_MAX
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, padded, protocols

NOW_MS = 1_700_000_000_123

WORDS = st.one_of(
    st.sampled_from(
        ["sys.cpu.user", "host", "web 1", "a;b=c", "", "caf\xe9", "n" * 600, 'qu"ote', "back\\slash", "\t"]
    ),
    st.text(max_size=12),
    st.integers(-5, 10**20),
    st.sampled_from([True, False, None, 1.5, [], {}]),
)
TIMES = st.one_of(
    st.integers(-5, 2**55),
    st.floats(0, 2e9),
    st.sampled_from(["1700000000", "1700000000.25", 1700000000123, 0, None, "x", 1e300, [1]]),
)
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**30), 10**30),
    st.sampled_from(["42.5", "1e3", ".5", "+7", "nan", "-Inf", "", " 1", "0x1", True, None, {}, "9" * 400, "1e999"]),
    st.text(max_size=6),
)
MEMBERS = st.one_of(
    st.tuples(st.just("metric"), WORDS),
    st.tuples(st.just("timestamp"), TIMES),
    st.tuples(st.just("value"), VALUES),
    st.tuples(st.just("tags"), st.one_of(st.dictionaries(st.text(max_size=5), WORDS, max_size=4), WORDS)),
    st.tuples(st.text(max_size=6), st.recursive(WORDS, lambda inner: st.lists(inner, max_size=2), max_leaves=4)),
)


@st.composite
def point(draw: st.DrawFn) -> dict[str, object]:
    usual = {
        "metric": draw(st.one_of(st.sampled_from(["sys.cpu.user", "m" * 1000]), WORDS)),
        "timestamp": draw(TIMES),
        "value": draw(VALUES),
        "tags": draw(st.dictionaries(st.sampled_from(["host", "cpu", "k=;"]), WORDS, max_size=3)),
    }
    changes = draw(st.lists(MEMBERS, max_size=2))
    left_out = draw(st.lists(st.sampled_from([*usual, ""]), max_size=1))
    return {key: value for key, value in (usual | dict(changes)).items() if key not in left_out}


@st.composite
def body(draw: st.DrawFn) -> bytes:
    points = draw(st.one_of(st.lists(point(), max_size=4), point()))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n", "\t: ")]))
    text = json.dumps(points, ensure_ascii=draw(st.booleans()), separators=separators)
    return draw(st.sampled_from(["", " ", "\n\t "])).join(["", text, ""]).encode("utf-8", "surrogatepass")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    changed = bytearray(draw(body()))
    for at, byte in draw(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=2)):
        if changed:
            changed[at % len(changed)] = byte
    return bytes(changed[: draw(st.integers(len(changed) // 2, len(changed)))])


ANY = st.one_of(body(), mutated(), st.binary(max_size=60))


def outcome_of(text: bytes, names: NameTable) -> Outcome:
    outcome = Outcome()
    buffer = padded(text)
    parsed = protocols()["opentsdb-json"]().parse(buffer, len(text), names, NOW_MS, final=True)
    assert parsed.consumed == len(text)
    assert bytes(buffer[: len(text)]) == text
    outcome.add(parsed, names)
    return outcome


@given(text=ANY)
@settings(max_examples=600, deadline=None)
@example(b"")
@example(b"[]")
@example(b"[ ] ")
@example(b"[] ,")
@example(b"{}")
@example(b"[{}]x")
@example(b"[{},]")
@example(b"[{}")
@example(b"{}{}")
@example(b"\xef\xbb\xbf{}")
@example(b'{"metric":"a","timestamp":1,"value":01}')
@example(b'{"metric":"a","timestamp":1,"value":1.}')
@example(b'{"metric":"a","timestamp":1,"value":-}')
@example(b'{"metric":"a","timestamp":1,"value":1e}')
@example(b'{"metric":"a","metric":"b","timestamp":1,"value":1}')
@example(b'{"metric":"a","timestamp":1,"value":NaN}')
@example(b'{"metric":"\\ud800","timestamp":1,"value":1}')
@example(b'{"\\u006detric":"a","timestamp":1,"value":1}')
@example(b'{"metric":"a","timestamp":1,"value":1,"tags":{"a":"1","a":"2"}}')
@example(b'{"metric":"a","timestamp":1,"value":1,"tags":{"a":"1",}}')
def test_the_kernel_says_what_its_twin_says(text: bytes) -> None:
    names = NameTable()
    for _ in range(2):  # the second time the names are guessed
        assert outcome_of(text, names) == twin.parse(text)


@given(texts=st.lists(ANY, max_size=4))
@settings(max_examples=100, deadline=None)
def test_one_message_does_not_change_what_another_gives(texts: list[bytes]) -> None:
    expected = Outcome()
    for text in texts:
        one = twin.parse(text)
        expected.samples += one.samples
        expected.rejects += one.rejects
    lengths = np.array([len(text) for text in texts], np.int32)
    offsets = np.array([sum(lengths[:i]) for i in range(len(lengths))], np.int64)
    names, outcome = NameTable(), Outcome()
    parser = protocols()["opentsdb-json"]()
    outcome.add(parser.parse_datagrams(padded(b"".join(texts)), offsets, lengths, names, NOW_MS), names)
    assert outcome == expected


@pytest.mark.parametrize("depth", [DEPTH_MAX - 1, DEPTH_MAX, 100_000])
def test_a_body_that_is_nested_deeply_is_refused_at_a_depth(depth: int) -> None:
    text = b'{"metric":"a","timestamp":1,"value":1,"x":' + b"[" * depth + b"]" * depth + b"}"
    outcome = outcome_of(text, NameTable())
    assert outcome.rejects == ({Reason.ENCODING: 1} if depth >= DEPTH_MAX else {})
    assert len(outcome.samples) == (depth < DEPTH_MAX)


def test_more_names_than_there_is_room_for_are_learned_on_the_way() -> None:
    points = [
        {"metric": f"m{k}", "timestamp": 1_700_000_000, "value": k, "tags": {"t": "\\"[k % 2 :]}} for k in range(9000)
    ]
    text = json.dumps(points).encode()
    outcome = outcome_of(text, NameTable())
    assert outcome == twin.parse(text)
    assert outcome.rejects == {Reason.TAG: 4500}


def test_samples_that_came_before_the_end_of_a_body_that_is_none_are_not_taken() -> None:
    text = b'[{"metric":"a","timestamp":1,"value":1},{"metric":"b","timestamp":x,"value":1}]'
    outcome = outcome_of(text, NameTable())
    assert (outcome.samples, outcome.rejects) == ([], {Reason.ENCODING: 1})


@pytest.mark.parametrize("size", [1, 5_000])
def test_a_body_that_python_would_have_to_read_for_long_is_refused_whatever_its_points_are(size: int) -> None:
    unusual = b'{"metric":"a","timestamp":1700000000,"value":1,"x":"' + b"x" * size + b'"}'
    few, many = 100, 5_000_000 // (size + 400)
    parser, names = protocols()["opentsdb-json"](), NameTable()
    for points, rejected in ((few, 0), (many, 1), (few, 0)):
        text = b"[" + b",".join([unusual] * points) + b"]"
        parsed = parser.parse(padded(text), len(text), names, NOW_MS, final=True)
        assert (len(parsed.batch), parsed.rejects.total) == (0 if rejected else points, rejected)
