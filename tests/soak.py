"""``make soak``: random lives and power cuts for hours, by the code of tests/crash; ``SOAK_S`` says how many seconds.

More fates are tried of each event of a life than in the tests. A seed that finds a fault is written to
tests/crash/seeds.txt, which the tests replay for ever; say there what the fault was.
"""

import logging
import os
import sys
import time
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from power_cuts import FATES, crash_everywhere, memory_directory
from scenarios import STEPS, Scenario
from tallystick.store.log import log

SEEDS_FILE = Path(__file__).parent / "crash" / "seeds.txt"


def main() -> int:
    """Soak until the time is over; returns the number of seeds that failed."""
    logging.disable(logging.CRITICAL)
    log._RETRY_S = 0.001
    lasts_s = float(os.environ.get("SOAK_S", "3600"))
    first = int(os.environ.get("SOAK_SEED", time.time_ns() // 1_000_000_000))
    seed, crashes, failed = first, 0, 0
    print(f"power cuts for {lasts_s:.0f} s, seeds from {first} on (again: SOAK_SEED={first})", flush=True)
    over = time.monotonic() + lasts_s
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=not sys.stdout.isatty()) as progress:
        bar = progress.add_task("soaking", total=lasts_s)
        while time.monotonic() < over:
            done, fault = soak(seed)
            crashes += done
            if fault:
                failed += 1
                progress.print(fault)
                with SEEDS_FILE.open("a") as file:
                    file.write(f"{seed} {fault.splitlines()[0]}\n")
            seed += 1
            progress.update(
                bar,
                completed=lasts_s - max(0.0, over - time.monotonic()),
                description=f"{seed - first} lives, {crashes} power cuts, {failed} failed",
            )
    print(f"{seed - first} lives, {crashes} power cuts, {failed} seeds failed")
    return failed


def soak(seed: int) -> tuple[int, str]:
    """Live a life and cut the power in each event of it; returns how often that was, and the fault found, if any."""
    with memory_directory() as name:
        crashes = 0
        try:
            scenario = Scenario(seed, Path(name))
            scenario.play(STEPS)
            for _ in crash_everywhere(scenario, seed, FATES):
                crashes += 1
        except Exception as error:
            # Whatever it is, the seed brings it again.
            return crashes, f"{type(error).__name__}: {error}" if str(error) else repr(error)
    return crashes, ""


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
