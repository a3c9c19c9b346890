"""Query functions by themselves, and graphite-web's in the same run where `make oracle` has installed it."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.figure import Figure, benchmark, load
from tallystick.model.clock import SystemClock
from tallystick.model.grid import Grid, Row
from tallystick.query import FUNCTIONS, QueryLimits, Request
from tallystick.query.context import Context, Deferred, Session, Value
from tallystick.query.grammar import Node, parse
from tallystick.query.series import SeriesList
from tallystick.store.memory import MemoryStore

SERIES, SLOTS, STEP_S = 1000, 2160, 10
START_S = 1_700_000_000
ROUNDS = 3
ORACLE = Path(__file__).resolve().parent.parent / ".oracle" / "bin" / "python"
CALLS: list[list[object]] = [
    ["sumSeries"],
    ["scale", 2.5],
    ["summarize", "5min", "sum"],
    ["movingAverage", 30],
    ["movingMedian", 30],
    ["percentileOfSeries", 95.0],
    ["asPercent"],
    ["holtWintersForecast", "1h", "30min"],
]
"""Each with what follows the series; `alias` is put around `scale`."""


@benchmark("functions")
def functions() -> Iterator[Figure]:
    """Functions on 1,000 series of 6 h at 10 s, CPU seconds a million points, fetching left out."""
    theirs = graphite_s() if ORACLE.exists() else [None] * len(CALLS)
    points = SERIES * SLOTS / 1e6
    for call, peer_s in zip(CALLS, theirs, strict=True):
        name = f"alias({call[0]}(...))" if call[0] == "scale" else f"{call[0]}(...)"
        ours_s = min(spent_s(call) for _ in range(ROUNDS))
        yield Figure(f"{name}, CPU per million points", 1000 * ours_s / points, "ms", note=load())
        if peer_s is not None:
            yield Figure(f"{name}, the same of graphite-web", 1000 * peer_s / points, "ms")
            yield Figure(f"{name}, times as many points a second", peer_s / ours_s, "", at_least=10.0)


def graphite_s() -> list[float | None]:
    """CPU seconds of each call in graphite-web."""
    asked = json.dumps({"series": SERIES, "slots": SLOTS, "calls": CALLS})
    command = [str(ORACLE), str(Path(__file__).with_name("functions_of_graphite.py"))]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    found: list[float | None] = json.loads(done.stdout)
    return found


def spent_s(call: list[object]) -> float:
    """CPU seconds of one call here."""
    wave = 50.0 + 20.0 * np.sin(np.arange(SLOTS) / 50.0)
    wave[::97] = np.nan
    rows = tuple(Row(f"web.h{i}.load", "web.*.load", {"name": f"web.h{i}.load"}) for i in range(SERIES))
    series = SeriesList((Grid(np.tile(wave, (SERIES, 1)), rows, START_S, STEP_S),))

    def evaluated(node: Node, context: Context) -> Value:
        return series

    clock = SystemClock()
    session = Session(MemoryStore(), clock, QueryLimits(), clock.monotonic())
    end_s = START_S + SLOTS * STEP_S
    context = Context(session, Request(START_S, end_s, end_s), START_S, end_s, evaluated)
    name, *arguments = call
    function = FUNCTIONS[str(name)]
    first = Deferred(parse("web.*.load"), context) if function.parameters[0].deferred else series
    begin_s = time.process_time()
    result = function.call(context, *function.bind([first, *arguments], {})[0])
    if name == "scale":
        FUNCTIONS["alias"].call(context, result, "all")
    return time.process_time() - begin_s
