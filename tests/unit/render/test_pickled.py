"""What we write as pickles, Python reads."""

import pickle
import sys
import types
from pickletools import genops
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.render.pickled import Instance, pickled

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=20,
)


@settings(max_examples=50)
@given(plain)
def test_any_plain_value_is_read_back(value: Any) -> None:
    assert pickle.loads(pickled(value)) == value


def test_unknown_values_of_arrays_are_none() -> None:
    assert pickle.loads(pickled(np.array([1.5, np.nan, -2.0]))) == [1.5, None, -2.0]
    assert pickle.loads(pickled(np.empty(0))) == []


def test_it_is_protocol_2_which_every_python_reads() -> None:
    operations = list(genops(pickled([{"a": (1, 2.0, None, True)}, Instance("m", "C", {"x": 1}), 1 << 40])))
    assert max(operation.proto for operation, _, _ in operations) == 2
    assert operations[0][1] == 2


def test_an_object_is_of_the_class_that_its_reader_has(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("place")
    module.Thing = type("Thing", (), {})
    monkeypatch.setitem(sys.modules, "place", module)
    (thing,) = pickle.loads(pickled([Instance("place", "Thing", {"x": (1.0, 2.0)})]))
    assert type(thing) is module.Thing
    assert vars(thing) == {"x": (1.0, 2.0)}


def test_half_a_surrogate_does_not_break_a_pickle() -> None:
    assert pickle.loads(pickled("a\udc80")) == "a?"


def test_what_is_not_plain_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        pickled({1, 2})
