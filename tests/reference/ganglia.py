"""Ganglia's datagrams as `tallystick.parse.ganglia` says them: the twin of `tallystick.kernels.ganglia`."""

import math
import re
import struct

import numpy as np

from reference import carbon
from reference.outcome import Outcome, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

METADATA, STRING, REQUEST = 128, 133, 136
NUMBERS = {129: ">2xH", 130: ">2xh", 131: ">i", 132: ">I", 134: ">f", 135: ">d"}
PATIENCE_MS = 60_000


class Truncated(Exception):
    """The datagram ended before what it should hold."""


class Xdr:
    """A cursor in a datagram."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, size: int) -> bytes:
        if size > len(self.rest):
            raise Truncated
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def word(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def text(self) -> bytes:
        length = self.word()
        return self.take((length + 3) // 4 * 4)[:length]


class Listening:
    """What one listener made of the datagrams so far."""

    def __init__(self, prefix: bytes = b"ganglia") -> None:
        self.prefix = prefix
        self.announced: dict[bytes, str] = {}
        self.first_ms: dict[bytes, int] = {}
        self.named: set[bytes] = set()

    def parse(self, datagram: bytes, now_ms: int) -> Outcome:
        outcome = Outcome()
        try:
            result = self.message(Xdr(datagram), now_ms)
        except Truncated:
            result = Reason.FRAME
        if result is not None:
            outcome.take(result)
        return outcome

    def message(self, xdr: Xdr, now_ms: int) -> Sample | Reason | None:
        packet, host, metric, spoofed = xdr.word(), xdr.text(), xdr.text(), xdr.word()
        if not METADATA <= packet <= REQUEST:
            return Reason.FRAME
        name = self.name(host, metric, spoofed)
        if isinstance(name, Reason):
            return name
        if packet == METADATA:
            self.announce(xdr, name, now_ms)
            return None
        if packet == REQUEST or metric.lower() in (b"heartbeat", b"location"):
            return None
        what = self.announced.get(name)
        self.first_ms.setdefault(name, now_ms)
        value = self.value(xdr, packet, what)
        if isinstance(value, Reason):
            return value
        if what is None and name not in self.named and now_ms - self.first_ms[name] < PATIENCE_MS:
            return Reason.UNDECLARED
        self.named.add(name)
        kind = Kind.CUMULATIVE if what == "growing" else Kind.GAUGE
        return Sample(name, now_ms, value, 1.0, int(kind))

    def name(self, host: bytes, metric: bytes, spoofed: int) -> bytes | Reason:
        if spoofed:
            address, _, host = host.rpartition(b":")
            if not address or not host:
                return Reason.FIELDS
            metric = metric[:1] + metric[1:].partition(b":")[0]
        if not host or not metric:
            return Reason.NAME_EMPTY
        host = re.sub(rb"[\x00-\x20\x7f;:.]", b"_", host).lower()
        metric = re.sub(rb"[\x00-\x20\x7f;:]", b"_", metric)
        name = b".".join((self.prefix, host, metric))
        if len(name) > NAME_BYTES_MAX:
            return Reason.NAME_LONG
        return name if carbon.is_utf8(name) else Reason.NAME_BYTES

    def announce(self, xdr: Xdr, name: bytes, now_ms: int) -> None:
        kind, _, _ = xdr.text(), xdr.text(), xdr.text()
        slope, _, _, pairs = xdr.word(), xdr.word(), xdr.word(), xdr.word()
        for _ in range(2 * pairs):
            xdr.text()
        self.first_ms.setdefault(name, now_ms)
        if kind.lower() == b"string":
            self.announced[name] = "words"
        else:
            self.announced[name] = "growing" if slope in (1, 5) else "level"

    def value(self, xdr: Xdr, packet: int, what: str | None) -> float | Reason:
        xdr.text()
        if packet == STRING:
            text = xdr.text().strip(b" \t")
            number = carbon.number(text)
            if what == "words":
                return Reason.TEXT
            if number is Reason.VALUE:
                return Reason.TEXT if what is None else Reason.VALUE
            return number
        (value,) = struct.unpack(NUMBERS[packet], xdr.take(struct.calcsize(NUMBERS[packet])))
        value = shortest(value) if packet == 134 else float(value)
        return value if math.isfinite(value) else Reason.VALUE_NOT_FINITE


def shortest(value: float) -> float:
    """The float64 of the fewest decimals that is this float32."""
    with np.errstate(all="ignore"):
        for digits in range(10):
            rounded = float(np.rint(np.float64(value) * 10.0**digits) / 10.0**digits)
            if np.float32(rounded) == np.float32(value):
                return rounded
    return value
