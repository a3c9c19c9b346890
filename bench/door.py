"""The Python door: columns of a thousand series, by Arrow from a server and from its directory, beside JSON."""

import time
from collections.abc import Callable, Iterator

import msgspec
import numpy as np

import tallystick
from bench.figure import Figure, benchmark, load
from bench.fleet import names_of, slot_now
from bench.prepared import Prepared, times, walks
from bench.server import running, temporary

THOUSAND = "prod.app.*.cpu.core03.metric07"
_SERIES, _SLOTS, _TIMES = 1000, 2160, 15


@benchmark("door")
def door() -> Iterator[Figure]:
    """A thousand series over six hours as float64[1000, 2160] in a Python program, from compacted blocks."""
    names = [name for name in names_of(100_000) if name.endswith("core03.metric07")]
    with temporary() as folder:
        now_s = slot_now()
        prepared = Prepared(folder / "data", now_s)
        prepared.append(prepared.create(names), times(_SLOTS, now_s), walks(_SLOTS, _SERIES))
        prepared.compact()
        prepared.close()
        with running(data=folder / "data") as server:
            remote = tallystick.connect(f"http://127.0.0.1:{server.http}")
            local = tallystick.open(server.data)
            asked: dict[str, object] = {"target": THOUSAND, "from": now_s - 21_600, "until": now_s}

            def by_json() -> np.ndarray:
                body = server.client.get("/render", **asked, format="json")
                return np.array([[v for v, _ in row["datapoints"]] for row in msgspec.json.decode(body)], np.float64)

            def by_arrow() -> np.ndarray:
                return remote.query(THOUSAND, now_s - 21_600, now_s).values

            def by_directory() -> np.ndarray:
                return local.query(THOUSAND, now_s - 21_600, now_s).values

            ways = {"JSON of /render, decoded": by_json, "connect (Arrow)": by_arrow, "open (no server)": by_directory}
            _compare(list(ways.values()))
            for what, ask in ways.items():
                yield Figure(f"1,000 series, 6 h by {what}, p50", _p50_ms(ask), "ms", note=load())
            sizes = {form: len(server.client.get("/render", **asked, format=form)) for form in ("json", "arrow")}
            for form, size in sizes.items():
                yield Figure(f"the same as {form}, bytes a value", size / _SERIES / _SLOTS, "bytes")


def _compare(ways: list[Callable[[], np.ndarray]]) -> None:
    """All ways must give the same numbers."""
    first, *others = (ask() for ask in ways)
    if first.shape[0] != _SERIES or not all(np.array_equal(first, one, equal_nan=True) for one in others):
        raise SystemExit(f"cannot trust the figures: the ways differ, the first gave {first.shape}")


def _p50_ms(ask: Callable[[], np.ndarray]) -> float:
    taken = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - began))
    return sorted(taken)[_TIMES // 2]
