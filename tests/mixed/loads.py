"""What good senders send: parts of `bench.loads`, with names that tell which protocol they came by."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from bench.loads import payloads_of

from tallystick.config import PROTOCOLS
from tallystick.parse import NameTable, padded, protocols

SERIES = 100
PART_SAMPLES = 100
"""Of a part: one body, one connection or some datagrams."""

FLOOD = "flood."
NUMBERED = "numbered."
"""What an agent sends begins so: numbered batches of the native protocol, sent again until they are acknowledged."""
OWN = "tallystick."

MARKS = {
    "carbon": (b"prod.", b"carb."),
    "carbon-pickle": (b"prod.", b"pick."),
    "carbon-protobuf": (b"prod.", b"cpro."),
    "collectd": (b"host0", b"cold0"),
    "collectd-http": (b"host0", b"colh0"),
    "exposition": (b"http_", b"expo_"),
    "ganglia": (b"metric_", b"gmetrc_"),
    "influx": (b"host=web", b"host=inf"),
    "istatd": (b"prod.", b"ista."),
    "native": (b"prod.", b"prod."),  # its frames have checksums
    "openmetrics": (b"http_", b"opme_"),
    "opentsdb": (b"web0", b"tsd0"),
    "opentsdb-json": (b"web0", b"tsj0"),
    "otlp": (b"http.server", b"otlp.server"),
    "otlp-json": (b"http.server", b"otlj.server"),
    "remote-write": (b"http_", b"rwri_"),
    "remote-write-2": (b"http_", b"rwr2_"),
    "statsd": (b"prod.", b"stsd."),
}
"""Part of each name of a protocol's load, and what of the same length is sent in its place: one look at a stored name
tells who sent it."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is sent without a break.

    Parameters
    ----------
    rows
        Samples, as the ledger counts them.
    weight
        What the store counts: a sampled one counts for several, and so does a slot that the sender tallied.
    """

    pieces: list[bytes]
    rows: int
    weight: float


def scheme_of(protocol: str) -> str:
    """What carries a protocol that has listeners."""
    return "tcp" if "tcp" in PROTOCOLS[protocol] and protocol != "statsd" else "udp"


def part_of(protocol: str, seed: int) -> Part:
    """A part of a protocol's load."""
    payloads = payloads_of(protocol)
    assert payloads is not None
    pieces = [piece.replace(*MARKS[protocol]) for piece in payloads(SERIES, PART_SAMPLES, seed)]
    rows, weight, _ = read(protocol, pieces)
    return Part(pieces, rows, weight)


def read(protocol: str, pieces: list[bytes]) -> tuple[int, float, list[str]]:
    """How many samples the pieces are, how many the store counts, and their names."""
    parser, names, rows, weight = protocols()[protocol](), NameTable(), 0, 0.0
    stream, now_ms = protocol in PROTOCOLS and scheme_of(protocol) == "tcp", int(time.time() * 1000)
    for piece in [b"".join(pieces)] if stream else pieces:
        parsed = (
            parser.parse_datagrams(
                padded(piece), np.zeros(1, np.int64), np.array([len(piece)], np.int32), names, now_ms
            )
            if protocol in PROTOCOLS and not stream
            else parser.parse(padded(piece), len(piece), names, now_ms, final=True)
        )
        rows += parsed.taken
        weight += float(parsed.batch.weight.sum())
        if parsed.tallies is not None:
            weight += float(parsed.tallies.spread.count.sum())
    return rows, weight, [names.name(k).decode() for k in range(len(names))]


def sender_of(name: str) -> str:
    """Who sent a stored series: a protocol, `FLOOD`, `NUMBERED` or `OWN`; empty if nobody should have."""
    for own in (FLOOD, NUMBERED, OWN):
        if name.startswith(own):
            return own
    found = [protocol for protocol, (_, mark) in MARKS.items() if mark.decode() in name]
    return found[0] if len(found) == 1 else ""


def by_sender(names: Iterable[str], counts: Iterable[float]) -> "Counter[str]":
    """Counts of series added up by who sent them."""
    found: Counter[str] = Counter()
    for name, count in zip(names, counts, strict=True):
        found[sender_of(name)] += count
    return found
