"""Parsers and the route by themselves, in this process: what of the whole is theirs."""

import time
from collections.abc import Iterator

import numpy as np

from bench.figure import Figure, benchmark, load
from bench.fleet import names_of
from tallystick.model.sample import SampleBatch
from tallystick.parse import PADDING, NameTable, Parser, padded, protocols
from tallystick.route import Router
from tallystick.store.names.catalog import SeriesCatalog

BUFFER_BYTES = 1 << 20
ROUNDS = 3


@benchmark("parse")
def parse() -> Iterator[Figure]:
    """Parsers and the route alone, in one thread of this process, names repeated in the same order and shuffled."""
    for parser in protocols().values():
        parser().parse(padded(b""), 0, NameTable(), 0)
    for count in (10_000, 100_000, 500_000):
        for shuffled in (False, True):
            yield from carbon_figures(count, shuffled=shuffled)
    yield from statsd_figures(10_000)
    yield from route_figures(500_000)


def carbon_text(count: int, lines: int, *, seed: int | None) -> bytes:
    """So many lines over `count` names, shuffled if there is a seed; gauges with two decimals."""
    rng = np.random.default_rng(seed)
    names = names_of(count)
    order = np.resize(np.arange(count), lines)
    if seed is not None:
        rng.shuffle(order)
    values = np.char.mod("%.2f", rng.normal(500, 200, 4096)).tolist()
    return "".join(
        f"{names[name]} {values[i & 4095]} {1_700_000_000 + i // count * 10}\n" for i, name in enumerate(order.tolist())
    ).encode()


def statsd_text(count: int, lines: int) -> list[bytes]:
    """Datagrams of about 1,400 bytes over `count` keys: counters, timings with a rate, gauges."""
    names = names_of(count)
    forms = ("{}:1|c\n", "{}:12.25|ms|@0.1\n", "{}:{}|g\n")
    out, size, packed = [], 0, []
    for i in range(lines):
        line = forms[i % 3].format(names[i % count], i % 1000).encode()
        if size + len(line) > 1400:
            out.append(b"".join(packed))
            size, packed = 0, []
        packed.append(line)
        size += len(line)
    return [*out, b"".join(packed)]


def buffers(text: bytes) -> Iterator[np.ndarray]:
    """The text in whole lines, a buffer at a time."""
    start = 0
    while start < len(text):
        stop = min(start + BUFFER_BYTES, len(text))
        stop = text.rindex(b"\n", start, stop) + 1
        yield padded(text[start:stop])
        start = stop


def figure(label: str, seconds: list[float], lines: int) -> Figure:
    """The best round, as the other core is not ours alone."""
    return Figure(f"{label}: CPU-s per million", min(seconds) / lines * 1e6, "CPU-s", note=load())


def carbon_figures(count: int, *, shuffled: bool) -> Iterator[Figure]:
    """Rounds over the same names: in the same order, or in another one each time."""
    parser: Parser = protocols()["carbon"]()
    lines = max(count, 500_000)
    names = NameTable()
    seconds = []
    chunks: list[np.ndarray] = []
    for round_ in range(ROUNDS + 1):
        if shuffled or not chunks:
            chunks = list(buffers(carbon_text(count, lines, seed=round_ if shuffled else None)))
        began = time.thread_time()
        seen = sum(parser.parse(chunk, len(chunk) - PADDING, names, 0).lines for chunk in chunks)
        taken = time.thread_time() - began
        if seen != lines:
            raise SystemExit(f"cannot trust the figures: {seen} of {lines} lines were seen")
        if round_ == 0 and not shuffled:
            yield figure(f"carbon, {count:,} names, first sight", [taken], lines)
        elif round_ > 0:
            seconds.append(taken)
    yield figure(f"carbon, {count:,} names, {'shuffled' if shuffled else 'repeated order'}", seconds, lines)


def statsd_figures(count: int) -> Iterator[Figure]:
    """Datagrams as they lie in the receiver's buffer."""
    parser: Parser = protocols()["statsd"]()
    lines = 500_000
    datagrams = statsd_text(count, lines)
    names = NameTable()
    batches = []
    for first in range(0, len(datagrams), 512):
        some = datagrams[first : first + 512]
        buffer = np.zeros(512 * 2048, np.uint8)
        for i, datagram in enumerate(some):
            buffer[i * 2048 : i * 2048 + len(datagram)] = np.frombuffer(datagram, np.uint8)
        lengths = np.array([len(datagram) for datagram in some], np.int32)
        batches.append((buffer, np.arange(len(some), dtype=np.int64) * 2048, lengths))
    seconds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        seen = sum(parser.parse_datagrams(*batch, names, 0).lines for batch in batches)
        seconds.append(time.thread_time() - began)
        if seen != lines:
            raise SystemExit(f"cannot trust the figures: {seen} of {lines} samples were seen")
    yield figure(f"statsd, {count:,} keys, packed in 1,400 bytes", seconds, lines)


def route_figures(count: int) -> Iterator[Figure]:
    """Names seen for the first time become series of a catalog; after that a row is one look-up."""
    names, catalog = NameTable(), SeriesCatalog()
    ids = names.intern_many([name.encode() for name in names_of(count)])
    batch = SampleBatch.of(ids, np.zeros(count, np.int64), np.zeros(count))
    router = Router(names, catalog.create)
    for label in ("first sight", "known"):
        began = time.thread_time()
        if len(router.route(batch).batch) != count:
            raise SystemExit("cannot trust the figures: samples were lost")
        yield figure(f"route, {count:,} names, {label}", [time.thread_time() - began], count)
