"""The name table is a dictionary of bytes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.hashing import folded_hash
from tallystick.kernels.compile import scanner
from tallystick.kernels.hashing import hash_bytes
from tallystick.kernels.names import LIMIT, NameTable
from tallystick.kernels.packed import padded

WORDS = st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"a", b"aa", b"a" * 16, b"a" * 17])), max_size=300)


@scanner
def hashed(buffer: np.ndarray, length: int, key0: int, key1: int) -> int:
    return hash_bytes(buffer, 0, length, key0, key1)


@given(st.lists(WORDS, max_size=4))
@settings(max_examples=100, deadline=None)
def test_the_same_bytes_always_get_the_same_entry(rounds: list[list[bytes]]):
    table, twin = NameTable(), {}
    for words in rounds:
        entries = table.intern_many(words)
        assert entries.tolist() == [twin.setdefault(word, len(twin)) for word in words]
    assert len(table) == len(twin)
    assert table.names(np.arange(len(twin), dtype=np.int32)) == list(twin)
    assert all(table.find(word) == entry for word, entry in twin.items())
    assert table.find(b"never sent by anyone, longer than forty bytes") == -1


def test_a_full_table_takes_no_more_and_keeps_what_it_has():
    table = NameTable(entries_max=3)
    assert table.intern_many([b"a", b"b", b"c", b"d", b"a"]).tolist() == [0, 1, 2, LIMIT, 0]


@given(st.lists(st.text(max_size=12), max_size=20), st.data())
@settings(deadline=None)
def test_names_come_back_as_text_in_any_order(words: list[str], data: st.DataObject):
    table = NameTable()
    entries = table.intern_many([word.encode() for word in words])
    places = np.array(data.draw(st.lists(st.integers(0, max(len(words) - 1, 0)), max_size=9 * bool(words))), np.intp)
    assert table.texts(entries[places]) == [words[place] for place in places]


def test_names_survive_growth():
    table = NameTable()
    words = [f"series.{i}".encode() for i in range(100_000)]
    table.intern_many(words)
    table.reserve(300_000, 1 << 20)
    assert table.names([0, 99_999]) == [words[0], words[-1]]
    assert np.array_equal(table.intern_many(words), np.arange(100_000))


@given(st.binary(max_size=70), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
@settings(max_examples=500, deadline=None)
def test_the_hash_is_what_its_twin_says(data: bytes, key0: int, key1: int):
    garbage_behind = padded(data + b"\xa5" * 16)
    got = hashed(garbage_behind, len(data), np.uint64(key0), np.uint64(key1))
    assert int(got) == folded_hash(data, key0, key1)
