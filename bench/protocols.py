"""Every protocol's way from bytes into the store: parser, route, fold and log, in this process."""

import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np

from bench.figure import Figure, benchmark, load
from bench.loads import pack, payloads_of
from tallystick.config import PROTOCOLS, Config, Http, Store
from tallystick.ledger import Account
from tallystick.parse import Parser, padded, protocols
from tallystick.service import Service

SERIES = 10_000
SAMPLES = 500_000
_ROUNDS = 3
_DATAGRAMS_AT_ONCE = 512
_READ_BYTES = 1 << 18
_BINARY = (
    "carbon-pickle",
    "carbon-protobuf",
    "collectd",
    "ganglia",
    "native",
    "otlp",
    "remote-write",
    "remote-write-2",
)
_TEXT_RATE, _BINARY_RATE = 1.0, 0.5  # millions of samples a CPU second

Work = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A buffer, where the pieces in it begin (int64), and how long they are (int32)."""


@benchmark("protocols")
def protocols_() -> Iterator[Figure]:
    """Samples that a CPU second takes in, from a protocol's bytes to the log: all threads of this process."""
    for name, parser in protocols().items():
        payloads = payloads_of(name)
        if payloads is None:
            yield Figure(f"{name}: there is no load for it", 0, "")
            continue
        pieces = payloads(SERIES, SAMPLES, 1)
        yield from figures_of(name, parser(), pieces)


def figures_of(name: str, parser: Parser, pieces: list[bytes]) -> Iterator[Figure]:
    """The best of some rounds over the same names, the parser alone and the whole way."""
    datagrams = name == "statsd" or "tcp" not in PROTOCOLS.get(name, ("tcp",))
    if name in PROTOCOLS and not datagrams:
        pieces = pack(pieces, _READ_BYTES)  # what one read of a busy socket brings
    works = list(packed(pieces, _DATAGRAMS_AT_ONCE if datagrams else 1))
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as directory:
        service = Service(Config(http=Http(address="127.0.0.1:0"), listeners=(), store=Store(directory=directory)))
        account = service.ledger.account("bench")
        lines = parse_all(service, parser, works)
        alone_s = min(timed(lambda: parse_all(service, parser, works)) for _ in range(_ROUNDS))
        take_all(service, parser, works, datagrams=datagrams, account=account)
        whole_s = min(
            timed(lambda: take_all(service, parser, works, datagrams=datagrams, account=account))
            for _ in range(_ROUNDS)
        )
        balance = account.snapshot()
        service.stop()
    if balance.rejected or balance.stored != (_ROUNDS + 1) * lines:
        raise SystemExit(f"cannot trust the figures of {name}: {balance.stored} stored, rejected {balance.rejected}")
    yield Figure(f"{name}: parser alone", lines / alone_s / 1e6, "M samples/CPU-s", note=load())
    target = _BINARY_RATE if name in _BINARY else _TEXT_RATE
    yield Figure(f"{name}: to the log", lines / whole_s / 1e6, "M samples/CPU-s", at_least=target)


def packed(pieces: list[bytes], at_once: int) -> Iterator[Work]:
    """Pieces as they lie in a receiver's buffer, some at once."""
    for first in range(0, len(pieces), at_once):
        some = pieces[first : first + at_once]
        lengths = np.array([len(piece) for piece in some], np.int32)
        room = int(lengths.max()) + 8
        buffer = b"".join(piece.ljust(room, b"\0") for piece in some)
        yield padded(buffer), np.arange(len(some), dtype=np.int64) * room, lengths


def parse_all(service: Service, parser: Parser, works: list[Work]) -> int:
    """Have everything parsed and nothing stored; returns the samples."""
    names, now_ms = service.intake.names, int(time.time() * 1000)
    with names.lock:
        return sum(
            (
                parser.parse_datagrams(buffer, offsets, lengths, names, now_ms)
                if len(offsets) > 1
                else parser.parse(buffer, int(lengths[0]), names, now_ms, final=True)
            ).lines
            for buffer, offsets, lengths in works
        )


def take_all(service: Service, parser: Parser, works: list[Work], *, datagrams: bool, account: Account) -> None:
    """Have everything stored and safe."""
    for buffer, offsets, lengths in works:
        if datagrams:
            service.intake.parse_datagrams(parser, buffer, offsets, lengths, account)
        else:
            service.intake.parse_stream(parser, buffer, int(lengths[0]), account, skipping=False, final=True)
    service.store.sync_definitions()  # the log is written in order: what came before them is safe as well


def timed(work: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began
