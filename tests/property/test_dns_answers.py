"""Whatever a DNS server says, it is an answer or a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.agent.checks.messages import TYPES, answers, question

ASKED = question(0x1234, "shop.example.org", TYPES["A"])
HEADS = st.tuples(st.integers(0, 3), st.integers(0, 5)).map(
    lambda counts: b"\x12\x34\x81\x80" + counts[0].to_bytes(2, "big") + counts[1].to_bytes(2, "big") + bytes(4)
)
PARTS = st.sampled_from([b"\xc0\x0c", b"\xc0\x0d", b"\0", b"\4shop", b"\0\1\0\1", bytes(4), b"\0\4", b"\x3f", b"\xff"])
BODIES = st.lists(PARTS | st.binary(max_size=6), max_size=20).map(b"".join)


@given(HEADS | st.binary(max_size=12), BODIES, st.sampled_from(sorted(TYPES.values())))
def test_any_bytes_are_an_answer_or_a_reason(head: bytes, body: bytes, kind: int) -> None:
    try:
        code, found = answers(head + body, ASKED, kind)
    except ValueError as error:
        assert str(error)
    else:
        assert 0 <= code < 16
        assert all(isinstance(text, str) for text in found)


@pytest.mark.parametrize("name", ["a" * 64 + ".org", "a..b"])
def test_what_is_no_name_cannot_be_asked_for(name: str) -> None:
    with pytest.raises(UnicodeError):
        question(1, name, 1)
