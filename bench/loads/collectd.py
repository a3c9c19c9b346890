"""collectd's packets, as its network plugin packs them: of each text only what is another than before."""

import struct
from collections.abc import Iterator

import numpy as np

from bench.fleet import slot_now

_PACKET_BYTES = 1452
_STATES = ("user", "system", "nice", "idle", "wait", "interrupt", "softirq", "steal")
_MEMORY = ("used", "free", "buffered", "cached", "slab_recl", "slab_unrecl")
_TEXT_PARTS = (0x0000, 0x0002, 0x0003, 0x0004, 0x0005)

Row = tuple[tuple[str, str, str, str, str], str]
"""Host, plugin and its instance, type and its instance; and a letter for the kind of each value."""


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    rows = list(rows_of(series))
    random = np.random.default_rng(seed)
    packets, taken = [], 0
    for k in range(-(-samples // series)):
        time_hr = slot_now(-(-samples // series) - 1 - k) << 30
        levels = random.integers(0, 1 << 40, len(rows)).tolist()
        wanted = []
        for row, level in zip(rows, levels, strict=True):
            if taken + len(row[1]) <= samples:
                wanted.append((row, level))
                taken += len(row[1])
        packets += list(_packed(wanted, time_hr))
    return packets


def rows_of(series: int) -> Iterator[Row]:
    """Values of hosts with eight cores, until there are so many series."""
    made, host = 0, 0
    while made < series:
        for row in _of_host(f"host{host:04d}.example.org"):
            kinds = row[1][: series - made]
            if len(kinds) == len(row[1]):
                yield row
                made += len(kinds)
            elif kinds:
                yield (*row[0][:3], "gauge", "last"), kinds[:1]
                made += 1
        host += 1


def _of_host(host: str) -> Iterator[Row]:
    for core in range(8):
        for state in _STATES:
            yield (host, "cpu", str(core), "cpu", state), "d"
    for state in _MEMORY:
        yield (host, "memory", "", "memory", state), "g"
    for interface in ("lo", "eth0", "eth1"):
        for type_ in ("if_octets", "if_packets", "if_errors"):
            yield (host, "interface", interface, type_, ""), "dd"
    yield (host, "load", "", "load", ""), "ggg"


def _packed(rows: list[tuple[Row, int]], time_hr: int) -> Iterator[bytes]:
    packet, said = b"", ("", "", "", "", "")
    for (texts, kinds), level in rows:
        part = _parts(said, texts, kinds, level, time_hr if not packet else None)
        if len(packet) + len(part) > _PACKET_BYTES:
            yield packet
            packet, part = b"", _parts(("", "", "", "", ""), texts, kinds, level, time_hr)
        packet += part
        said = texts
    if packet:
        yield packet


def _parts(said: tuple[str, ...], texts: tuple[str, ...], kinds: str, level: int, time_hr: int | None) -> bytes:
    out = b""
    if time_hr is not None:
        out += struct.pack(">HHQHHQ", 0x0008, 12, time_hr, 0x0009, 12, 10 << 30)
    for part, before, text in zip(_TEXT_PARTS, said, texts, strict=True):
        if text != before:
            out += struct.pack(">HH", part, 5 + len(text)) + text.encode() + b"\0"
    values = b"".join(struct.pack("<d", level / 100) if kind == "g" else struct.pack(">q", level) for kind in kinds)
    numbers = bytes(1 if kind == "g" else 2 for kind in kinds)
    return out + struct.pack(">HHH", 0x0006, 6 + 9 * len(kinds), len(kinds)) + numbers + values
