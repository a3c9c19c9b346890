"""``Content-Encoding`` undone, at a cost in memory that is bounded whatever the bytes are.

- **Declared sizes** are compared with the limit before anything is allocated, and with what the bytes can become.
- **Without one** the bytes are fed in small pieces until the limit is passed: the most that a piece can become
  (1,032 times its size by deflate, 32,768 times by Zstandard) is what a bomb costs beyond it.

Notes
-----
zlib is Python's own. zstandard takes a limit for its window, which a frame of nine bytes could otherwise have allocated
up to 128 MB (RFC 9659 has the same limit for HTTP). Snappy is read by cramjam, in Rust, into memory that we allocate.
Formats: RFC 1950 to 1952, RFC 8878, and ``format_description.txt`` and ``framing_format.txt`` of Snappy.
"""

import zlib
from collections.abc import Callable
from typing import Protocol

import cramjam
import zstandard

from tallystick.model.reason import Reason
from tallystick.web.errors import BodyError
from tallystick.web.writes.bodies import Body

DECODED_BYTES_MAX = 32 << 20
ENCODINGS = ("gzip", "deflate", "snappy", "zstd")

_MEMBERS_MAX = 1024  # streams behind each other in a body: each costs some microseconds, however short
_DEFLATE_PIECE_BYTES = 4096
_ZSTD_PIECE_BYTES = 256
_ZSTD_OUTPUT_BYTES = 16 << 10  # by which its output grows
_ZSTD_WINDOW_BYTES_MAX = 8 << 20
_SNAPPY_RATIO_MAX = 22  # three bytes copy at most 64
_SNAPPY_FRAMED = b"\xff\x06\x00\x00sNaPpY"
_SNAPPY_CHUNKS_MAX = 1 << 16
_BLANK_ENCODINGS = ("", "identity")


def decode(body: Body, bytes_max: int, room: int) -> bytearray:
    """What a body says, followed by `room` bytes of zero; one that is not encoded is changed and returned itself.

    Parameters
    ----------
    bytes_max
        Of the result, without the room.

    Raises
    ------
    BodyError
        If it is broken, would become too large, or is encoded in another way than one of `ENCODINGS`.
    """
    encoding = body.encoding.strip().lower().removeprefix("x-")
    decoded = body.data if encoding in _BLANK_ENCODINGS else _decode(body.data, encoding, bytes_max)
    if len(decoded) > bytes_max:
        raise _too_long(bytes_max)
    decoded += bytes(room)
    return decoded


def _decode(data: bytearray, encoding: str, bytes_max: int) -> bytearray:
    decoder = _DECODERS.get(encoding)
    if decoder is None:
        expected = ", ".join(ENCODINGS)
        raise BodyError(
            415,
            f"cannot decode the body: there is no encoding {encoding[:60]!r} here; expected one of {expected}, or none",
            Reason.ENCODING,
            {"accept-encoding": expected},  # RFC 9110, section 12.5.3
        )
    if not data:  # senders that have nothing to say do not pack it
        return data
    try:
        return decoder(data, bytes_max)
    except (zlib.error, zstandard.ZstdError, cramjam.DecompressionError) as error:
        raise _broken(encoding, str(error)) from error


class _Stream(Protocol):
    """A compressed stream that is read piece by piece."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: memoryview, /) -> bytes: ...


def _read_streams(
    data: bytearray, new: Callable[[], _Stream], piece_bytes: int, bytes_max: int, encoding: str
) -> bytearray:
    """What one stream holds, or several behind each other."""
    decoded = bytearray()
    view = memoryview(data)
    stream, streams, at = new(), 1, 0
    while at < len(data):
        if stream.eof:
            stream, streams = new(), streams + 1
            if streams > _MEMBERS_MAX:
                raise _broken(encoding, f"it has more than {_MEMBERS_MAX} parts")
        piece = view[at : at + piece_bytes]
        decoded += stream.decompress(piece)
        at += len(piece) - len(stream.unused_data)
        if len(decoded) > bytes_max:
            raise _too_long(bytes_max)
    if not stream.eof:
        raise _broken(encoding, "it ends too early")
    return decoded


def _gzip(data: bytearray, bytes_max: int) -> bytearray:
    return _read_streams(data, lambda: zlib.decompressobj(zlib.MAX_WBITS | 16), _DEFLATE_PIECE_BYTES, bytes_max, "gzip")


def _deflate(data: bytearray, bytes_max: int) -> bytearray:
    """With zlib's header as RFC 9110 has it, or without as some senders do."""
    wrapped = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    bits = zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
    return _read_streams(data, lambda: zlib.decompressobj(bits), _DEFLATE_PIECE_BYTES, bytes_max, "deflate")


def _zstd(data: bytearray, bytes_max: int) -> bytearray:
    if zstandard.frame_content_size(data) > bytes_max:
        raise _too_long(bytes_max)
    decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES_MAX)

    def new() -> _Stream:
        return decoder.decompressobj(write_size=_ZSTD_OUTPUT_BYTES)

    return _read_streams(data, new, _ZSTD_PIECE_BYTES, bytes_max, "zstd")


def _snappy(data: bytearray, bytes_max: int) -> bytearray:
    """A raw block, as Prometheus sends it, or the framed format."""
    if data.startswith(_SNAPPY_FRAMED):
        decoded = bytearray(_checked(_framed_bytes(data), len(data), bytes_max))
        cramjam.snappy.decompress_into(data, decoded)
        return decoded
    decoded = bytearray(_checked(_block_bytes(data), len(data), bytes_max))
    cramjam.snappy.decompress_raw_into(data, decoded)
    return decoded


def _checked(declared: int, encoded: int, bytes_max: int) -> int:
    if declared > bytes_max:
        raise _too_long(bytes_max)
    if declared > encoded * _SNAPPY_RATIO_MAX:
        raise _broken("snappy", f"{encoded} bytes cannot become {declared}")
    return declared


def _block_bytes(block: bytes | bytearray) -> int:
    return int(cramjam.snappy.decompress_raw_len(block))


def _framed_bytes(data: bytearray) -> int:
    """What the chunks of the framed format say that they become, together."""
    total = at = 0
    for _ in range(_SNAPPY_CHUNKS_MAX):
        if at == len(data):
            return total
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "little")
        at += 4 + size
        if at > len(data) or (kind < 2 and size < 4):
            raise _broken("snappy", "it ends inside a chunk")
        if kind == 0:  # four bytes of checksum, then a block
            total += _block_bytes(data[at - size + 4 : min(at - size + 9, at)])
        elif kind == 1:
            total += size - 4
    raise _broken("snappy", f"it has more than {_SNAPPY_CHUNKS_MAX} chunks")


def _too_long(bytes_max: int) -> BodyError:
    text = f"cannot take a body of more than {bytes_max} bytes when decoded: it is too large; expected smaller ones"
    return BodyError(413, text, Reason.BODY_LONG)


def _broken(encoding: str, cause: str) -> BodyError:
    return BodyError(400, f"cannot decode the body: {cause}; expected whole {encoding}", Reason.ENCODING)


_DECODERS: dict[str, Callable[[bytearray, int], bytearray]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "snappy": _snappy,
    "snappy-framed": _snappy,
    "zstd": _zstd,
}
