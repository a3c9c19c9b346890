"""Patterns of names: the kernel against Python's fnmatch, which agents use for the same ones."""

from fnmatch import fnmatchcase

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.kernels.globs import PATTERN_CHARS_MAX, Globs
from tallystick.kernels.packed import Names

NAMES = st.text(alphabet="ab.-é€", max_size=8)
PATTERNS = st.lists(
    st.sampled_from(["a", "b", ".", "*", "?", "é", "€", "[ab]", "[!a]", "[a-b]", "[]a]", "[", "]", "[!b", "-"]),
    max_size=7,
).map("".join)


def first(patterns: list[str], names: list[str]) -> list[int]:
    packed = Names.of(names)
    found = Globs.of(patterns).first_matching(packed.arena, packed.offsets, np.arange(len(names)))
    return found.tolist()


@given(patterns=st.lists(PATTERNS, max_size=4), names=st.lists(NAMES, max_size=6))
@example(patterns=["*a*b*a"], names=["abababa", "ab", ""])
@example(patterns=["?", "[!a]"], names=["é", "a", "€b"])
def test_the_first_pattern_that_a_name_has_is_that_of_fnmatch(patterns: list[str], names: list[str]) -> None:
    expected = [next((k for k, one in enumerate(patterns) if fnmatchcase(name, one)), -1) for name in names]
    assert first(patterns, names) == expected


def test_many_stars_cost_no_more_than_name_times_pattern() -> None:
    assert first(["*a" * 200 + "b"], ["a" * 1000]) == [-1]


@pytest.mark.parametrize("pattern", ["*" * (PATTERN_CHARS_MAX + 1), "[é]"])
def test_a_pattern_that_cannot_be_compiled_says_why(pattern: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Globs.of([pattern])
