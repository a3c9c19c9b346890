"""What holds for every protocol of lines: where lines end, what is left in the buffer, and that nothing is lost."""

import numpy as np
import pytest

from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Parsed, Parser, Rejects, padded, protocols

NOW_MS = 1_700_000_000_000
GOOD = {"carbon": b"a 1 1700000000", "statsd": b"a:1|c"}


@pytest.fixture(params=sorted(GOOD))
def parser(request: pytest.FixtureRequest) -> Parser:
    return protocols()[request.param](line_bytes_max=100)


def feed(parser: Parser, text: bytes, *, final: bool = False, skipping: bool = False) -> Parsed:
    return parser.parse(padded(text), len(text), NameTable(), NOW_MS, final=final, skipping=skipping)


def test_the_unfinished_line_is_left_to_the_caller(parser: Parser):
    good = GOOD[parser.protocol]
    parsed = feed(parser, good + b"\n" + good[:3])
    assert (len(parsed.batch), parsed.consumed, parsed.lines) == (1, len(good) + 1, 1)
    assert len(feed(parser, good + b"\n" + good, final=True).batch) == 2


def test_an_overlong_line_counts_once_however_many_buffers_it_fills(parser: Parser):
    good = GOOD[parser.protocol]
    first = feed(parser, good + b"\n" + b"x" * 101)
    assert (first.consumed, first.skipping, first.lines) == (len(good) + 102, True, 2)
    assert first.rejects.counts[Reason.LINE_LONG] == 1
    middle = feed(parser, b"x" * 1000, skipping=True)
    assert (middle.consumed, middle.skipping, middle.lines) == (1000, True, 0)
    last = feed(parser, b"xxx\n" + good + b"\n", skipping=True)
    assert (last.skipping, len(last.batch), last.lines) == (False, 1, 1)
    assert feed(parser, b"x", skipping=True, final=True).lines == 0


def test_a_line_of_just_the_limit_is_taken_and_waits_for_its_end(parser: Parser):
    waiting = feed(parser, b"x" * 100)
    assert (waiting.consumed, waiting.skipping, waiting.lines) == (0, False, 0)
    parsed = feed(parser, b"x" * 100 + b"\n")
    assert parsed.rejects.counts[Reason.FIELDS] == 1


def test_nothing_at_all_is_nothing(parser: Parser):
    parsed = feed(parser, b"")
    assert (len(parsed.batch), parsed.lines, parsed.consumed) == (0, 0, 0)
    nothing = np.empty(0, np.int64), np.empty(0, np.int32)
    assert parser.parse_datagrams(padded(b""), *nothing, NameTable(), NOW_MS).lines == 0


def test_more_rejects_than_are_noted_are_all_counted(parser: Parser):
    parsed = feed(parser, b"bad\n" * 1000 + GOOD[parser.protocol] + b"\n")
    assert parsed.rejects.counts[Reason.FIELDS] == 1000
    assert len(parsed.rejects.offset) == 256
    assert parsed.lines == 1001


def test_names_beyond_the_limit_of_the_table_are_rejected(parser: Parser):
    good = GOOD[parser.protocol]
    text = b"".join(bytes([97 + i]) + good[1:] + b"\n" for i in range(5)) + good + b"\n"
    parsed = parser.parse(padded(text), len(text), NameTable(entries_max=3), NOW_MS)
    assert parsed.batch.ids.tolist() == [0, 1, 2, 0]
    assert parsed.rejects.counts[Reason.SERIES_LIMIT] == 2


def test_many_new_names_in_one_buffer_make_the_table_grow(parser: Parser):
    good = GOOD[parser.protocol]
    text = b"".join(b"%d.%s%s\n" % (i, b"n" * 50, good[1:]) for i in range(20_000))
    names = NameTable()
    parsed = parser.parse(padded(text), len(text), names, NOW_MS)
    assert parsed.batch.ids.tolist() == list(range(20_000))
    assert names.name(19_999) == b"19999." + b"n" * 50


def test_a_batch_is_not_overwritten_by_the_next_one(parser: Parser):
    first = feed(parser, GOOD[parser.protocol] + b"\n")
    kept = first.batch.value.copy(), first.batch.ids.copy(), first.batch.kind.copy(), first.batch.weight.copy()
    feed(parser, b"b" + GOOD[parser.protocol][1:].replace(b"1", b"7", 1) + b"\n")
    again = first.batch.value, first.batch.ids, first.batch.kind, first.batch.weight
    assert all(np.array_equal(x, y) for x, y in zip(kept, again, strict=True))


def test_a_sender_that_left_in_mid_line_is_one_reject():
    rejects = Rejects.one(Reason.TRUNCATED, 7, 12)
    assert (rejects.total, rejects.counts[Reason.TRUNCATED]) == (1, 1)
    assert (rejects.offset.tolist(), rejects.length.tolist()) == ([7], [12])
