"""`Repeater`: sends the same slots to another system in that one's words, while somebody moves from it to us.

At best effort: memory is bounded, what is dropped is counted, and nobody answers. Systems that keep one number for
each name get a counter's sum, a gauge's last value, and of a timing ``.count``, ``.mean``, ``.min`` and ``.max``.
StatsD gets a timing's histogram as samples at a rate; its relative error is one percent.
"""

import math
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence

from tallystick.config.delivery import Repeat
from tallystick.model.kind import Kind
from tallystick.native.messages import Slot
from tallystick.sockets import Forwarder

_DATAGRAM_BYTES = 1432
_BUCKET_ORIGIN, _BUCKETS_TO_DOUBLE = 40_000, 32


def number(value: float) -> str:
    """The shortest text that reads back as `value`, without the ``.0`` of whole numbers."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def lines_of(protocol: str, slots: Iterable[Slot], prefix: str = "") -> Iterator[str]:
    """Slots as lines of another protocol, each with its newline."""
    make = _MAKERS[protocol]
    for slot in slots:
        for line in make(slot):
            yield f"{prefix}{line}\n"


def _values(slot: Slot) -> list[tuple[str, float]]:
    """What one number can be said of a slot: suffixes and values."""
    if slot.spread is None:
        return [("", slot.last)]
    count, total, _, least, greatest = slot.spread
    if slot.kind is Kind.COUNTER:
        return [("", total)]
    if slot.kind is Kind.TIMING and count:
        return [(".count", count), (".mean", total / count), (".min", least), (".max", greatest)]
    return [("", slot.last)]


def _carbon(slot: Slot) -> Iterator[str]:
    path, semicolon, tags = slot.name.partition(";")
    for suffix, value in _values(slot):
        yield f"{path}{suffix}{semicolon}{tags} {number(value)} {slot.at_ms // 1000}"


def _statsd(slot: Slot) -> Iterator[str]:
    name = slot.name.partition(";")[0]
    if slot.kind is Kind.COUNTER:
        yield f"{name}:{number(_values(slot)[0][1])}|c"
    elif slot.kind is Kind.TIMING:
        for value, weight in _samples(slot):
            rate = f"|@{1 / weight!r}" if weight > 1 else ""
            yield f"{name}:{value:.6g}|ms{rate}"
    else:
        if slot.last < 0:
            yield f"{name}:0|g"  # a sign means a change of the level: from zero it is the level itself
        yield f"{name}:{number(slot.last)}|g"


def _samples(slot: Slot) -> list[tuple[float, float]]:
    """Values that a timing may have had, and how often."""
    if slot.spread is None:
        return [(slot.last, 1.0)]
    count, total, _, least, greatest = slot.spread
    if not slot.buckets:
        return [(total / count, count)] if count else []
    return [(min(max(_middle(bucket), least), greatest), weight) for bucket, weight in slot.buckets]


def _middle(bucket: int) -> float:
    """The value in the middle of a bucket."""
    if not bucket:
        return 0.0
    value = math.exp2((abs(bucket) - _BUCKET_ORIGIN + 0.5) / _BUCKETS_TO_DOUBLE)
    return math.copysign(value, bucket)


def _istatd(slot: Slot) -> Iterator[str]:
    name, at_s = slot.name.partition(";")[0], slot.at_ms // 1000
    if slot.kind is Kind.COUNTER:
        yield f"*{name} {at_s} {number(_values(slot)[0][1])}"
    elif slot.spread is None:
        yield f"{name} {at_s} {number(slot.last)}"
    else:
        count, total, m2, least, greatest = slot.spread
        squares = m2 + total * total / count if count else 0.0
        yield f"{name} {at_s} {' '.join(map(number, (total, squares, least, greatest, count)))}"


_MAKERS: dict[str, Callable[[Slot], Iterator[str]]] = {"carbon": _carbon, "statsd": _statsd, "istatd": _istatd}


class Repeater:
    """Sends to one other system.

    Parameters
    ----------
    repeat
        Its address and protocol.
    """

    def __init__(self, repeat: Repeat) -> None:
        self._repeat = repeat
        self._address = repeat.endpoint
        self._datagrams_dropped = 0
        self._forwarder = None if self._address.datagrams else Forwarder(self._address, repeat.buffer_bytes_max)

    @property
    def dropped(self) -> int:
        """Lines, or datagrams, that are known not to have arrived."""
        return self._datagrams_dropped if self._forwarder is None else self._forwarder.standing().dropped

    def start(self) -> None:
        """Begin to send."""
        if self._forwarder is not None:
            self._forwarder.start()

    def repeat(self, slots: Sequence[Slot]) -> None:
        """Send slots; never waits."""
        lines = list(lines_of(self._repeat.protocol, slots, self._repeat.prefix))
        if self._forwarder is not None:
            self._forwarder.offer("".join(lines).encode(), len(lines))
        else:
            self._send(datagrams(lines))

    def stop(self, drain_s: float) -> None:
        """Send what is left if that takes no longer."""
        if self._forwarder is not None:
            self._forwarder.stop(drain_s)

    def _send(self, packed: Iterable[bytes]) -> None:
        try:
            found = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_DGRAM)
        except OSError:
            self._datagrams_dropped += sum(1 for _ in packed)
            return
        family, kind, protocol, _, target = found[0]
        with socket.socket(family, kind, protocol) as connection:
            connection.setblocking(False)
            for datagram in packed:
                try:
                    connection.sendto(datagram, target)
                except OSError:
                    self._datagrams_dropped += 1


def datagrams(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines packed into as few datagrams as will cross an Ethernet whole."""
    packed: list[bytes] = []
    size = 0
    for line in lines:
        encoded = line.encode()
        if packed and size + len(encoded) > _DATAGRAM_BYTES:
            yield b"".join(packed)
            packed, size = [], 0
        packed.append(encoded)
        size += len(encoded)
    if packed:
        yield b"".join(packed)
