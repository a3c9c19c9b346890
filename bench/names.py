"""A hundred thousand names and a million: finding a thousand of them, their memory, and starting with them."""

import time
from collections.abc import Iterator
from pathlib import Path

from bench.child import in_fresh_process, resident_bytes
from bench.client import latency
from bench.figure import Figure, benchmark, load
from bench.fleet import names_of, slot_now
from bench.prepared import Prepared, times, walks
from bench.reading import told
from bench.server import Server, temporary
from tallystick.model.kind import Kind
from tallystick.store.names.catalog import SeriesCatalog

THOUSAND_OF = {100_000: "prod.app.*.cpu.core03.metric07", 1_000_000: "prod.app.host0*.cpu.core03.metric07"}
"""Globs that match a thousand series of so many."""
_BRANCHES_OF = {100_000: "prod.app.*", 1_000_000: "prod.app.host0*"}
_FINDS = 50


@benchmark("names")
def names() -> Iterator[Figure]:
    """Finding 1,000 of 100,000 and of 1,000,000 names in process and over HTTP, their memory, starting with them."""
    for count in THOUSAND_OF:
        yield from in_process(count)
        yield from over_http(count)


def in_process(count: int) -> Iterator[Figure]:
    """The catalog alone."""
    memory, first_ms, again_ms = in_fresh_process(_catalog, count)
    label = f"{count:,} names"
    yield Figure(f"{label}: memory a name of the catalog", memory / count, "B", note="names of 41 bytes included")
    yield Figure(f"{label}: find 1,000 by a glob not asked before, p50", first_ms, "ms", at_most=3, note=load())
    yield Figure(f"{label}: by the same glob again, p50", again_ms, "ms", at_most=3)


def over_http(count: int) -> Iterator[Figure]:
    """A server that starts on a store with one slot of each."""
    label = f"{count:,} names"
    with temporary() as root:
        in_fresh_process(_prepare, root / "data", count)
        server = Server(root)
        try:
            yield Figure(f"{label}: first answer of a process after", server.start(), "s", note=load())
            time.sleep(2)  # what starting has left to do is not the readers'
            yield Figure(f"{label}: resident then", server.usage().resident_bytes / 1e6, "MB")
            found = server.client.json("/metrics/expand", query=THOUSAND_OF[count])["results"]
            if len(found) != 1000:
                raise SystemExit(f"cannot trust the figures: {len(found)} names were found")
            expand = latency(server.client, "/metrics/expand", _FINDS, query=THOUSAND_OF[count])
            yield from told(f"{label}: 1,000 of them over HTTP (expand)", expand, 3.0)
            find = latency(server.client, "/metrics/find", _FINDS, query=_BRANCHES_OF[count])
            yield from told(f"{label}: 1,000 branches over HTTP (find)", find)
        finally:
            server.stop()


def _catalog(count: int) -> tuple[int, float, float]:
    """Bytes, and milliseconds of half of the globs that were asked once, and again."""
    warm = SeriesCatalog()
    warm.create(names_of(1000), [Kind.GAUGE] * 1000)
    warm.find(THOUSAND_OF[count])
    texts, kinds = names_of(count), [Kind.GAUGE] * count
    before = resident_bytes()
    catalog = SeriesCatalog()
    for begin in range(0, count, 50_000):  # as they come from senders
        catalog.create(texts[begin : begin + 50_000], kinds[begin : begin + 50_000])
    memory = resident_bytes() - before
    patterns = [THOUSAND_OF[count].replace("core03", f"core{k:02d}").replace("07", f"0{k}") for k in range(10)]
    # A letter that no name has makes each glob another one, and leaves what it matches.
    fresh = [
        pattern.replace("app.*", f"app.host*[0-9{chr(65 + k)}]").replace("host0*", f"host0*[0-9{chr(65 + k)}]")
        for k, pattern in enumerate(patterns)
    ]
    if any(len(catalog.find(pattern)) != 1000 for pattern in patterns):
        raise SystemExit("cannot trust the figures: a glob did not find a thousand names")
    return memory, _median_ms(catalog, fresh), _median_ms(catalog, patterns[:1] * _FINDS)


def _median_ms(catalog: SeriesCatalog, patterns: list[str]) -> float:
    taken = []
    for pattern in patterns:
        began = time.perf_counter()
        catalog.names(catalog.find(pattern))
        taken.append(1000 * (time.perf_counter() - began))
    return sorted(taken)[len(taken) // 2]


def _prepare(directory: Path, count: int) -> None:
    prepared = Prepared(directory, slot_now())
    ids = prepared.create(names_of(count))
    prepared.append(ids, times(1, slot_now()), walks(1, count))
    prepared.store.maintenance.seal()
    prepared.close()
