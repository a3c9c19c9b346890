"""collectd's packets: kernel and twin agree on any parts, and no bytes can hurt the parser."""

import struct

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference import collectd as twin
from reference.outcome import Outcome
from tallystick.config.collectd import WriteGraphite
from tallystick.parse import NameTable, padded
from tallystick.parse.collectd import CollectdParser
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


def outcome_of(parser: CollectdParser, packets: list[bytes], names: NameTable) -> Outcome:
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
