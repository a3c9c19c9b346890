"""``python -m mixed``: rounds until ``MIXED_S`` seconds are over; ``SOAK_SEED`` plays the same chances again."""

import os
import sys
import tempfile
import time
from pathlib import Path

from mixed.rounds import mixed_load


def main() -> int:
    """Play rounds of all kinds, and say after each how the server is."""
    lasts_s = float(os.environ.get("MIXED_S", "3600"))
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() // 1_000_000_000))
    print(f"mixed load for {lasts_s:.0f} s, seed {seed} (again: SOAK_SEED={seed})", flush=True)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="tallystick-mixed-") as directory,
        mixed_load(Path(directory), seed) as load,
    ):
        rounds = [load.killed_at_rest, load.killed_in_mid_load, load.killed_at_rest, load.stopped_in_mid_load]
        while time.monotonic() < began + lasts_s:
            for play in rounds:
                print(play(), flush=True)
        print(f"all there after {load.rounds} rounds in {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
