"""What plain Python reads of the native protocol is what was written, and what the server reads and would refuse."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from native_senders import conversation, parsed
from tallystick.fold.usable import usable_statistics
from tallystick.kernels.names import NameTable
from tallystick.model.kind import Kind
from tallystick.native import Slot, messages
from tallystick.native.accumulate import Distinct
from tallystick.native.messages import Name
from tallystick.native.reading import read_batch, read_hello, read_names, read_origin
from tallystick.parse import protocols

NOW_MS = 1_700_000_000_000
NAMES = [Name(f"a.{kind.name.lower()}", kind) for kind in Kind]
numbers = st.sampled_from([0.0, 1.0, -1.0, 2.5, 3.0, 1e300]) | st.floats()
spreads = st.none() | st.tuples(numbers, numbers, numbers, numbers, numbers)
buckets = st.lists(st.tuples(st.sampled_from([0, 40_000, -40_000, 40_031, 75_201, -4_800, 9]), numbers), max_size=3)


def sketch_of(members: list[bytes]) -> bytes:
    distinct = Distinct()
    for member in members:
        distinct.add(member)
    return distinct.sketch()


@st.composite
def slots(draw: st.DrawFn) -> tuple[int, Slot]:
    series = draw(st.integers(0, len(NAMES) - 1))
    kind = NAMES[series].kind
    sketch = b""
    if kind is Kind.SET or draw(st.integers(0, 9)) == 0:
        sketch = sketch_of(draw(st.lists(st.binary(max_size=3), max_size=12)))
    own = draw(buckets) if kind is Kind.TIMING or draw(st.integers(0, 9)) == 0 else []
    at_ms = NOW_MS + draw(st.integers(-(10**7), 10**7))
    return series, Slot(NAMES[series].name, kind, at_ms, draw(numbers), draw(spreads), own, sketch)


@given(st.lists(slots(), max_size=6), st.integers(1, 1 << 40), st.integers(0, 1 << 20))
def test_a_batch_is_read_as_it_was_written_but_for_slots_that_the_server_would_refuse(
    written: list[tuple[int, Slot]], number: int, generated: int
) -> None:
    message = messages.batch(number, generated, NOW_MS, written, blocked=generated // 2)
    batch = read_batch(message, 1, NAMES)
    assert (batch.number, batch.generated, batch.blocked) == (number, generated, generated // 2)
    server = parsed(
        protocols()["native"]().connected(), conversation("a", "r", [n[:2] for n in NAMES], message), NameTable()
    )
    expected = np.zeros(0, np.bool_)
    if written:
        assert server.tallies is not None
        expected = usable_statistics(server.tallies, server.tallies.kind)
    assert [slot is not None for slot in batch.slots] == expected.tolist()
    for slot, (_, one) in zip(batch.slots, written, strict=True):
        assert slot is None or slot == one._replace(buckets=list(one.buckets))


texts = st.text(max_size=9)
named_so = st.builds(Name, texts, st.sampled_from(Kind), *[texts] * 4, st.just(""))


@given(st.lists(named_so, max_size=5), st.integers(0, 1 << 20))
def test_names_are_read_as_they_were_written(named: list[Name], first: int) -> None:
    assert read_names(messages.names(first, named), 1) == (first, named)


@given(st.sampled_from(["statsd", "x", "a b", "", "x" * 65]), st.lists(st.integers(-1, 6), max_size=5))
def test_an_origin_is_read_as_it_was_written_and_refused_where_the_server_refuses_it(
    protocol: str, numbers: list[int]
) -> None:
    message = messages.origin(protocol, numbers)
    text = conversation("a", "r", [n[:2] for n in NAMES], message)
    is_good = not parsed(protocols()["native"]().connected(), text, NameTable()).broken
    try:
        found = read_origin(message, 1, len(NAMES))
    except ValueError:
        assert not is_good
    else:
        assert is_good
        assert found == (protocol, numbers)


def test_a_greeting_is_read_as_it_was_written() -> None:
    hello = read_hello(messages.hello("web1", "r1", "secret"), 1)
    assert hello is not None
    assert (hello.sender, hello.token) == ("web1/r1", "secret")
    hello = read_hello(messages.hello("web1", ""), 1)
    assert hello is not None
    assert hello.sender == ""
