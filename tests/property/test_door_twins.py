"""What the agent's doors make of lines is what the server's parsers make of them, and what they fold them to is too."""

import struct
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_istatd_twin import lines as istatd_line
from test_parse_twins import carbon_line, dogstatsd_message, opentsdb_line, statsd_line

from reference import carbon, istatd, opentsdb, statsd
from reference import outcome as twin
from tallystick.agent.doors.carbon import read_carbon
from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.istatd import read_istatd
from tallystick.agent.doors.messages import read_message
from tallystick.agent.doors.opentsdb import read_put
from tallystick.agent.doors.placing import PREFIXES, Placing
from tallystick.agent.doors.repeating import StatsdLines
from tallystick.agent.doors.sample import Member, Read, Sample, Tallied
from tallystick.agent.doors.sink import Sink
from tallystick.agent.doors.statsd import name_of, read_statsd, tags_of
from tallystick.agent.tallies import Tallies
from tallystick.model.clock import ManualClock
from tallystick.model.deviations import m2_of_squares
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA
from tallystick.native import Slot
from tallystick.native.distinct import hash_of_member
from tallystick.native.names import Place

NOW_MS = 1_700_000_000_123
LINE_BYTES_MAX = 1 << 16


def outcome_of(text: bytes, read: Callable[[bytes], Iterator[Read]]) -> tuple[twin.Outcome, list[Tallied]]:
    """What a door makes of each line, in the twins' words; slots that were tallied apart."""
    outcome, tallied = twin.Outcome(), []
    for line in text.split(b"\n"):
        for one in read(line):
            if isinstance(one, Tallied):
                tallied.append(one)
            else:
                outcome.take(as_twin(one))
    return outcome, tallied


def as_twin(read: Read) -> twin.Sample | Reason:
    if isinstance(read, Member):
        value = struct.unpack("<d", struct.pack("<Q", hash_of_member(read.text)))[0]
        return twin.Sample(read.name, NOW_MS, value, 1.0, int(Kind.SET))
    if isinstance(read, Sample):
        kind = int(read.kind) | (GAUGE_DELTA if read.is_change else 0)
        return twin.Sample(read.name, NOW_MS if read.at_ms is None else read.at_ms, read.value, read.weight, kind)
    assert isinstance(read, Reason)
    return read


def read_any_statsd(line: bytes, *, lenient: bool) -> Iterator[Read]:
    return read_message(line) if line.startswith((b"_e{", b"_sc|")) else read_statsd(line, lenient=lenient)


@given(st.lists(carbon_line(), max_size=5).map(b"".join))
def test_carbon_lines(text: bytes) -> None:
    expected = carbon.parse(text, NOW_MS, LINE_BYTES_MAX)
    assert outcome_of(text, lambda line: read_carbon(line, NOW_MS)) == (expected, [])


@given(st.lists(opentsdb_line(), max_size=5).map(b"".join))
def test_opentsdb_lines(text: bytes) -> None:
    expected = opentsdb.parse(text, NOW_MS, LINE_BYTES_MAX)
    assert outcome_of(text, lambda line: read_put(line, NOW_MS)) == (expected, [])


@given(st.lists(statsd_line() | dogstatsd_message() | st.binary(max_size=30), max_size=5).map(b"".join), st.booleans())
@settings(max_examples=200)
def test_statsd_lines(text: bytes, lenient: bool) -> None:
    expected = statsd.parse(text, NOW_MS, LINE_BYTES_MAX, lenient=lenient)
    assert outcome_of(text, lambda line: read_any_statsd(line, lenient=lenient)) == (expected, [])


@given(st.lists(istatd_line() | st.binary(max_size=30) | st.just(b"#host web1\n"), max_size=5).map(b"".join))
def test_istatd_lines(text: bytes) -> None:
    expected, tallies = istatd.parse(text, NOW_MS, LINE_BYTES_MAX)
    outcome, tallied = outcome_of(text, lambda line: read_istatd(line, NOW_MS))
    possible = [one for one in tallies if one[3][4] > 0.0 and one[3][2] <= one[3][3]]
    expected.rejects += Counter({Reason.VALUE: len(tallies) - len(possible)})
    assert outcome == expected
    assert [(one.name, one.at_ms, one.kind, one.spread[0], one.spread[1]) for one in tallied] == [
        (name, at_ms, kind, values[4], values[0]) for name, at_ms, kind, values in possible
    ]
    for one, (*_, values) in zip(tallied, possible, strict=True):
        columns = (np.array([value]) for value in (values[4], values[0], values[1], values[2], values[3]))
        assert one.spread[2] == pytest.approx(float(m2_of_squares(*columns)[0]), rel=1e-9, abs=1e-300)


USUAL_KEYS = st.sampled_from(
    [b"a.b", b"a.c", b"a b", b"a_b", b"a/b", b"^1 a", b"^2 a.b", b"a|b", b"", b"a;x=1", b"a;x"]
)
USUAL_BODIES = st.sampled_from(
    b"1|c 1|c 2|c|@0.5 3|g +2|g -1|g 7|g 12|ms 12.5|ms 3:4|h 5|d|@0.1|#k:v x|s y|s 1|c|#k:v 1|c|#k 1|c|T1700000000 "
    b"9|g|T1699999999 1|x -1|ms 1 1e400|c _sc|up|2|#a:b 1|c:2|ms".split()
)
usual_line = st.one_of(
    st.tuples(USUAL_KEYS, USUAL_BODIES).map(b":".join),
    st.sampled_from([b"_e{1,2}:a|bc|#k:v", b"_sc|up|1", b"", b"\r", b"a.b:1|c\r"]),
    statsd_line().map(lambda text: text.replace(b"\n", b"")),
)


@given(st.lists(st.lists(usual_line, max_size=20), max_size=8), st.booleans())
@settings(max_examples=100)
def test_lines_that_repeat_count_as_if_each_were_read_by_itself(pieces: list[list[bytes]], multiplex: bool) -> None:
    placing = Placing(Place("prod", "web", "web1"), multiplex=multiplex)
    clock = ManualClock(NOW_MS / 1000)
    fast, slow = (Sink(Tallies(clock), Counts(), "statsd") for _ in range(2))
    told: list[bytes] = []
    door = StatsdLines(fast, placing, when_told=told.append)
    events = 0
    for place, lines in enumerate(pieces):
        now_ms = NOW_MS + 3000 * place
        door.take(lines, now_ms)
        for line in lines:
            events += take_by_itself(slow, placing, line, now_ms)
        if place % 3 == 2:
            assert_same(fast.tallies.take(now_ms), slow.tallies.take(now_ms))
    assert_same(fast.tallies.drain(), slow.tallies.drain())
    assert fast.counts.rejected == slow.counts.rejected
    assert fast.counts.taken == slow.counts.taken
    assert len(told) == events


def take_by_itself(sink: Sink, placing: Placing, line: bytes, now_ms: int) -> bool:
    """Count a line; whether it tells an event."""
    prefix = line[:3] if line.startswith(PREFIXES) else b""
    if line.removesuffix(b"\r").startswith((b"_e{", b"_sc|")):
        reasons = [sink.take(read, line, now_ms) for read in read_message(line)]
        return line.startswith(b"_e{") and reasons == [Reason.NONE]
    reads = list(read_statsd(line[len(prefix) :]))
    key, _, body = line[len(prefix) :].removesuffix(b"\r").partition(b":")
    named = name_of(key, tags_of(body))
    if not isinstance(named, Reason) and isinstance(stored := sink.name_of(named), Reason) and b"|" not in key:
        sink.counts.reject(stored if body else Reason.FIELDS, line, now_ms)
        return False
    for read in reads:
        if isinstance(read, Reason):
            sink.counts.reject(read, line, now_ms)
            continue
        placed = placing.names(str(sink.name_of(read.name)), prefix)
        is_gauge = isinstance(read, Sample) and read.kind is Kind.GAUGE
        for one in placed.gauges if is_gauge else placed.names:
            sink.take(read._replace(name=one.encode()), line, now_ms)
    return False


def assert_same(ours: list[Slot], theirs: list[Slot]) -> None:
    def ordered(slots: list[Slot]) -> list[Slot]:
        return sorted(slots, key=lambda slot: (slot.name, slot.kind, slot.at_ms))

    assert len(ours) == len(theirs)
    for one, other in zip(ordered(ours), ordered(theirs), strict=True):
        assert (one.name, one.kind, one.at_ms, one.sketch) == (other.name, other.kind, other.at_ms, other.sketch)
        assert one.origin == other.origin == "statsd"
        assert (one.spread or ()) == pytest.approx(other.spread or (), rel=1e-12, abs=1e-9)
        assert one.kind is Kind.COUNTER or one.last == other.last
        assert dict(one.buckets) == pytest.approx(dict(other.buckets))
