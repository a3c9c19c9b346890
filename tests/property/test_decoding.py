"""Bodies in any encoding, of any bytes: decoded as they were, or refused; never more than the limit."""

import gzip
import zlib
from collections.abc import Callable

import cramjam
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tallystick.model.reason import Reason
from tallystick.web.errors import BodyError
from tallystick.web.writes.bodies import Body
from tallystick.web.writes.decoding import ENCODINGS, decode

LIMIT = 1 << 18
ROOM = 16


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", bytes),
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", lambda data: gzip.compress(data, 1)),
    "gzip of two members": ("gzip", lambda data: gzip.compress(data[:10]) + gzip.compress(data[10:])),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "snappy": ("snappy", lambda data: bytes(cramjam.snappy.compress_raw(data))),
    "snappy framed": ("snappy", lambda data: bytes(cramjam.snappy.compress(data))),
    "x-snappy-framed": ("x-snappy-framed", lambda data: bytes(cramjam.snappy.compress(data))),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress),
    "zstd without size": ("zstd", zstandard.ZstdCompressor(write_content_size=False).compress),
    "zstd of two frames": (
        "zstd",
        lambda data: zstandard.compress(data[:10]) + zstandard.ZstdCompressor(write_checksum=True).compress(data[10:]),
    ),
}
TEXTS = st.one_of(st.binary(max_size=300), st.builds(bytes.__mul__, st.binary(max_size=50), st.integers(0, 5000)))
WHOLE = ("gzip", "deflate", "snappy", "snappy framed", "zstd", "zstd without size")


def decoded(encoding: str, data: bytes) -> bytes | Reason:
    """What a body says, or why it is refused; without the room behind it, which is zero."""
    try:
        result = decode(Body(bytearray(data), encoding), LIMIT, ROOM)
    except BodyError as error:
        assert error.reason is not None
        assert error.status in {400, 413, 415}
        return error.reason
    assert result[-ROOM:] == bytes(ROOM)
    assert len(result) <= LIMIT + ROOM
    return bytes(result[:-ROOM])


@pytest.mark.parametrize("way", ENCODERS)
@given(text=TEXTS)
def test_what_was_encoded_comes_back(way: str, text: bytes) -> None:
    encoding, encode = ENCODERS[way]
    assert decoded(encoding, encode(text)) == text


@pytest.mark.parametrize("way", WHOLE)
@given(text=TEXTS, data=st.data())
def test_a_body_that_ends_too_early_is_refused(way: str, text: bytes, data: st.DataObject) -> None:
    encoding, encode = ENCODERS[way]
    body = encode(text)
    kept = data.draw(st.integers(1, len(body) - 1)) if len(body) > 1 else 0
    result = decoded(encoding, body[:kept])
    # The framed format has no end: between two chunks, nothing shows that there was more.
    assert result is Reason.ENCODING or (way == "snappy framed" and text.startswith(result)) or kept == 0


@pytest.mark.parametrize("way", ["gzip", "deflate", "snappy", "zstd", "zstd without size"])
@given(text=TEXTS, garbage=st.binary(min_size=1, max_size=40))
def test_a_body_with_something_behind_it_is_refused(way: str, text: bytes, garbage: bytes) -> None:
    encoding, encode = ENCODERS[way]
    assert decoded(encoding, encode(text) + garbage) is Reason.ENCODING


@given(encoding=st.sampled_from([*ENCODINGS, "x-snappy-framed", "br", "gzip, gzip"]), data=st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(encoding: str, data: bytes) -> None:
    decoded(encoding, data)


@pytest.mark.parametrize("way", WHOLE)
@given(text=st.binary(min_size=1, max_size=200), place=st.integers(0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_no_exception(way: str, text: bytes, place: int, bit: int) -> None:
    encoding, encode = ENCODERS[way]
    body = bytearray(encode(text))
    body[place % len(body)] ^= 1 << bit
    decoded(encoding, body)


@pytest.mark.parametrize("way", ENCODERS)
def test_a_body_may_be_as_long_as_the_limit_and_no_longer(way: str) -> None:
    encoding, encode = ENCODERS[way]
    assert decoded(encoding, encode(b"x" * LIMIT)) == b"x" * LIMIT
    assert decoded(encoding, encode(b"x" * (LIMIT + 1))) is Reason.BODY_LONG


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


@given(size=st.integers(0, 2**40))
def test_a_size_that_snappy_bytes_cannot_have_is_refused(size: int) -> None:
    block = varint(size) + bytes(cramjam.snappy.compress_raw(b"abc"))[1:]
    result = decoded("snappy", block)
    assert result == b"abc" if size == 3 else result in {Reason.ENCODING, Reason.BODY_LONG}


@given(size=st.integers(0, 2**40))
def test_a_wrong_size_of_a_zstd_frame_is_refused(size: int) -> None:
    # RFC 8878, 3.1.1: magic number, a descriptor (single segment, eight bytes of size), the size, one raw block.
    frame = b"\x28\xb5\x2f\xfd\xe0" + size.to_bytes(8, "little") + bytes([3 << 3 | 1, 0, 0]) + b"abc"
    result = decoded("zstd", frame)
    assert result == b"abc" if size == 3 else result in {Reason.ENCODING, Reason.BODY_LONG}


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_many_small_parts_are_refused_before_they_cost_much(encoding: str) -> None:
    part = gzip.compress(b"") if encoding == "gzip" else zstandard.compress(b"")
    assert decoded(encoding, part * 1000) == b""
    assert decoded(encoding, part * 100_000) is Reason.ENCODING
