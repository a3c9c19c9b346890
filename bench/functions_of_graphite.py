"""graphite-web's functions by themselves, for `bench.functions`; run by the Python of an environment that holds it.

Reads one line of JSON, ``{"series": n, "slots": m, "calls": [[name, argument ...], ...]}``, and writes one: the CPU
seconds of each call. What is evaluated again for an earlier range is at hand, so no fetching is measured.
"""

import json
import math
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

STEP_S = 10
START_S = 1_700_000_000

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))


def main() -> None:
    """Answer."""
    import record_oracle

    asked = json.loads(sys.stdin.readline())
    with tempfile.TemporaryDirectory() as directory:
        record_oracle.load(Path(directory))
        print(json.dumps([seconds(asked, call) for call in asked["calls"]]))


def seconds(asked: dict, call: list) -> float:
    """The CPU seconds that one call takes on new series."""
    from graphite.render import functions

    name, *arguments = call
    given = series(asked["series"], asked["slots"])
    functions.evaluateTarget = lambda context, tokens: series(asked["series"], asked["slots"])
    function = getattr(functions, name)
    start = datetime.fromtimestamp(START_S, UTC)
    context = {"startTime": start, "endTime": start, "now": start, "args": [None], "xFilesFactor": 0, "tzinfo": UTC}
    spent_s = 0.0 if not is_evaluated_again(name) else -making_s(asked)
    begin_s = time.process_time()
    if name == "scale":
        functions.alias(context, function(context, given, *arguments), "all")
    else:
        function(context, given, *arguments)
    return spent_s + time.process_time() - begin_s


def is_evaluated_again(name: str) -> bool:
    """Whether a function evaluates its argument for an earlier range by itself."""
    return name.startswith(("moving", "holtWinters"))


def making_s(asked: dict) -> float:
    """CPU seconds of making the series."""
    begin_s = time.process_time()
    series(asked["series"], asked["slots"])
    return time.process_time() - begin_s


def series(count: int, slots: int) -> list:
    """Gauges with a gap now and then."""
    from graphite.render.datalib import TimeSeries

    wave = [None if j % 97 == 0 else 50.0 + 20.0 * math.sin(j / 50.0) for j in range(slots)]
    end_s = START_S + slots * STEP_S
    return [TimeSeries(f"web.h{i}.load", START_S, end_s, STEP_S, list(wave), xFilesFactor=0) for i in range(count)]


if __name__ == "__main__":
    main()
