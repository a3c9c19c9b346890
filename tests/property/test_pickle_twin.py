"""Pickled frames: what the kernel reads of anything that Python can pickle, and that no bytes can hurt it."""

import pickle
import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import pickle as twin
from reference.outcome import Outcome
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, padded, protocols

NOW_MS = 1_700_000_000_123
PROTOCOLS = st.integers(0, pickle.HIGHEST_PROTOCOL)

NUMBERS = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(),
    st.booleans(),
    st.sampled_from(["1700000000", "-1", "2.5", "x", "", b"3e2", -1, -1.0]),
    st.integers(1 << 64, 1 << 70),
    st.none(),
)
NAMES = st.one_of(
    st.sampled_from(["web.h1.cpu", "a;host=x", "", "x y", "caf\xe9", "n" * 1025, b"as.bytes", b"\xff", None, 3]),
    st.text(st.characters(codec="ascii", exclude_characters="\\"), max_size=8),
)
ITEMS = st.one_of(
    st.tuples(NAMES, st.tuples(NUMBERS, NUMBERS)),
    st.tuples(NAMES, st.lists(NUMBERS, max_size=3)).map(list),
    st.sampled_from([(), ("a",), ("a", (1,)), ("a", (1, 2, 3)), ("a", (1, 2), 3), "a", 1, None, [], [[]]]),
)


def frame(program: bytes) -> bytes:
    return struct.pack(">I", len(program)) + program


def outcome_of(frames: bytes) -> Outcome:
    names, outcome = NameTable(), Outcome()
    parsed = protocols()["carbon-pickle"]().parse(padded(frames), len(frames), names, NOW_MS, final=True)
    assert parsed.consumed == len(frames)
    outcome.add(parsed, names)
    return outcome


@settings(max_examples=400, deadline=None)
@given(items=st.lists(ITEMS, max_size=12), protocol=PROTOCOLS, outer=st.sampled_from([list, tuple]))
def test_the_kernel_reads_what_python_pickles(items: list[object], protocol: int, outer: type):
    program = pickle.dumps(outer(items), protocol)
    expected = twin.parse(program, NOW_MS)
    found = outcome_of(frame(program))
    # In protocol 0 everything is text: what is escaped in it, and numbers of very many digits, we do not read.
    plain = program.isascii() and b"\\" not in program and all(len(line) <= 18 for line in program.split(b"\n"))
    if protocol > 0 or plain:
        assert found == expected


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("abc.", min_size=1, max_size=9),
            st.floats(
                -1e9,
                1e9,
            ),
        ),
        max_size=3000,
    ),
    PROTOCOLS,
)
def test_long_lists_are_read_whole(points: list[tuple[str, float]], protocol: int):
    program = pickle.dumps([(name, (1_700_000_000, value)) for name, value in points], protocol)
    samples = outcome_of(frame(program)).samples
    assert [(s.name.decode(), s.value) for s in samples] == points


@settings(max_examples=600, deadline=None)
@given(st.binary(max_size=200), st.lists(ITEMS, max_size=4), PROTOCOLS, st.randoms(use_true_random=False))
def test_any_bytes_are_taken_or_rejected(noise: bytes, items: list[object], protocol: int, random: object):
    """`Outcome.add` checks that every sample and reject is counted."""
    program = bytearray(pickle.dumps(items, protocol) + noise)
    for _ in range(3):
        program[random.randrange(len(program))] = random.randrange(256)
    outcome_of(frame(bytes(program)))
    outcome_of(bytes(program))


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 30))
def test_a_stream_may_be_cut_anywhere(programs: list[bytes], size: int):
    stream = b"".join(frame(pickle.dumps([(p.hex() or "x", (5, 1.0))])) + frame(p) for p in programs)
    names, outcome, parser = NameTable(), Outcome(), protocols()["carbon-pickle"]()
    rest = b""
    for at in range(0, len(stream), size):
        rest += stream[at : at + size]
        parsed = parser.parse(padded(rest), len(rest), names, NOW_MS)
        outcome.add(parsed, names)
        rest = rest[parsed.consumed :]
    assert rest == b""
    assert outcome == outcome_of(stream)


def test_a_frame_that_is_too_long_ends_the_connection():
    good = frame(pickle.dumps([("a", (5, 1.0))]))
    stream = good + struct.pack(">I", (1 << 20) + 1) + b"xyz"
    parsed = protocols()["carbon-pickle"]().parse(padded(stream), len(stream), NameTable(), NOW_MS)
    assert parsed.broken
    assert len(parsed.batch) == 1
    assert np.flatnonzero(parsed.rejects.counts).tolist() == [Reason.FRAME_LONG]


def test_nothing_is_ever_called(tmp_path):
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (open, (str(tmp_path / "made"), "w"))

    outcome = outcome_of(frame(pickle.dumps([("a", (1, 2.0)), Evil()])))
    assert outcome.rejects == {Reason.FRAME: 1}
    assert not (tmp_path / "made").exists()


def test_a_pickle_that_repeats_itself_takes_room_in_proportion():
    item = pickle.dumps(("a", (1, 2.0)), 2)[2:-1]
    program = b"(" + item + b"2" * 500_000 + b"t."  # a mark, the item, half a million duplicates, a tuple of all
    assert len(outcome_of(frame(program)).samples) == 500_001
