"""Every protocol that is registered: any bytes are taken or rejected for a reason, whatever carries them.

What is drawn begins as something that the protocol's senders send: its golden cases, and what `bench.loads` makes. So a
protocol that has neither fails here, and none can be forgotten. `make fuzz` draws other examples each time, and more.
"""

import os
import random

import numpy as np
import pytest
from bench.loads import payloads_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Parsed, Parser, padded, protocols
from unit.parse.test_golden_lines import CASES, NOW_MS, pieces_of

BYTES_MAX = 20_000
"""Of a seed: what is larger is about size and not about form."""
ENTRIES_MAX = 5_000
SPLICED_MAX = 64
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))


def seeds_of(name: str) -> list[bytes]:
    """What the senders of a protocol send."""
    golden = [b"".join(pieces_of(case)[0]) for case in CASES if case.parent.name == name]
    payloads = payloads_of(name)
    made = payloads(40, 200, 1)[:4] if payloads is not None else []
    return [seed[:BYTES_MAX] for seed in (*golden, *made) if seed]


SEEDS = {name: seeds_of(name) for name in protocols()}


def mutated(seeds: list[bytes], chance: random.Random) -> bytes:
    """A seed with bytes overwritten, pieces taken out, repeated or put in from another one, or cut short."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(data) + 1)
        size = chance.randrange(SPLICED_MAX)
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = data[at : at + size]
            case 3:
                other = chance.choice(seeds)
                start = chance.randrange(len(other))
                data[at:at] = other[start : start + size]
            case 4:
                data[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff"])
            case _:
                del data[at:]
    return bytes(data)


def check(parsed: Parsed, names: NameTable, length: int) -> None:
    """What holds for everything that a parser says."""
    rejects = parsed.rejects
    assert parsed.lines == parsed.taken + rejects.total
    assert 0 <= parsed.consumed <= length
    assert len(rejects.counts) == len(Reason)
    assert rejects.counts[Reason.NONE] == 0
    assert (rejects.counts >= 0).all()
    assert len(rejects.offset) == len(rejects.length) == len(rejects.reason) <= rejects.total
    assert (rejects.offset >= 0).all()
    assert (rejects.offset + rejects.length <= length).all()
    for part in (parsed.batch, parsed.tallies):
        if part is not None and len(part):
            assert 0 <= part.ids.min() <= part.ids.max() < len(names)
    assert len(names) <= ENTRIES_MAX


def parse_at_once(parser: Parser, data: bytes, names: NameTable) -> None:
    buffer = padded(data)
    check(parser.parse(buffer, len(data), names, NOW_MS, final=True), names, len(data))
    assert buffer[: len(data)].tobytes() == data


def parse_datagrams(parser: Parser, pieces: list[bytes], names: NameTable) -> None:
    lengths = np.array([len(piece) for piece in pieces], np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    data = b"".join(pieces)
    check(parser.parse_datagrams(padded(data), offsets, lengths, names, NOW_MS), names, len(data))


def parse_in_pieces(parser: Parser, data: bytes, size: int, names: NameTable) -> None:
    """As a connection brings it, that ends wherever it ends."""
    rest, skipping = b"", False
    for at in range(0, len(data), size):
        rest += data[at : at + size]
        parsed = parser.parse(padded(rest), len(rest), names, NOW_MS, skipping=skipping)
        check(parsed, names, len(rest))
        if parsed.broken:
            return
        rest, skipping = rest[parsed.consumed :], parsed.skipping


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_a_protocol_has_something_to_begin_with(name: str) -> None:
    assert len(SEEDS[name]) >= 5, f"expected cases in tests/golden/{name} and bench/loads/{name.replace('-', '_')}.py"
    assert payloads_of(name) is not None, f"expected payloads() in bench/loads/{name.replace('-', '_')}.py"


@pytest.mark.parametrize("name", sorted(SEEDS))
@settings(deadline=None, max_examples=EXAMPLES)
@given(chance=st.randoms(use_true_random=False), noise=st.binary(max_size=40))
def test_any_bytes_are_taken_or_rejected(name: str, chance: random.Random, noise: bytes) -> None:
    parser, names = protocols()[name](), NameTable(ENTRIES_MAX)
    pieces = [mutated(SEEDS[name], chance) for _ in range(3)] + [noise, b""]
    for piece in pieces:
        parse_at_once(parser, piece, names)
    parse_datagrams(parser, pieces, names)
    parse_in_pieces(parser, pieces[0], chance.randrange(1, 2_000), names)
