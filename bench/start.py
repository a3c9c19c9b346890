"""From the start of the process to the first answer."""

from collections.abc import Iterator

from bench.figure import Figure, benchmark, load
from bench.fleet import names_of, slot_now
from bench.prepared import Prepared, times, walks
from bench.server import Server, temporary

_STARTS = 3


@benchmark("start")
def start() -> Iterator[Figure]:
    """Seconds from the start of the process to its first answer, by what its store holds."""
    yield from starts(0, 0, "empty store", at_most=2.0)
    yield from starts(100_000, 1, "100,000 series")
    yield from starts(500_000, 20, "500,000 series, 10 M samples in the log", at_most=5.0)


def starts(series: int, slots: int, label: str, at_most: float | None = None) -> Iterator[Figure]:
    """The middle one of three starts on the same directory."""
    with temporary() as root:
        if series:
            prepared = Prepared(root / "data", slot_now())
            prepared.append(prepared.create(names_of(series)), times(slots, slot_now()), walks(slots, series))
            prepared.close()
        taken = []
        for _ in range(_STARTS):
            server = Server(root)
            taken.append(server.start())
            resident = server.usage().resident_bytes
            server.stop()
    yield Figure(f"{label}: first answer after", sorted(taken)[_STARTS // 2], "s", at_most=at_most, note=load())
    yield Figure(f"{label}: resident then", resident / 1e6, "MB")
