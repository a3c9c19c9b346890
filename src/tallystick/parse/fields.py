"""`Fields`: messages in Protocol Buffers field by field, in Python: for what is looked at now and then.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

FIELDS_MAX = 200_000
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_VARINT_BITS = 70


class Fields:
    """Reads fields, of one body so many at most: a body may be made of millions, and none of them is worth that.

    Parameters
    ----------
    left
        How many more fields are read.
    """

    def __init__(self, left: int = FIELDS_MAX) -> None:
        self._left = left

    def of(self, message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
        """Numbers and values of the fields of a message that are numbers or have a length.

        Of one that is damaged those before the damage.
        """
        at, end = 0, len(message)
        while at < end and self._left > 0:
            self._left -= 1
            key, at = _varint(message, at)
            wire = key & 7
            if wire == _LENGTH:
                size, at = _varint(message, at)
                if at + size > end:
                    return
                yield key >> 3, message[at : at + size]
                at += size
            elif wire == _VARINT:
                value, at = _varint(message, at)
                if at <= end:
                    yield key >> 3, value
            elif wire in (_EIGHT, _FOUR):
                at += 8 if wire == _EIGHT else 4
            else:
                return

    def messages(self, message: memoryview, number: int) -> Iterator[memoryview]:
        """The fields of that number that have a length."""
        for found, piece in self.of(message):
            if found == number and isinstance(piece, memoryview):
                yield piece


def text_of(piece: memoryview | int | None) -> str:
    """A field as text; empty if it is none."""
    return bytes(piece).decode("utf-8", "replace") if isinstance(piece, memoryview) else ""


def packed_numbers(piece: memoryview) -> Iterator[int]:
    """Numbers one behind the other, as a packed field has them; of one that is damaged those before the damage."""
    at = 0
    while at < len(piece):
        number, at = _varint(piece, at)
        if at <= len(piece):
            yield number


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number, and the position behind it; behind the end where there is none."""
    value = shift = 0
    while at < len(message) and shift < _VARINT_BITS:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, len(message) + 1
