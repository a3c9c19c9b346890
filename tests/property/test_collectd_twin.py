"""collectd's packets and posts: kernel and twin agree on anything, and no bytes can hurt the parsers."""

import json
import struct

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference import collectd as twin
from reference import collectd_posts as posts
from reference.outcome import Outcome
from tallystick.config.collectd import WriteGraphite
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Parser, padded
from tallystick.parse.collectd import CollectdParser, CollectdPostParser
from tallystick.parse.collectd.seals import Seals

NOW_MS = 1_700_000_000_123
TYPES = {"load": (("shortterm", 1), ("midterm", 1)), "cpu": (("value", 2),), "long": (("n" * 200, 1), ("m", 1))}
SOURCES = {type_: [name for name, _ in sources] for type_, sources in TYPES.items()}

WORDS = st.one_of(
    st.sampled_from(
        [b"", b"web1", b"web1.example", b"cpu", b"load", b"long", b"a b", b"a;b=c", b"caf\xc3\xa9", b"\xff", b"x" * 500]
    ),
    st.binary(max_size=8),
)
PARTS = st.sampled_from([0, 2, 3, 4, 5, 4, 0x100])
COUNTS = st.one_of(st.integers(0, (1 << 64) - 1), st.integers(1_600_000_000, 1_800_000_000))
PAIRS = st.one_of(
    st.tuples(st.just(1), st.floats()),
    st.tuples(st.just(2), st.integers(-(1 << 63), (1 << 63) - 1)),
    st.tuples(st.sampled_from([0, 3]), COUNTS),
)
MANY = st.one_of(
    st.builds(twin.text, PARTS, WORDS),
    st.builds(twin.number, st.sampled_from([1, 7, 8, 9, 0x101]), COUNTS),
    st.lists(PAIRS, max_size=3).map(lambda pairs: twin.values(*pairs)),
    st.builds(lambda part, body: struct.pack(">HH", part, 4 + len(body)) + body, st.integers(0, 0x300), st.binary()),
    st.binary(max_size=6),
)
BEFORE = (
    twin.number(8, 1_700_000_000 << 30) + twin.text(0, b"web1.example") + twin.text(2, b"cpu") + twin.text(4, b"cpu")
)
PACKETS = st.tuples(st.sampled_from([b"", BEFORE, BEFORE]), st.lists(MANY, max_size=8).map(b"".join)).map(b"".join)
FLAGS = ("separate_instances", "always_append_ds", "preserve_separator", "drop_duplicate_fields", "use_tags")
OPTIONS = st.fixed_dictionaries(
    {
        "prefix": st.sampled_from(["", "collectd."]),
        "postfix": st.sampled_from(["", ".x"]),
        "escape_character": st.sampled_from("_-"),
    }
    | {flag: st.booleans() for flag in FLAGS}
)


def outcome_of(parser: Parser, packets: list[bytes], names: NameTable) -> Outcome:
    lengths = np.array([len(packet) for packet in packets], np.int32)
    offsets = np.cumsum(lengths, dtype=np.int64) - lengths
    text, outcome = b"".join(packets), Outcome()
    buffer = padded(text)
    parsed = parser.parse_datagrams(buffer, offsets, lengths, names, NOW_MS)
    assert bytes(buffer[: len(text)]) == text
    assert parsed.consumed == len(text)
    assert len(parsed.began) == len(packets)
    outcome.add(parsed, names)
    return outcome


def expected_of(packets: list[bytes], options: twin.Options) -> Outcome:
    reader = twin.Reader(SOURCES, options)
    for packet in packets:
        reader.read(packet)
    return reader.outcome


def mutated(packet: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(packet)
    for at, byte in changes:
        if changed:
            changed[at % len(changed)] = byte
    return bytes(changed)


@settings(max_examples=400, deadline=None)
@given(packets=st.lists(PACKETS, min_size=1, max_size=3), given_options=OPTIONS)
@example(
    packets=[BEFORE + twin.values((2, 5)) + twin.text(4, b"load") + twin.values((1, 1.5), (1, 2.5))], given_options={}
)
def test_the_kernel_reads_what_the_protocols_page_says(packets: list[bytes], given_options: dict):
    packets = [packet for packet in packets if packet[:1] != b"\x02"]  # sealed: see the tests of seals
    options = twin.Options(**given_options)
    parser, names = CollectdParser(types=TYPES, options=WriteGraphite(**given_options)), NameTable()
    for _ in range(2):  # the second time the names are guessed
        assert outcome_of(parser, packets, names) == expected_of(packets, options)


@settings(max_examples=300, deadline=None)
@given(packet=PACKETS, changes=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=4))
def test_any_bytes_are_samples_or_rejects(packet: bytes, changes: list[tuple[int, int]]):
    parser = CollectdParser(types=TYPES)
    hurt = mutated(packet, changes)
    if hurt[:1] != b"\x02":
        assert outcome_of(parser, [hurt], NameTable()) == expected_of([hurt], twin.Options())
    outcome_of(CollectdParser(types=TYPES, seals=Seals()), [b"\x02\x10" + hurt, b"\x02\x00" + hurt], NameTable())


def test_names_that_find_no_room_are_written_when_there_is_some():
    plugins = [b"p%05d" % k + b"x" * 300 for k in range(200)]
    parts = [twin.text(2, plugin) + twin.text(4, b"long") + twin.values((1, 1.0), (1, 2.0)) for plugin in plugins]
    packets = [BEFORE + b"".join(parts[k : k + 50]) for k in range(0, 200, 50)]
    parser = CollectdParser(types=TYPES)
    outcome = outcome_of(parser, packets, NameTable())
    assert len(outcome.samples) == 400
    assert outcome == expected_of(packets, twin.Options())


def test_a_packet_of_nothing_but_lengths_takes_time_in_proportion():
    packet = struct.pack(">HH", 7777, 4) * 16_000
    assert outcome_of(CollectdParser(types=TYPES), [packet], NameTable()) == Outcome()


TEXT = st.one_of(st.sampled_from(["", "web1.x", "cpu", "load", "a b", "semi;colon", "x" * 600]), st.text(max_size=6))
KIND_WORDS = ("counter", "gauge", "derive", "absolute")


@st.composite
def value_lists(draw: st.DrawFn) -> dict[str, object]:
    count = draw(st.integers(0, 3))
    values = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(1 << 63), 1 << 64))
    one: dict[str, object] = {name: draw(TEXT) for name in twin.TEXTS.values()}
    one["time"] = draw(st.one_of(st.just(1_700_000_000.1235), st.floats(-10, 1e17)))
    one["values"] = draw(st.lists(values, min_size=count, max_size=count))
    one["dstypes"] = draw(st.lists(st.sampled_from(KIND_WORDS), min_size=count, max_size=count))
    one["dsnames"] = draw(st.lists(TEXT.filter(bool), min_size=count, max_size=count))
    return one


@settings(max_examples=200, deadline=None)
@given(lists=st.lists(value_lists(), max_size=4), given_options=OPTIONS, rates=st.booleans())
def test_what_is_posted_as_json_is_named_as_what_comes_in_packets(lists: list[dict], given_options: dict, rates: bool):
    parser = CollectdPostParser(types=TYPES, options=WriteGraphite(**given_options), rates=rates)
    body, names = json.dumps(lists).encode(), NameTable()
    for _ in range(2):
        expected = posts.parse(body, twin.Options(**given_options), rates=rates)
        assert outcome_of(parser, [body], names) == expected


@settings(max_examples=200, deadline=None)
@given(lists=st.lists(value_lists(), max_size=2), changes=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255))))
def test_any_body_is_samples_or_rejects(lists: list[dict], changes: list[tuple[int, int]]):
    parser = CollectdPostParser(types=TYPES)
    body = mutated(json.dumps(lists).encode(), changes)
    outcome_of(parser, [body, b"PUTVAL " + body, b"PUTVAL web1/load/load " + body], NameTable())


def test_a_body_that_is_nested_deeply_or_is_too_long_is_one_reject():
    parser = CollectdPostParser(line_bytes_max=1 << 20, types=TYPES)
    assert outcome_of(parser, [b"[" * 500_000], NameTable()).rejects == {Reason.ENCODING: 1}
    assert outcome_of(parser, [b'[{"meta":' * 50_000], NameTable()).rejects == {Reason.ENCODING: 1}
    assert outcome_of(parser, [b" " * ((1 << 20) + 1)], NameTable()).rejects == {Reason.BODY_LONG: 1}


def test_posted_names_that_find_no_room_are_written_when_there_is_some():
    lists = [
        {"host": "h", "plugin": f"p{k:05d}" + "x" * 400, "plugin_instance": "", "type": "t", "type_instance": ""}
        | {"time": 1_700_000_000.0, "values": [1, 2], "dstypes": ["gauge"] * 2, "dsnames": ["a", "b"]}
        for k in range(300)
    ]
    outcome = outcome_of(CollectdPostParser(types=TYPES), [json.dumps(lists).encode()], NameTable())
    assert outcome == posts.parse(json.dumps(lists).encode(), twin.Options())
    assert len(outcome.samples) == 600


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.text(max_size=3),
    st.sampled_from([[], {}, [1], ["gauge"], ["g"], [None], [[1]], {"a": "b"}, "\ud800", [1.5, "x"], 1e300]),
)


@st.composite
def strange_posts(draw: st.DrawFn) -> bytes:
    """Lists with members in another order, added, taken away, given twice or of another type."""
    elements = []
    for one in draw(st.lists(value_lists(), max_size=3)):
        members = draw(st.permutations(list(one.items())))
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(members)))
            key = draw(st.sampled_from([*one, "interval", "labels", "meta", "x\n", "host"]))
            members[at : at + draw(st.integers(0, 1))] = [(key, draw(STRANGE))]
        elements.append("{" + ", ".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in members) + "}")
    elements += draw(st.lists(STRANGE.map(json.dumps), max_size=1))
    text = "[" + draw(st.sampled_from([",", " , ", "\r\n,\t"])).join(elements) + "]"
    if draw(st.booleans()):
        text = text.replace("host", "\\u0068ost").replace("gauge", "g\\u0061uge").replace("5,", "5" + "0" * 20 + "1,")
    return text.encode()


@settings(max_examples=500, deadline=None)
@given(body=strange_posts())
@example(body=b"[]")
@example(body=b" [ ] ")
@example(body=b"[],")
@example(body=b"[{}]")
@example(body=b"[{},]")
@example(body=b"{}")
@example(body=b"[1")
@example(body=b'["\xff"]')
@example(body=b'[{"meta":{"a":[1,{}]},"labels":{}}]')
def test_the_kernel_reads_posts_as_its_twin(body: bytes):
    assert outcome_of(CollectdPostParser(types=TYPES), [body], NameTable()) == posts.parse(body, twin.Options())


@settings(max_examples=200, deadline=None)
@given(
    body=strange_posts(), changes=st.lists(st.tuples(st.integers(1, 500), st.sampled_from(b'"{}[],:0x\\')), max_size=2)
)
def test_any_post_is_taken_or_rejected(body: bytes, changes: list[tuple[int, int]]):
    hurt = body[:1] + mutated(body[1:], changes)
    assert outcome_of(CollectdPostParser(types=TYPES), [hurt], NameTable()) == posts.parse(hurt, twin.Options())


def test_a_list_may_have_many_values_and_a_long_text():
    many = 5_000
    one = {"host": "h" * 100_000, "plugin": "p", "plugin_instance": "", "type": "t", "type_instance": "", "time": 1.7e9}
    one |= {"values": list(range(many)), "dstypes": ["gauge"] * many, "dsnames": [f"v{k}" for k in range(many)]}
    body = json.dumps([one, {**one, "host": "h"}]).encode()
    outcome = outcome_of(CollectdPostParser(types=TYPES), [body, body], NameTable())
    assert outcome.rejects == {Reason.NAME_LONG: 2 * many}
    assert [sample.value for sample in outcome.samples] == [*range(many)] * 2


def test_what_came_before_the_end_of_a_post_that_is_none_is_not_taken():
    good = {
        "host": "h",
        "plugin": "p",
        "type": "t",
        "time": 1.7e9,
        "values": [1],
        "dstypes": ["gauge"],
        "dsnames": ["v"],
    }
    body = json.dumps([good, {"host": 5}])
    outcome = outcome_of(CollectdPostParser(types=TYPES), [body.encode(), body[:-1].encode()], NameTable())
    assert len(outcome.samples) == 1
    assert outcome.rejects == {Reason.FIELDS: 1, Reason.ENCODING: 1}
