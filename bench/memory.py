"""What series cost in memory and on disk: those that report every ten seconds, and those that seldom do."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.carbon import warm
from bench.child import in_fresh_process, resident_bytes
from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, names_of, slot_now
from bench.prepared import STEP_S, Prepared, times, walks
from bench.sender import stream_sender
from bench.server import Server, running, size_of, temporary, wait_until
from tallystick.model.sample import SampleBatch

ACTIVE = 500_000
_ROUNDS = 4
_SEAL_S = 15


@benchmark("memory")
def memory() -> Iterator[Figure]:
    """Memory an active series; memory and disk a sample of sparse ones: once a minute, once a day, once at all."""
    yield from active()
    for label, series, samples, span_s in (
        ("once a minute, a day", 500, 1440, 86400),
        ("once a day", 20_000, 1, 86400),
        ("a million names seen once, in twenty minutes", 1_000_000, 1, 1200),
    ):
        yield from sparse(label, series, samples, span_s)


def active() -> Iterator[Figure]:
    """Half a million series of a server, whose memory before them is known."""
    fleet = Fleet(ACTIVE)
    texts = [fleet.lines(slot_now(_ROUNDS - 1 - k)) for k in range(_ROUNDS)]
    with running(f"seal_interval_s = {_SEAL_S}") as server:
        stored = warm(server)
        before = server.usage().resident_bytes
        for text in texts[:-2]:
            stored = _send(server, text, stored)
        wait_until(lambda: bool(_blocks(server)), "the head to be sealed")
        for text in texts[-2:]:
            stored = _send(server, text, stored)
        more = server.usage().resident_bytes - before
    label = f"{ACTIVE:,} active series"
    yield Figure(f"{label}: memory a series", more / ACTIVE, "B", at_most=1000, note=f"sealed once since, {load()}")


def _send(server: Server, text: bytes, stored: int) -> int:
    sender = stream_sender(server.carbon, [text])
    sender.go()
    sender.result()
    server.wait_until_durable("carbon", stored + ACTIVE)
    return stored + ACTIVE


def _blocks(server: Server) -> list[str]:
    return [path.name for path in (server.data / "blocks").iterdir()]


def sparse(label: str, series: int, samples: int, span_s: int) -> Iterator[Figure]:
    """Series with so many samples each in a time, at even distances, each series at its own moment."""
    in_head, resident, on_disk, of_names = in_fresh_process(_sparse, series, samples, span_s)
    total = series * samples
    yield Figure(f"{label}: disk a sample, compacted", on_disk / total, "B", note=f"{series:,} names, {load()}")
    yield Figure(f"{label}: disk a name", of_names / series, "B")
    yield Figure(f"{label}: memory a sample, before it is sealed", in_head / total, "B", note="names not included")
    if samples == 1:
        yield Figure(f"{label}: memory a name, all compacted", resident / series, "B", note="names included")


def _sparse(series: int, samples: int, span_s: int) -> tuple[int, int, int, int]:
    with temporary() as folder:
        warming = Prepared(folder / "warm", slot_now())
        warming.append(warming.create(names_of(1000)), times(1, slot_now()), walks(1, 1000))
        warming.compact()
        warming.close()
        texts, begin_s = names_of(series), slot_now() - span_s
        row, at_s, values = _samples(series, samples, begin_s, span_s)
        before = resident_bytes()
        prepared = Prepared(folder / "data", begin_s)
        ids = np.concatenate([prepared.create(texts[k : k + 50_000]) for k in range(0, series, 50_000)])
        created = resident_bytes()
        ends = np.flatnonzero(np.diff(at_s // STEP_S, append=at_s[-1] + STEP_S)) + 1
        start = 0
        for end in ends.tolist():  # a batch for each slot, as time goes by
            batch = SampleBatch.of(ids[row[start:end]], at_s[start:end] * 1000, values[start:end])
            prepared.store.append(batch)
            prepared.clock.advance(float(at_s[end - 1]) + STEP_S - prepared.clock.now())
            start = end
        in_head = resident_bytes() - created
        prepared.compact()
        finest = sum(b.file_bytes for b in prepared.store.block_set.manifest.blocks if b.step_s == STEP_S)
        resident = resident_bytes() - before
        prepared.close()
        data = folder / "data"
        of_names = size_of(data) - size_of(data / "blocks") - size_of(data / "log")
        return in_head, resident, finest, of_names


def _samples(
    series: int, samples: int, begin_s: int, span_s: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Number of the series, time and value of all samples, by time."""
    period_s = span_s // samples
    phase_s = np.random.default_rng(3).integers(0, period_s, series)
    at_s = (begin_s + period_s * np.arange(samples)[:, None] + phase_s).ravel()
    order = np.argsort(at_s, kind="stable")
    return order % series, at_s[order], walks(samples, series).ravel()[order]
