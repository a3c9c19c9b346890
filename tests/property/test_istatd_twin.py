"""istatd's kernel and its plain twin agree on anything, and on any split of a stream."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from reference import istatd
from reference.outcome import Outcome
from tallystick.model.deviations import m2_of_squares
from tallystick.parse import NameTable, padded, protocols

NOW_MS = 1_700_000_000_123
LINE_BYTES_MAX = 300
parts = st.sampled_from([b"a", b"Web.H1", b"", b"caf\xc3\xa9/x;y", b"n" * 40, b"\x00\xff", b"*", b"^"]) | st.binary(
    max_size=4
)
names = st.tuples(st.sampled_from([b"", b"*"]), st.lists(parts, min_size=1, max_size=4).map(b"^".join)).map(b"".join)
small = st.integers(-9, 9).map(str)
numbers = st.one_of(
    small,
    st.floats().map(repr),
    st.integers(-(10**25), 10**25).map(str),
    st.sampled_from(["nan", "-inf", "1e400", "1e-310", "x", "1.5.5", "5."]),
).map(str.encode)
times = st.integers(0, 2**40).map(lambda s: str(s).encode()) | st.sampled_from([b"-1", b"1.5", b"x", b"1e9"])
ends = st.sampled_from([b"\n", b"\n", b"\r\n", b" \n", b"\r\r\n", b" 7\n", b""])


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    count = draw(st.sampled_from([0, 0, 1, 1, 5, 5, 4, 6]))
    fields = [
        draw(names),
        *([draw(times)] if count or draw(st.booleans()) else []),
        *(draw(numbers) for _ in range(count or 1)),
    ]
    return draw(st.sampled_from([b" ", b"\t", b"  "])).join(fields) + draw(ends)


texts = st.lists(lines() | st.binary(max_size=30) | st.just(b"#host web1\n"), max_size=6).map(b"".join)


def parsed(text: bytes, cuts: list[int]) -> tuple[Outcome, list[istatd.Tally]]:
    parser, table, outcome = protocols()["istatd"](LINE_BYTES_MAX), NameTable(), Outcome()
    tallies: list[istatd.Tally] = []
    rest, skipping = b"", False
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for k, piece in enumerate(pieces):
        rest += piece
        final = k == len(pieces) - 1
        found = parser.parse(padded(rest), len(rest), table, NOW_MS, final=final, skipping=skipping)
        rest, skipping = rest[found.consumed :], found.skipping
        outcome.add(found, table)
        t = found.tallies
        if t is not None:
            s = t.spread
            columns = np.stack([s.sum, s.m2, s.min, s.max, s.count], axis=1).tolist()
            rows = zip(table.names(t.ids), t.timestamp.tolist(), t.kind.tolist(), columns, strict=True)
            tallies += [(name, ms, kind, values) for name, ms, kind, values in rows]
    return outcome, tallies


@given(texts, st.lists(st.integers(0, 200), max_size=3))
@example(b"a^^b 1\n^ 1\n^x 2\ny^ 3\n*b^c^ 5 1 2 3 4 5\n", [])
@example(b"a" + b"^b" * 65 + b" 1\n" + b"a" + b"^b" * 64 + b" 2\n", [])
@example(b"x^y^z 5 123456789012345678901234 1e300 1 99999999999999999999999 3\n", [])
def test_the_kernel_does_what_its_twin_says(text: bytes, cuts: list[int]) -> None:
    found, tallies = parsed(text, sorted(min(cut, len(text)) for cut in cuts))
    expected, rows = istatd.parse(text, NOW_MS, LINE_BYTES_MAX)
    assert (found.samples, found.rejects) == (expected.samples, expected.rejects)
    assert [row[:3] for row in tallies] == [row[:3] for row in rows]
    for (*_, values), (*_, sent) in zip(tallies, rows, strict=True):
        assert [values[0], *values[2:]] == [sent[0], *sent[2:]]


@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=30), st.sampled_from([0.0, 1e3, 1e6]))
def test_deviations_come_out_of_sums_of_squares_as_far_as_they_are_in_them(values: list[float], mean: float) -> None:
    samples = np.array(values) + mean
    n, total, squares = float(len(samples)), float(samples.sum()), float((samples * samples).sum())
    columns = [np.array([number]) for number in (n, total, squares, samples.min(), samples.max())]
    m2 = float(m2_of_squares(*columns)[0])
    true = float(((samples - samples.mean()) ** 2).sum())
    assert abs(m2 - true) <= 1e-15 * n * squares + 1e-9 * true
    exact = istatd.exact_m2(total, squares, n)
    least = (samples.max() - samples.min()) ** 2 / 2
    if exact > 2 * least:
        assert abs(m2 - exact) <= 1e-12 * exact + 1e-15 * n * squares
