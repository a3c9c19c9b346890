"""Framing: damage costs the record it hits, and is counted."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.files import bytes_of
from tallystick.store.log.record import HEAD_BYTES, MAGIC, Record, Scan, frame

payloads = st.lists(st.binary(max_size=60) | st.just(MAGIC * 3), min_size=1, max_size=6)


def written_together(*payloads: bytes) -> bytes:
    return b"".join(map(bytes_of, frame(*(Record([payload]) for payload in payloads))))


def framed(*parts: bytes) -> bytes:
    return b"".join(map(bytes_of, frame(Record(list(parts)))))


def read(data: bytes) -> tuple[list[bytes], Scan]:
    scan = Scan(data)
    return [bytes(payload) for payload in scan], scan


@given(payloads)
def test_records_are_read_as_they_were_written(written: list[bytes]):
    data = b"".join(map(framed, written))
    found, scan = read(data)
    assert found == written
    assert (scan.end, scan.damaged_bytes) == (len(data), 0)


def test_a_record_of_parts_is_one_record():
    assert read(framed(b"one", b"", b"two"))[0] == [b"onetwo"]


@given(payloads, st.data())
@settings(max_examples=300)
def test_a_flipped_bit_costs_only_the_record_it_hits(written: list[bytes], data: st.DataObject):
    pieces = [framed(payload) for payload in written]
    hit = data.draw(st.integers(0, len(pieces) - 1))
    bit = data.draw(st.integers(0, 8 * len(pieces[hit]) - 1))
    damaged = bytearray(pieces[hit])
    damaged[bit // 8] ^= 1 << bit % 8
    found, scan = read(b"".join([*pieces[:hit], bytes(damaged), *pieces[hit + 1 :]]))
    assert found == written[:hit] + written[hit + 1 :]
    # The last record cannot be told from a torn write.
    assert scan.damaged_bytes == (len(damaged) if hit < len(pieces) - 1 else 0)


@given(payloads, st.data())
@settings(max_examples=300)
def test_a_torn_tail_is_passed_over_and_is_no_damage(written: list[bytes], data: st.DataObject):
    whole = b"".join(map(framed, written[:-1]))
    last = framed(written[-1])
    cut = data.draw(st.integers(0, len(last) - 1))
    found, scan = read(whole + last[:cut])
    assert found == written[:-1]
    assert (scan.end, scan.damaged_bytes) == (len(whole), 0)


@given(payloads, payloads, st.data())
def test_a_write_that_misses_any_of_its_bytes_is_no_damage_until_another_one_follows(
    before: list[bytes], torn: list[bytes], data: st.DataObject
):
    safe = written_together(*before)
    last = bytearray(written_together(*torn))
    begin = data.draw(st.integers(0, len(last) - 1))
    end = data.draw(st.integers(begin + 1, len(last)))
    last[begin:end] = bytes(byte ^ 255 for byte in last[begin:end])
    found, scan = read(safe + last)
    assert found[: len(before)] == before
    assert set(found) <= {*before, *torn}
    assert scan.damaged_bytes == 0
    assert len(safe) <= scan.whole_end <= len(safe) + begin
    _, scan = read(safe + last + written_together(b"next"))
    assert scan.damaged_bytes >= end - begin
    assert scan.whole_end == scan.end == len(safe) + len(last) + len(written_together(b"next"))


def test_where_a_record_is_in_its_write_is_summed_up_too():
    data = bytearray(written_together(b"one", b"two"))
    data[HEAD_BYTES + 3 + 8] ^= 1
    found, scan = read(bytes(data) + written_together(b"three"))
    assert found == [b"one", b"three"]
    assert scan.damaged_bytes == HEAD_BYTES + 3


@given(payloads, st.data())
def test_what_was_appended_behind_a_torn_record_is_found(written: list[bytes], data: st.DataObject):
    torn = framed(os.urandom(40))
    cut = data.draw(st.integers(0, len(torn) - 1))
    found, scan = read(torn[:cut] + b"".join(map(framed, written)))
    assert found == written
    assert scan.damaged_bytes == cut


def test_a_length_beyond_the_end_does_not_hide_what_follows():
    liar = bytearray(framed(b"abc"))
    liar[4:8] = b"\xff\xff\xff\x7f"
    found, scan = read(bytes(liar) + framed(b"next"))
    assert found == [b"next"]
    assert scan.damaged_bytes == HEAD_BYTES + 3


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(data: bytes):
    assert read(data)[1].end <= len(data)
