"""The native protocol: what comes is what was sent, and what cannot be read costs a frame and the connection."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from native_senders import conversation, parsed
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.native import messages
from tallystick.native.messages import Name, Slot
from tallystick.parse import NameTable, Parsed, native, protocols
from tallystick.parse.native_connection import Connection, Greeting

NAMED = [("web.hits", Kind.COUNTER), ("web.time;host=a", Kind.TIMING), ("bad name", Kind.GAUGE), ("load", Kind.GAUGE)]
NOW_MS = 1_700_000_000_000
TIMING = Slot("web.time;host=a", Kind.TIMING, NOW_MS, 3.0, (2.0, 5.0, 0.5, 2.0, 3.0), [(40_031, 1.0), (40_050, 1.0)])
LOAD = Slot("load", Kind.GAUGE, NOW_MS - 3, 0.25)


def parser():
    return protocols()["native"]().connected()


def batch(number: int, *slots: tuple[int, Slot], generated: int | None = None, blocked: int = 0) -> bytes:
    return messages.batch(number, len(slots) if generated is None else generated, NOW_MS - 1000, slots, blocked)


def accounted(found: Parsed) -> Parsed:
    assert found.lines == found.taken + found.rejects.total
    return found


def reasons(found: Parsed) -> dict[str, int]:
    counts = found.rejects.counts
    return {Reason(k).name: int(counts[k]) for k in np.flatnonzero(counts).tolist()}


def test_slots_come_as_they_were_sent():
    names = NameTable()
    text = conversation("web1", "r1", NAMED, batch(7, (1, TIMING), (3, LOAD), generated=5), batch(9, (3, LOAD)))
    found = accounted(parsed(parser(), text, names))
    tallies, numbered = found.tallies, found.numbered
    assert tallies is not None and numbered is not None and tallies.histograms is not None
    assert names.names(tallies.ids) == [b"web.time;host=a", b"load", b"load"]
    assert tallies.kind.tolist() == [Kind.TIMING, Kind.GAUGE, Kind.GAUGE]
    assert tallies.timestamp.tolist() == [NOW_MS, NOW_MS - 3, NOW_MS - 3]
    assert tallies.last.tolist() == [3.0, 0.25, 0.25]
    s = tallies.spread
    assert [column.tolist() for column in (s.count, s.sum, s.m2, s.min, s.max)] == [
        [2.0, 1.0, 1.0],
        [5.0, 0.25, 0.25],
        [0.5, 0.0, 0.0],
        [2.0, 0.25, 0.25],
        [3.0, 0.25, 0.25],
    ]
    assert tallies.histograms.offset.tolist() == [0, 2, 2, 2]
    assert tallies.histograms.bucket.tolist() == [40_031, 40_050]
    assert (numbered.sender, numbered.number.tolist()) == ("web1/r1", [7, 9])
    assert (numbered.began.tolist(), numbered.generated.tolist()) == ([0, 2], [5, 1])
    assert found.reply == messages.framed(messages.welcome(1 << 20))
    assert found.receipt == messages.framed(messages.taken(9))
    assert not found.broken


def test_a_connection_is_read_in_any_pieces():
    text = conversation("web1", "r1", NAMED, *(batch(k, (1, TIMING), (3, LOAD)) for k in range(1, 9)))
    one, names, rest, taken = parser(), NameTable(), b"", 0
    for k in range(0, len(text), 7):
        rest += text[k : k + 7]
        found = accounted(parsed(one, rest, names))
        rest = rest[found.consumed :]
        taken += found.taken
    assert (taken, rest) == (16, b"")


def test_connections_know_nothing_of_each_other():
    shared, names = protocols()["native"](), NameTable()
    a, b = shared.connected(), shared.connected()
    parsed(a, conversation("a", "r", [("of.a", Kind.GAUGE)]), names)
    parsed(b, conversation("b", "r", [("of.b", Kind.GAUGE)]), names)
    for one, name in ((a, b"of.a"), (b, b"of.b")):
        found = accounted(parsed(one, messages.framed(batch(1, (0, LOAD))), names))
        assert found.tallies is not None
        assert names.names(found.tallies.ids) == [name]


def test_slots_of_names_that_no_series_can_have_are_rejected_by_themselves():
    found = accounted(parsed(parser(), conversation("a", "r", NAMED, batch(1, (2, LOAD), (3, LOAD)))))
    assert reasons(found) == {"NAME_BYTES": 1}
    assert (found.taken, found.broken) == (1, False)


def by_statsd(found: Parsed) -> list[bool] | None:
    assert found.tallies is not None
    return None if found.tallies.statsd is None else found.tallies.statsd.tolist()


def test_slots_of_names_that_came_by_statsd_say_so_from_then_on():
    one, names = parser(), NameTable()
    both = (1, TIMING), (3, LOAD)
    text = conversation("a", "r", NAMED, batch(1, *both), messages.origin("statsd", [0, 3]), batch(2, *both))
    assert by_statsd(parsed(one, text, names)) == [False, False, False, True]
    assert by_statsd(parsed(one, messages.framed(batch(3, *both)), names)) == [False, True]
    assert by_statsd(parsed(one, messages.framed(batch(4, (1, TIMING))), names)) is None
    assert by_statsd(parsed(one, conversation("a", "r", NAMED, batch(5, (3, LOAD))), names)) is None, "another greeting"


def test_other_origins_say_nothing_to_a_server():
    text = conversation("a", "r", NAMED, messages.origin("opentsdb", [3]), batch(1, (3, LOAD)))
    assert by_statsd(accounted(parsed(parser(), text))) is None


def test_senders_of_the_schema_before_are_understood():
    greeting = messages.hello("a", "r", "", messages.FINGERPRINT_WITHOUT_ORIGIN)
    text = b"".join(map(messages.framed, (greeting, messages.names(0, [Name("n", Kind.GAUGE)]), batch(1, (0, LOAD)))))
    found = accounted(parsed(parser(), text))
    assert (found.taken, found.broken) == (1, False)


@pytest.mark.parametrize(
    "text",
    [
        messages.framed(batch(1, (0, LOAD))),
        messages.framed(messages.origin("statsd", [])),
        messages.framed(messages.names(0, [Name(*name) for name in NAMED])),
        messages.framed(messages.hello("a b", "r")),
        messages.framed(messages.hello("a", "r") + b"x"),
        messages.framed(messages.hello("a", "r").replace(messages.FINGERPRINT, b"12345678")),
        messages.framed(messages.hello("a", "r")[:-1]),  # without a token
        messages.framed(b""),
        messages.framed(b"\x0e"),
        struct.pack(">I", 3) + b"abc",
    ],
)
def test_what_does_not_begin_with_a_greeting_that_we_know_ends_the_connection(text: bytes):
    found = accounted(parsed(parser(), text))
    assert reasons(found) == {"FRAME": 1}
    assert found.broken


@pytest.mark.parametrize(
    "message",
    [
        batch(1, (4, LOAD)),  # there is no such name
        batch(0, (3, LOAD)),
        batch(1, (3, LOAD), generated=-1),
        batch(1, (3, LOAD), generated=2, blocked=3),
        batch(1, (3, LOAD), generated=2, blocked=-1),
        batch(1, (3, LOAD)) + b"\0",
        batch(1, (3, LOAD))[:-1],
        messages.names(3, [Name("a", Kind.GAUGE)]),
        messages.names(4, [Name("a", Kind.GAUGE)])[:-6] + b"\x0a\0\0\0\0\0",  # no such kind
        messages.names(4, [Name("a", Kind.GAUGE)])[:-2] + b"\x02\0",  # what is said goes on behind it
        messages.origin("statsd", [4]),  # there is no such name
        messages.origin("statsd", [-1]),
        messages.origin("a b", [3]),
        messages.origin("", [3]),
        messages.origin("a" * 65, [3]),
        messages.origin("statsd", [3]) + b"\0",
        messages.origin("statsd", [3])[:-1],
        messages.origin("statsd", [])[:-1] + b"\xff\xff\xff\xff\x0f\0",
        b"\x0c\xff\xff\xff\xff\x0f",  # gigabytes of a word
        messages.batch(1, 1, 0, [])[:-1] + b"\xff\xff\xff\xff\x0f\0",  # billions of slots
        messages.batch(1, 1, 0, [])[:-1] + b"\xff" * 11,
    ],
)
def test_a_frame_that_cannot_be_read_is_not_taken_at_all_and_ends_the_connection(message: bytes):
    text = conversation("a", "r", NAMED) + messages.framed(message) + messages.framed(batch(5, (3, LOAD)))
    found = accounted(parsed(parser(), text))
    assert (reasons(found), found.taken, found.broken) == ({"FRAME": 1}, 0, True)


def test_a_flood_of_greetings_is_one_greeting_and_ends_the_connection():
    hello = messages.framed(messages.hello("a", "r"))
    one = parser()
    assert not parsed(one, hello).broken
    assert not parsed(one, hello).broken, "it begins anew, once it was answered"
    found = accounted(parsed(one, hello * 1000))
    assert found.broken
    assert found.reply == messages.framed(messages.welcome(1 << 20))


def test_small_frames_of_names_cost_no_look_at_all_connections(monkeypatch: pytest.MonkeyPatch):
    shared = protocols()["native"]()
    one, others = shared.connected(), [shared.connected() for _ in range(50)]
    looks = 0
    size_bytes = Connection.size_bytes

    def counted(connection: Connection) -> int:
        nonlocal looks
        looks += 1
        return size_bytes.__get__(connection)

    monkeypatch.setattr(Connection, "size_bytes", property(counted))
    frames = b"".join(messages.framed(messages.names(k, [Name("a", Kind.GAUGE)])) for k in range(4000))
    assert not parsed(one, messages.framed(messages.hello("a", "r")) + frames).broken
    assert looks <= 40 * (len(others) + 3), "only as often as room was made, which doubles"


def test_a_frame_whose_checksum_is_wrong_is_not_read():
    frame = bytearray(messages.framed(batch(1, (3, LOAD))))
    frame[-9] ^= 1
    found = accounted(parsed(parser(), conversation("a", "r", NAMED) + bytes(frame)))
    assert (reasons(found), found.taken, found.broken) == ({"FRAME": 1}, 0, True)


def with_greeting(greeting: Greeting):
    shared = native.NativeParser()
    shared.greeting = greeting
    return shared.connected()


def test_where_a_token_is_asked_for_who_brings_another_is_not_heard():
    greeting = Greeting(token="open-sesame")
    assert not parsed(with_greeting(greeting), conversation("a", "r", NAMED, token="open-sesame")).broken
    for token in ("", "open-sesamE", "öffne-dich", "open-sesame-and-more"):
        text = conversation("a", "r", NAMED, batch(1, (3, LOAD)), token=token)
        found = accounted(parsed(with_greeting(greeting), text))
        assert (reasons(found), found.taken, found.broken, found.reply) == ({"UNAUTHORIZED": 1}, 0, True, b"")
        assert token.encode() not in found.rejects.text(0, np.frombuffer(text, np.uint8), 1000) or not token


def test_a_second_greeting_with_a_wrong_token_ends_what_the_first_one_began():
    one = with_greeting(Greeting(token="t"))
    parsed(one, conversation("a", "r", NAMED, token="t"))
    parsed(one, messages.framed(messages.hello("a", "r", "T")))
    found = accounted(parsed(one, messages.framed(batch(1, (3, LOAD)))))
    assert (found.taken, found.broken) == (0, True)


def test_what_is_said_of_names_is_told_once_they_are_learnt():
    told: list[Name] = []
    named = [
        Name("plain", Kind.GAUGE),
        Name("full", Kind.TIMING, "ms", "team-x", "How long it takes – all of it", "p99 > 300"),
        Name("bad name", Kind.GAUGE, "bytes"),
        Name("owned", Kind.COUNTER, owner="b"),
    ]
    one = with_greeting(Greeting(when_described=told.extend))
    text = messages.framed(messages.hello("a", "r")) + messages.framed(messages.names(0, named))
    accounted(parsed(one, text))
    assert told == [named[1], named[3]], "not of names that no series can have"
    long = Name("long", Kind.GAUGE, description="ä" * 5000)
    accounted(parsed(one, messages.framed(messages.names(4, [long]))))
    assert told[2] == long._replace(description="ä" * 512)


def test_what_is_said_in_bytes_that_are_no_text_is_made_readable():
    told: list[Name] = []
    one = with_greeting(Greeting(when_described=told.extend))
    message = messages.names(0, [Name("n", Kind.GAUGE, unit="ab")]).replace(b"\x04ab", b"\x04\xff\xfe")
    assert not parsed(one, messages.framed(messages.hello("a", "r")) + messages.framed(message)).broken
    assert [name.unit for name in told] == ["\ufffd\ufffd"]


class Blocks:
    version = 7
    patterns = ("noise.*", "*.debug")

    def globs_for(self, host: str) -> tuple[str, ...]:
        return self.patterns if host == "" else ()

    def when_changed(self, call) -> None:
        raise AssertionError("a parser does not ask")


def test_who_is_admitted_is_told_what_is_blocked():
    reply = parsed(with_greeting(Greeting(blocklist=Blocks())), conversation("a", "r", NAMED)).reply
    told = messages.framed(messages.blocked(7, Blocks.patterns))
    assert reply == messages.framed(messages.welcome(1 << 20)) + told
    assert messages.read_blocked(told[8:], 1) == (7, list(Blocks.patterns))


def test_of_a_list_that_is_too_long_the_first_patterns_are_told():
    patterns = [f"{k:05}" + "x" * 995 for k in range(100)]
    message = messages.blocked(1, patterns)
    version, told = messages.read_blocked(message, 1)
    assert (version, told) == (1, patterns[: len(told)])
    assert 40 < len(told) < 60 and len(message) < messages.BLOCKED_BYTES_MAX + 100


def test_how_many_were_blocked_at_the_source_is_told_with_each_batch():
    text = conversation("a", "r", NAMED, batch(1, (3, LOAD), generated=5, blocked=4), batch(2, generated=9, blocked=9))
    found = accounted(parsed(parser(), text))
    assert found.numbered is not None
    assert (found.numbered.generated.tolist(), found.numbered.blocked.tolist()) == ([5, 9], [4, 9])
    assert [found.numbered.blocked_after(k) for k in range(3)] == [13, 9, 0]


def test_who_has_no_run_numbers_nothing_and_gets_no_answer():
    found = accounted(parsed(parser(), conversation("a", "", NAMED, batch(0, (3, LOAD)), batch(0, (3, LOAD)))))
    assert (found.taken, found.numbered, found.receipt) == (2, None, b"")
    found = accounted(parsed(parser(), conversation("a", "", NAMED, batch(1, (3, LOAD)))))
    assert (reasons(found), found.broken) == ({"FRAME": 1}, True)


def test_a_greeting_begins_anew():
    one, names = parser(), NameTable()
    for k in range(2):
        text = conversation("a", f"r{k}", [(f"own.{k}", Kind.GAUGE)], batch(1, (0, LOAD)))
        found = accounted(parsed(one, text, names))
        assert found.tallies is not None and found.numbered is not None
        assert names.names(found.tallies.ids) == [f"own.{k}".encode()]
        assert found.numbered.sender == f"a/r{k}"


def test_numbers_grow():
    text = conversation("a", "r", NAMED, batch(3, (3, LOAD)), batch(3, (3, LOAD)))
    found = accounted(parsed(parser(), text))
    assert (reasons(found), found.taken, found.broken) == ({"FRAME": 1}, 1, True)


def test_names_stay_known_when_the_table_is_made_anew():
    one, names = parser(), NameTable()
    parsed(one, conversation("a", "r", NAMED, batch(1, (3, LOAD))), names)
    names.become(NameTable())
    names.intern_many([b"other", b"more"])
    found = accounted(parsed(one, messages.framed(batch(2, (3, LOAD), (2, LOAD))), names))
    assert found.tallies is not None and reasons(found) == {"NAME_BYTES": 1}
    assert names.names(found.tallies.ids) == [b"load"]


def test_names_that_found_no_place_are_asked_for_again():
    one, names = parser(), NameTable(entries_max=1)
    found = accounted(parsed(one, conversation("a", "r", NAMED, batch(1, (0, LOAD), (3, LOAD))), names))
    assert (reasons(found), found.taken, found.broken) == ({"SERIES_LIMIT": 1}, 1, False)
    names.become(NameTable(entries_max=2))
    found = accounted(parsed(one, messages.framed(batch(2, (0, LOAD), (3, LOAD))), names))
    assert (reasons(found), found.taken) == ({}, 2)


def test_many_names_find_room_while_a_batch_is_read():
    named = [(f"of.many.{k}", Kind.GAUGE) for k in range(20_000)]
    one, names = parser(), NameTable()
    parsed(one, conversation("a", "r", named), names)
    assert len(names) == 0
    message = messages.framed(messages.batch(1, 1, 0, [(k, LOAD) for k in range(20_000)]))
    found = accounted(parsed(one, message, names))
    assert found.tallies is not None
    assert names.names(found.tallies.ids) == [name.encode() for name, _ in named]


def test_names_of_all_connections_together_are_bounded(monkeypatch):
    monkeypatch.setattr(native, "NAMES_BYTES_MAX", 15_000)
    shared = protocols()["native"]()
    named = [("n" * 1000, Kind.GAUGE)] * 2
    held = [shared.connected() for _ in range(3)]
    broken = [parsed(one, conversation("a", "r", named)).broken for one in held]
    assert broken[0] is False and broken[-1] is True
    held.clear()
    assert not parsed(shared.connected(), conversation("a", "r", named)).broken


@given(st.lists(st.binary(max_size=80) | st.just(batch(1, (1, TIMING))), max_size=4), st.binary(max_size=30))
def test_any_messages_are_taken_or_rejected(found: list[bytes], rest: bytes):
    text = conversation("a", "r", NAMED, *found) + rest
    accounted(parsed(parser(), text, final=True))
    accounted(parsed(parser(), rest, final=True))


@settings(max_examples=300)
@given(st.integers(0, 200), st.integers(0, 255), st.integers(0, 40))
def test_any_message_with_a_wrong_byte_is_taken_or_rejected(place: int, byte: int, cut: int):
    message = bytearray(batch(1, (1, TIMING), (3, LOAD), (0, TIMING)))
    message[place % len(message)] = byte
    message = message[: len(message) - cut]
    found = accounted(parsed(parser(), conversation("a", "r", NAMED, bytes(message))))
    assert found.taken + found.rejects.total in (1, 3) or not found.taken
