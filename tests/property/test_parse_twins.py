"""Kernels and their plain twins agree on anything, and on any split of a stream."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import carbon, exposition, influx, opentsdb, statsd
from reference.outcome import Outcome
from tallystick.parse import NameTable, Parser, padded, protocols
from tallystick.parse.statsd import StatsdParser

NOW_MS = 1_700_000_000_123
LINE_BYTES_MAX = 200

NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.decimals(allow_nan=True).map(str),
    st.integers(-(10**25), 10**25).map(str),
    st.sampled_from(
        ["+5", ".5", "5.", "-.5e-3", "1e3", "1_000", "0x10", "nan", "-inf", "Infinity", "", "-", "1e", "-1"]
    ),
    st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,4})?", fullmatch=True),
).map(str.encode)
TIMES = st.one_of(
    st.integers(0, 2**40).map(lambda s: str(s).encode()),
    st.sampled_from(
        [b"-1", b"-1.0", b"1700000000", b"1700000000.1239", b"17.", b"N", b"-5", b"1e9", b"99999999999999"]
    ),
    NUMBERS,
)
NAMES = st.one_of(
    st.sampled_from(
        [b"a", b"web.h1.cpu", b"web.h1.cpu;host=x;rack=y", b"a..b", b".", b"caf\xc3\xa9.x", b"\xff", b"n" * 150]
    ),
    st.binary(min_size=1, max_size=20),
)
BLANKS = st.sampled_from([b" ", b" ", b"\t", b"  ", b" \t "])
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n", b" \n", b" 7\n", b"\n\n", b""])


@st.composite
def carbon_line(draw: st.DrawFn) -> bytes:
    before = draw(st.sampled_from([b"", b"", b" "]))
    parts = draw(NAMES), draw(BLANKS), draw(NUMBERS), draw(BLANKS), draw(TIMES), draw(ENDS)
    return before + b"".join(parts)


TAGS = st.one_of(
    st.sampled_from([b"k=v", b"host=web1", b"k=", b"=v", b"k", b"k=v;x=y", b"caf\xc3\xa9=\xff", b"k=" + b"v" * 90]),
    st.binary(max_size=6),
)


@st.composite
def opentsdb_line(draw: st.DrawFn) -> bytes:
    command = draw(st.sampled_from([b"put", b"put", b"put", b" put", b"version", b"putt", b""]))
    words = [command, draw(NAMES), draw(TIMES), draw(NUMBERS), *draw(st.lists(TAGS, max_size=3))]
    return draw(BLANKS).join(words) + draw(ENDS)


WORDS = st.one_of(
    st.sampled_from(
        [b"m", b"cpu", b"a\\,b", b"a\\ b", b"k\\=v", b"value", b"x;y", b"caf\xc3\xa9", b"", b"n" * 150, b"\\"]
    ),
    st.binary(max_size=5),
)
FIELD_VALUES = st.one_of(
    NUMBERS,
    st.sampled_from(
        [b"1i", b"-2i", b"3u", b"1.5i", b"t", b"False", b'"text"', b'"a, b=c \\" d"', b'"open', b'"\\', b""]
    ),
)


@st.composite
def influx_line(draw: st.DrawFn) -> bytes:
    tags = draw(st.lists(st.tuples(WORDS, WORDS).map(b"=".join), max_size=2))
    fields = draw(st.lists(st.tuples(WORDS, FIELD_VALUES).map(b"=".join), max_size=3))
    times = st.sampled_from(
        [b"", b"", b" 1465839830100400200", b" 0", b" -1", b" 1.5", b"  17 ", b" 9999999999999999999"]
    )
    return b",".join([draw(WORDS), *tags]) + b" " + b",".join(fields) + draw(times) + draw(ENDS)


KEYS = st.one_of(
    st.sampled_from([b"a", b"web.cpu", b"my key/x%", b"k;t=v", b"", b" ", b"\xc3\xa9", b"k" * 150, b"a|b"]),
    st.binary(max_size=12),
)
FIELDS = st.one_of(
    st.sampled_from(
        [
            *(b"@0.1", b"@1", b"@0", b"@2", b"@1e-2", b"@x", b"@1e-7", b"@1e-6", b"@0x1", b"@.5", b"@1.5e3", b"@1.2.3"),
            *(b"c:abc", b"T12", b"T1656581400", b"T", b"T0", b"T1x", b"0.1", b"", b"#a:b", b"#a,b:,c:d"),
        ]
    ),
    st.lists(st.binary(max_size=6), max_size=4).map(lambda tags: b"#" + b",".join(tags)),
)


RADIX_NUMBERS = st.sampled_from([b"0x1F", b"0X0", b"0o17", b"0b101", b"0b2", b"0x", b" 5 ", b"-0x1", b"0x" + b"f" * 14])
MESSAGE_FIELDS = st.sampled_from(
    [
        b"d:17",
        b"d:x",
        b"h:web 1",
        b"h:a;b=c",
        b"h:",
        b"t:error",
        b"#a:b,c",
        b"#a:",
        b"p:low",
        b"m:all|d:x|well",
        b"",
        b"x",
    ]
)


@st.composite
def dogstatsd_message(draw: st.DrawFn) -> bytes:
    fields = draw(st.lists(MESSAGE_FIELDS, max_size=3))
    if draw(st.booleans()):
        status = draw(st.sampled_from([b"0", b"1", b"2", b"3", b"4", b"", b"10", b"x"]))
        return b"|".join([b"_sc", draw(KEYS), status, *fields]) + draw(ENDS)
    title, text = draw(st.binary(max_size=5)), draw(st.binary(max_size=5))
    wrong = draw(st.sampled_from([0, 0, 0, 0, 1, -1]))
    lengths = f"_e{{{max(len(title) + wrong, 0)},{len(text)}}}:".encode()
    return b"|".join([lengths + title, text, *fields]) + draw(ENDS)


@st.composite
def statsd_line(draw: st.DrawFn) -> bytes:
    line = draw(KEYS)
    for _ in range(draw(st.integers(0, 3))):
        values = draw(st.lists(st.one_of(NUMBERS, RADIX_NUMBERS, st.binary(max_size=4)), max_size=3))
        type_ = draw(
            st.sampled_from([b"c", b"g", b"ms", b"s", b"h", b"d", b"m", b"x", b"", b"msx", b" c ", b"aggregate"])
        )
        fields = draw(st.lists(FIELDS, max_size=2))
        line += b":" + b"|".join([b":".join(values), type_, *fields])
    return line + draw(ENDS)


PROMETHEUS_NAMES = st.sampled_from(
    [b"up", b"x:y", b"a_total", b"a", b"a_bucket", b"a_created", b"9a", b"", b"my.metric", b"na\xc3\xafve", b"n" * 150]
)
PROMETHEUS_TEXTS = st.one_of(
    st.sampled_from(
        [
            b'"v"',
            b'""',
            b'"a\\\\b"',
            b'"a\\nb;c"',
            b'"q\\"q"',
            b'"~x"',
            b'"open',
            b'"\xff"',
            b'"\\',
            b'"' + b"v" * 90 + b'"',
        ]
    ),
    st.binary(max_size=6).map(lambda text: b'"' + text + b'"'),
)
PROMETHEUS_KEYS = st.one_of(
    st.sampled_from([b"job", b"name", b"le", b'"a.b"', b'"k\\"=!"', b"9", b""]), PROMETHEUS_TEXTS
)


@st.composite
def exposition_line(draw: st.DrawFn) -> bytes:
    blank = st.sampled_from([b"", b"", b"", b" ", b"\t "])
    if draw(st.integers(0, 4)) == 0:
        words = [draw(st.sampled_from([b"TYPE", b"TYPE", b"HELP", b"EOF"])), draw(PROMETHEUS_NAMES)]
        type_ = st.sampled_from([b"counter", b"gauge", b"histogram", b"summary", b"info", b"stateset", b"untyped", b""])
        return draw(blank) + b"#" + draw(BLANKS) + draw(BLANKS).join([*words, draw(type_)]) + draw(ENDS)
    labels = st.tuples(PROMETHEUS_KEYS, blank, st.just(b"="), blank, PROMETHEUS_TEXTS, blank).map(b"".join)
    inside = draw(st.lists(st.one_of(labels, labels, PROMETHEUS_TEXTS), max_size=3))
    name = draw(PROMETHEUS_NAMES)
    if inside or draw(st.booleans()):
        name += draw(blank) + b"{" + b",".join(inside) + draw(st.sampled_from([b"}", b"}", b",}", b" }", b""]))
    exemplar = st.sampled_from([b"", b"", b"", b' # {trace_id="a"} 1 2', b" # "])
    time = st.one_of(st.just(b""), TIMES.map(lambda text: b" " + text))
    return draw(blank) + name + draw(BLANKS) + draw(NUMBERS) + draw(time) + draw(exemplar) + draw(ENDS)


def mutated(lines: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Several lines, some bytes of them overwritten."""

    def apply(text: bytes, changes: list[tuple[int, int]]) -> bytes:
        changed = bytearray(text)
        for at, byte in changes:
            if changed:
                changed[at % len(changed)] = byte
        return bytes(changed)

    some = st.lists(lines, max_size=6).map(b"".join)
    changes = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=3)
    return st.one_of(some, st.builds(apply, some, changes), st.binary(max_size=80))


PROTOCOLS = {
    "exposition": (exposition.parse, mutated(exposition_line())),
    "openmetrics": (exposition.parse_openmetrics, mutated(exposition_line())),
    "carbon": (carbon.parse, mutated(carbon_line())),
    "influx": (influx.parse, mutated(influx_line())),
    "opentsdb": (opentsdb.parse, mutated(opentsdb_line())),
    "statsd": (statsd.parse, mutated(statsd_line() | dogstatsd_message())),
}


def parser_of(name: str) -> Parser:
    return protocols()[name](line_bytes_max=LINE_BYTES_MAX)


def whole(parser: Parser, text: bytes, names: NameTable) -> Outcome:
    outcome = Outcome()
    buffer = padded(text)
    outcome.add(parser.parse(buffer, len(text), names, NOW_MS, final=True), names)
    assert bytes(buffer[: len(text)]) == text
    return outcome


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_kernel_says_what_its_twin_says(name: str, data: st.DataObject):
    twin, texts = PROTOCOLS[name]
    text = data.draw(texts)
    names = NameTable()
    parser = parser_of(name)
    for _ in range(2):  # the second time the names are guessed
        assert whole(parser, text, names) == twin(text, NOW_MS, LINE_BYTES_MAX)


@given(text=mutated(statsd_line()))
@settings(max_examples=300, deadline=None)
def test_lenient_statsd_says_what_its_twin_says(text: bytes):
    parser = StatsdParser(LINE_BYTES_MAX, lenient=True)
    assert whole(parser, text, NameTable()) == statsd.parse(text, NOW_MS, LINE_BYTES_MAX, lenient=True)


@given(texts=st.lists(mutated(statsd_line() | dogstatsd_message()), max_size=4), size=st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_dogstatsd_frames_are_texts_by_themselves_however_they_come(texts: list[bytes], size: int):
    stream = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    parser, names, outcome, pending = StatsdParser(LINE_BYTES_MAX, framed=True), NameTable(), Outcome(), b""
    for at in range(0, len(stream), size):
        pending += stream[at : at + size]
        parsed = parser.parse(padded(pending), len(pending), names, NOW_MS)
        outcome.add(parsed, names)
        pending = pending[parsed.consumed :]
    assert pending == b""
    expected = Outcome()
    for text in texts:
        one = statsd.parse(text, NOW_MS, LINE_BYTES_MAX)
        expected.samples += one.samples
        expected.rejects += one.rejects
    assert outcome == expected


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_split_of_a_stream_gives_the_same_samples(name: str, data: st.DataObject):
    twin, texts = PROTOCOLS[name]
    text = b"\n".join(data.draw(st.lists(st.one_of(texts, st.integers(150, 450).map(lambda n: b"x" * n)), max_size=4)))
    sizes = data.draw(st.lists(st.integers(1, 120), min_size=1, max_size=10))
    parser, names, outcome = parser_of(name), NameTable(), Outcome()
    pending, skipping, at, turn = b"", False, 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        pending += text[at : at + size]
        at, turn = at + size, turn + 1
        parsed = parser.parse(padded(pending), len(pending), names, NOW_MS, skipping=skipping)
        outcome.add(parsed, names)
        pending, skipping = pending[parsed.consumed :], parsed.skipping
        assert len(pending) <= LINE_BYTES_MAX
    parsed = parser.parse(padded(pending), len(pending), names, NOW_MS, final=True, skipping=skipping)
    outcome.add(parsed, names)
    assert outcome == twin(text, NOW_MS, LINE_BYTES_MAX)


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_datagrams_are_texts_by_themselves(name: str, data: st.DataObject):
    twin, texts = PROTOCOLS[name]
    datagrams = data.draw(st.lists(texts, max_size=5))
    expected = Outcome()
    for datagram in datagrams:
        one = twin(datagram, NOW_MS, LINE_BYTES_MAX)
        expected.samples += one.samples
        expected.rejects += one.rejects
    lengths = [len(datagram) for datagram in datagrams]
    offsets = [sum(lengths[:i]) for i in range(len(lengths))]
    names, outcome = NameTable(), Outcome()
    outcome.add(parser_of(name).parse_datagrams(padded(b"".join(datagrams)), offsets, lengths, names, NOW_MS), names)
    assert outcome == expected
