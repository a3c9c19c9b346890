"""Messages of DNS (RFC 1035): questions as bytes, and what answers say."""

import socket
import struct

TYPES = {"A": 1, "AAAA": 28, "CNAME": 5, "MX": 15, "NS": 2, "TXT": 16}
_HEAD = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_RECURSION_DESIRED = 0x0100
_IS_ANSWER = 0x8000
_INTERNET = 1
_JUMPS_MAX = 64
_ADDRESSES = {1: (socket.AF_INET, 4), 28: (socket.AF_INET6, 16)}


def question(number: int, name: str, kind: int) -> bytes:
    """A message that asks for records of one type.

    Raises
    ------
    UnicodeError
        If `name` is none.
    """
    labels = b"".join(bytes((len(label),)) + label for label in name.rstrip(".").encode("idna").split(b".") if label)
    return _HEAD.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, _INTERNET)


def answers(message: bytes, asked: bytes, kind: int) -> tuple[int, list[str]]:
    """The code of an answer (0 is success), and what its records of type `kind` say, in lower case.

    Raises
    ------
    ValueError
        If it is no answer to what was asked.
    """
    try:
        number, flags, questions, count, _, _ = _HEAD.unpack_from(message)
        if number != int.from_bytes(asked[:2], "big") or not flags & _IS_ANSWER:
            raise ValueError("it answers something else")
        at = _HEAD.size
        for _ in range(questions):
            at = _name(message, at)[1] + 4
        found = []
        for _ in range(count):
            at = _name(message, at)[1]
            of, _, _, size = _RECORD.unpack_from(message, at)
            at += _RECORD.size
            if at + size > len(message):
                raise ValueError("its record ends behind it")
            if of == kind:
                found.append(_said(message, at, size, kind))
            at += size
    except (struct.error, IndexError) as error:
        raise ValueError("it is cut off") from error
    return flags & 0x0F, sorted(found)


def _said(message: bytes, at: int, size: int, kind: int) -> str:
    if kind in _ADDRESSES:
        family, length = _ADDRESSES[kind]
        if size != length:
            raise ValueError(f"an address has {size} bytes")
        return socket.inet_ntop(family, message[at : at + size])
    if kind == TYPES["TXT"]:
        parts, end = [], at + size
        while at < end:
            parts.append(message[at + 1 : min(end, at + 1 + message[at])])
            at += 1 + message[at]
        return b"".join(parts).decode("utf-8", "replace").lower()
    return _name(message, at + 2 if kind == TYPES["MX"] else at)[0].lower()


def _name(message: bytes, at: int) -> tuple[str, int]:
    """A name, and the position behind it where it stands; parts of it may stand elsewhere."""
    labels: list[str] = []
    behind = -1
    for _ in range(_JUMPS_MAX * 2):
        length = message[at]
        if length == 0:
            return ".".join(labels), at + 1 if behind < 0 else behind
        if length >= 0xC0:
            behind = at + 2 if behind < 0 else behind
            at = (length & 0x3F) << 8 | message[at + 1]
        else:
            labels.append(message[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
    raise ValueError("a name has no end")
