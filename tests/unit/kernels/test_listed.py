"""Names come out of their arrays as they went in."""

import numpy as np
import pytest

from tallystick.kernels.listed import texts_of
from tallystick.kernels.packed import Names


@pytest.mark.parametrize(
    "names",
    [[], [""], ["a.b"], ["", "", ""], ["web.h1.cpu", "", "größe;wo=köln", "x"], ["a\0b", "c"], ["\0"]],
)
def test_names_come_out_as_they_went_in(names: list[str]) -> None:
    packed = Names.of(names)
    assert texts_of(packed.arena, packed.offsets[:-1], packed.offsets[1:]) == names


def test_pieces_are_taken_in_any_order_and_may_share_bytes() -> None:
    arena = np.frombuffer(b"web.h1.cpu", np.uint8).copy()
    assert texts_of(arena, np.array([4, 0, 0]), np.array([6, 10, 3])) == ["h1", "web.h1.cpu", "web"]
