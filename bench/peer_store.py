"""VictoriaMetrics beside our store: bytes a point on disk, and finding names, for ``--peer``."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.client import latency
from bench.figure import Figure, benchmark, load
from bench.fleet import names_of, slot_now
from bench.names import THOUSAND_OF
from bench.peer import Peer, running
from bench.prepared import times, walks
from bench.reading import told
from bench.server import size_of, wait_until

_SERIES = 200
_SLOTS = 8640


@benchmark("peer-disk", peer=True)
def peer_disk() -> Iterator[Figure]:
    """VictoriaMetrics: bytes a point after a forced merge, a day of 200 series at ten seconds."""
    random = np.random.default_rng(1)
    shape = (_SLOTS, _SERIES)
    yield from bytes_a_point("gauges that walk, two decimals", walks(*shape))
    yield from bytes_a_point("counters, 0 to 49 a slot", random.integers(0, 50, shape) * 1.0)
    yield from bytes_a_point("growing totals", random.integers(0, 50, shape).cumsum(axis=0) * 1.0)
    yield from bytes_a_point("constants", np.broadcast_to(np.arange(_SERIES) * 1.5, shape))


@benchmark("peer-names", peer=True)
def peer_names() -> Iterator[Figure]:
    """VictoriaMetrics: 1,000 of 100,000 and of 1,000,000 names by glob."""
    for count, pattern in THOUSAND_OF.items():
        now_s = slot_now()
        with running() as peer:
            peer.take("".join([f"{name} 1 {now_s}\n" for name in names_of(count)]).encode(), count)
            found = peer.client.json("/metrics/expand", query=pattern)
            if len(found) != 1000:
                raise SystemExit(f"cannot trust the figures: the peer found {len(found)} names")
            what = f"VictoriaMetrics: 1,000 of {count:,} names over HTTP (expand)"
            yield from told(what, latency(peer.client, "/metrics/expand", 50, query=pattern))


def bytes_a_point(label: str, values: NDArray[np.float64]) -> Iterator[Figure]:
    """Send a day of lines to a fresh one, have it merge, and weigh its directory; its index is told apart."""
    slots, series = values.shape
    names = [f"disk.series{i:04d}" for i in range(series)]
    with running() as peer:
        rows = zip(values.tolist(), times(slots, slot_now()).tolist(), strict=True)
        text = "".join([f"{name} {v:.10g} {at_s}\n" for row, at_s in rows for name, v in zip(names, row, strict=True)])
        peer.take(text.encode(), slots * series)
        peer.client.get("/internal/force_merge")
        wait_until(lambda: merged(peer), "the peer to merge", 0.5)
        points, index = size_of(peer.data / "data"), size_of(peer.data / "indexdb")
    total = slots * series
    label = f"VictoriaMetrics, {label}"
    yield Figure(f"{label}: bytes a point", points / total, "B", note=f"and {index / total:.2g} B of index, {load()}")


def merged(peer: Peer) -> bool:
    """Whether every month has one part, and none is in the making."""
    parts = [file.parent for file in (peer.data / "data").glob("*/*/*/metaindex.bin")]
    months = {part.parent.name for part in parts}
    return bool(parts) and len(parts) == len(months) and not any((peer.data / "data").glob("*/*/tmp/*"))
