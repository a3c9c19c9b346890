"""Payloads of the log and the series file are read back to the same bits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.files import bytes_of
from tallystick.kernels.packed import Names
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Histograms, Sketches, Spread, TallyBatch, offsets
from tallystick.store.log import codec
from tallystick.store.log.tallies import TALLIES, decode_tallies, encode_tallies

KINDS = np.array(list(Kind) * 20, np.uint8)
times = st.integers(-(2**40), 2**42)
any_float = st.floats(allow_nan=True, allow_infinity=True)


def payload(parts: list) -> memoryview:
    return memoryview(b"".join(map(bytes_of, parts)))


@st.composite
def batches(draw: st.DrawFn) -> SampleBatch:
    n = draw(st.integers(1, 12))
    ids = draw(st.lists(st.integers(0, len(KINDS) - 1), min_size=n, max_size=n))
    base = draw(times)
    near = st.integers(-1000, 1000).map(lambda d: base + d)
    at = draw(st.one_of(st.just([base] * n), *(st.lists(t, min_size=n, max_size=n) for t in (near, times))))
    weight = draw(st.just([1.0] * n) | st.lists(st.floats(1.0, 1e6), min_size=n, max_size=n))
    value = draw(st.lists(any_float, min_size=n, max_size=n))
    return SampleBatch.of(ids, at, value, weight=weight, kind=KINDS[ids])


@given(batches())
def test_samples_are_read_back(batch: SampleBatch):
    data = payload(codec.encode_samples(batch))
    assert codec.record_type(data) == codec.SAMPLES
    assert codec.ids_of(data).tolist() == batch.ids.tolist()
    found = codec.decode_samples(data, KINDS)
    for name in SampleBatch.__slots__:
        a, b = np.ascontiguousarray(getattr(found, name)), np.ascontiguousarray(getattr(batch, name))
        assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes()), name


@st.composite
def tallies(draw: st.DrawFn) -> TallyBatch:
    samples = draw(batches())
    n = len(samples)
    columns = [np.array(draw(st.lists(any_float, min_size=n, max_size=n))) for _ in range(6)]
    lengths = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    histograms = sketches = None
    if draw(st.booleans()):
        offset = offsets(draw(lengths))
        m = int(offset[-1])
        bucket = np.array(draw(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=m, max_size=m)), np.int32)
        histograms = Histograms(offset, bucket, np.array(draw(st.lists(any_float, min_size=m, max_size=m))))
    if draw(st.booleans()):
        offset = offsets(draw(lengths))
        sketches = Sketches(
            offset, np.frombuffer(draw(st.binary(min_size=int(offset[-1]), max_size=int(offset[-1]))), np.uint8)
        )
    return TallyBatch(
        samples.ids, samples.timestamp, samples.kind, columns[0], Spread(*columns[1:]), histograms, sketches
    )


numbers = st.lists(st.builds(Numbered, st.text(max_size=20), st.integers(0, 2**64 - 1)), max_size=4)


def bits(value: object) -> object:
    """All that an object of columns holds, to the bit."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if value is None:
        return None
    return [bits(getattr(value, name)) for name in type(value).__slots__]


@given(tallies() | st.just(TallyBatch.empty()), numbers)
def test_tallies_are_read_back(batch: TallyBatch, numbered: list[Numbered]):
    data = payload(encode_tallies(batch, numbered))
    assert codec.record_type(data) == TALLIES
    assert codec.ids_of(data).tolist() == batch.ids.tolist()
    found, found_numbered = decode_tallies(data, KINDS)
    assert bits(found) == bits(batch)
    assert found_numbered == numbered


def test_a_batch_of_one_moment_and_weight_costs_twelve_bytes_a_sample():
    n = 1000
    batch = SampleBatch.of(np.arange(n), np.full(n, 1_700_000_000_000), np.arange(n), kind=Kind.GAUGE)
    assert len(payload(codec.encode_samples(batch))) == 16 + 12 * n


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), any_float), max_size=9))
def test_values_of_gauges_are_read_back(gauges: list[tuple[int, float]]):
    ids = np.array([k for k, _ in gauges], np.int32)
    values = np.array([v for _, v in gauges])
    data = payload(codec.encode_gauges(ids, values))
    assert codec.record_type(data) == codec.GAUGES
    found_ids, found_values = codec.decode_gauges(data)
    assert found_ids.tolist() == ids.tolist()
    assert found_values.tobytes() == values.tobytes()


series_lists = st.lists(
    st.tuples(st.integers(0, 2**31 - 1), st.text(min_size=1, max_size=30), st.sampled_from(Kind)), max_size=9
)


@given(series_lists)
def test_what_the_series_file_says_is_read_back(series: list[tuple[int, str, Kind]]):
    ids = np.array([k for k, _, _ in series], np.int32)
    names = Names.of([name for _, name, _ in series])
    kinds = np.array([kind for *_, kind in series], np.uint8)
    nothing = Names.of([])
    for record, type_, named, kinded in (
        (codec.encode_define(ids, names, kinds), codec.DEFINE, names, kinds),
        (codec.encode_rename(ids, names), codec.RENAME, names, kinds[:0]),
        (codec.encode_forget(ids), codec.FORGET, nothing, kinds[:0]),
    ):
        found = codec.decode_series(payload(record))
        assert (found.type, found.ids.tolist(), list(found.names)) == (type_, ids.tolist(), list(named))
        assert found.kinds.tolist() == kinded.tolist()
