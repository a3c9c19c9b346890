"""`Names` is the list of texts that it was made of, however it was made."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.kernels.names import LIMIT, NameTable
from tallystick.kernels.packed import Names, pieces
from tallystick.kernels.words import PADDING

TEXTS = st.lists(st.one_of(st.text("ab.", max_size=9), st.text(st.characters(codec="utf-8"), max_size=9)), max_size=12)


@given(TEXTS, TEXTS, st.slices(12))
@settings(deadline=None)
def test_packed_names_are_the_texts_they_were_made_of(texts: list[str], more: list[str], span: slice):
    names = Names.of(texts)
    assert Names.of(names) is names
    assert list(names) == list(names.texts()) == [names[k] for k in range(len(texts))] == texts
    assert names.encoded() == [text.encode() for text in texts]
    assert list(Names.of_bytes(names.encoded())) == texts
    assert names[span] == texts[span]
    assert list(Names.joined([names, Names.of(more), names])) == texts + more + texts
    assert list(Names.joined([])) == []
    assert len(names.arena) >= len(names.data) + PADDING


@given(TEXTS, st.integers(0, 14), st.integers(0, 14))
@settings(deadline=None)
def test_a_part_of_packed_names_is_a_slice_of_them(texts: list[str], begin: int, end: int):
    part = Names.of(texts).part(slice(begin, end))
    assert list(part) == texts[begin:end]
    assert list(Names.joined([part, part])) == texts[begin:end] * 2
    assert NameTable().intern_packed(part).tolist() == NameTable().intern_many(part.encoded()).tolist()


@given(TEXTS, st.data())
@settings(deadline=None)
def test_pieces_are_copied_in_any_order_and_may_overlap(texts: list[str], data: st.DataObject):
    names = Names.of(texts)
    chosen = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1)) if texts else st.just([])), np.int64)
    assert list(pieces(names.arena, names.offsets[chosen], names.offsets[chosen + 1])) == [texts[k] for k in chosen]


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_a_copied_table_has_the_same_entries_and_goes_its_own_way(texts: list[str], more: list[str]):
    table = NameTable()
    entries = table.intern_packed(Names.of(texts)).tolist()
    count = len(table)
    copy = table.copied(count + 1)
    assert copy.intern_packed(Names.of(texts)).tolist() == entries
    fresh = [text for text in dict.fromkeys(more) if text not in texts]
    expected = [count, *[LIMIT] * len(fresh)][: len(fresh)]
    assert copy.intern_packed(Names.of(fresh)).tolist() == expected
    assert len(table) == count
    assert table.texts(np.arange(count, dtype=np.int32)) == list(dict.fromkeys(texts))
