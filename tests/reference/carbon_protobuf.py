"""Carbon's payloads of Protocol Buffers as their page says it: the twin of `kernels.carbon_protobuf`, and a writer."""

import math
import struct
from collections.abc import Iterator

from reference.carbon import is_utf8
from reference.outcome import Outcome, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason


class BrokenError(Exception):
    """Bytes that are not as the wire format has it."""


def parse(payload: bytes) -> Outcome:
    outcome = Outcome()
    try:
        for field, value in fields(payload):
            if field == 1 and isinstance(value, bytes):
                take_metric(value, outcome)
    except BrokenError:
        outcome.reject(Reason.FRAME)
    return outcome


def take_metric(metric: bytes, outcome: Outcome) -> None:
    try:
        found = list(fields(metric))
    except BrokenError:
        outcome.reject(Reason.FRAME)
        return
    name = b"".join([value for field, value in found if field == 1 and isinstance(value, bytes)][-1:])
    if not name:
        outcome.reject(Reason.NAME_EMPTY)
    elif len(name) > NAME_BYTES_MAX:
        outcome.reject(Reason.NAME_LONG)
    elif any(byte <= 0x20 or byte == 0x7F for byte in name) or not is_utf8(name):
        outcome.reject(Reason.NAME_BYTES)
    else:
        for field, value in found:
            if field == 2 and isinstance(value, bytes):
                outcome.take(sample(name, value))


def sample(name: bytes, point: bytes) -> Sample | Reason:
    seconds, value = 0, 0.0
    try:
        for field, found in fields(point):
            if field == 1 and isinstance(found, int):
                seconds = found
            elif field == 2 and isinstance(found, float):
                value = found
    except BrokenError:
        return Reason.FRAME
    if seconds > 0xFFFFFFFF:
        return Reason.TIMESTAMP
    return (
        Sample(name, seconds * 1000, value, 1.0, int(Kind.GAUGE)) if math.isfinite(value) else Reason.VALUE_NOT_FINITE
    )


def fields(message: bytes) -> Iterator[tuple[int, int | float | bytes | None]]:
    """Number and value of each field: varints as integers, doubles, bytes; None for others."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        field, wire = key >> 3, key & 7
        if field == 0 or key >> 32 or wire not in (0, 1, 2, 5):
            raise BrokenError
        value: int | float | bytes | None = None
        if wire == 0:
            value, at = varint(message, at)
        else:
            size, at = (8 if wire == 1 else 4, at) if wire != 2 else varint(message, at)
            if size > len(message) - at:
                raise BrokenError
            body = message[at : at + size]
            value = body if wire == 2 else struct.unpack("<d", body)[0] if wire == 1 else None
            at += size
        yield field, value


def varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise BrokenError
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                raise BrokenError
            return value, at
    raise BrokenError


def written(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def enclosed(field: int, body: bytes) -> bytes:
    return written(field << 3 | 2) + written(len(body)) + body


def metric(name: bytes, *points: tuple[int, float]) -> bytes:
    """A metric in its payload."""
    body = [b"\x08" + written(seconds) + b"\x11" + struct.pack("<d", value) for seconds, value in points]
    return enclosed(1, enclosed(1, name) + b"".join(enclosed(2, point) for point in body))


def frame(payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + payload
