"""Payloads of the log and the series file are read back to the same bits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernels.packed import Names
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.store.disk.files import bytes_of
from tallystick.store.log import codec

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
