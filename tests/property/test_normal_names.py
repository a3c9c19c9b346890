"""The router's kernel for names that are new, beside the plain words of what a normal form is."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import Names
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.route.normal import in_normal_form, normal

PIECES = st.sampled_from(
    ["a", "b", "ab", "é", "日本", ".", "..", ";", ";", "=", "=", ";k=v", "~", "!", "^", " ", "\x7f", "x" * 60]
)
NAMES = st.lists(PIECES, max_size=40).map("".join)
TAGGED = st.lists(
    st.tuples(st.text("abcé", min_size=1, max_size=3), st.text("xy", min_size=1, max_size=2)), max_size=60
).map(lambda tags: "path" + "".join(f";{key}={value}" for key, value in tags))


@given(st.lists(st.one_of(NAMES, TAGGED).filter(bool), min_size=1, max_size=20))
@example([";".join(["p", *(f"{k % 97:x}={k}" for k in range(190, 0, -1))])])
@example(["a" * NAME_BYTES_MAX, "a" * (NAME_BYTES_MAX + 1), "." * (NAME_BYTES_MAX + 1)])
def test_names_that_are_new_get_the_normal_form_or_the_reason_that_plain_words_say(sent: list[str]) -> None:
    table = NameTable()
    entries = table.intern_packed(Names.of(sent))
    names, faults = in_normal_form(table.arrays, entries)
    expected = [normal(name) for name in sent]
    assert names.texts() == [name for name in expected if isinstance(name, str)]
    assert faults.tolist() == [name if isinstance(name, Reason) else Reason.NONE for name in expected]
    assert np.array_equal(entries, table.intern_packed(Names.of(sent)))
