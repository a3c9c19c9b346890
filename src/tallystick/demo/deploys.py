"""When which application of the demo is deployed, and what that does to it: a pure function of seed and time."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

WINDOW_S = 300
"""Each window of this length has one deploy."""
ROLL_OUT_S = 60
ROLL_BACK_S = 30

_WINDOWS_BACK = 60  # how far the versions in use are looked for


@dataclass(frozen=True, slots=True)
class Deploy:
    """A version on its way to the hosts of an application.

    Parameters
    ----------
    app
        What is deployed.
    version
        Grows with time; unique over all applications.
    start_s
        Epoch seconds at which the first host gets it.
    rolled_back_s
        Epoch seconds at which the first host loses it again, None for a good version.
    cost
        Processor time and latency of a request, against those of an average version.
    """

    app: str
    version: int
    start_s: int
    rolled_back_s: int | None
    cost: float

    def share(self, time_s: float) -> float:
        """Share of the hosts that run this version, as long as no later one is deployed."""
        out = min(1.0, max(0.0, (time_s - self.start_s) / ROLL_OUT_S))
        if self.rolled_back_s is None or time_s < self.rolled_back_s:
            return out
        return max(0.0, out - (time_s - self.rolled_back_s) / ROLL_BACK_S)


class Deploys:
    """The deploys of some applications.

    Parameters
    ----------
    seed
        The same seed gives the same deploys.
    apps
        Those that are deployed, each as often as another.
    """

    def __init__(self, seed: int, apps: tuple[str, ...]) -> None:
        self._seed = seed
        self._apps = apps
        self.of_window = lru_cache(maxsize=1000)(self._of_window)

    def _of_window(self, window: int) -> Deploy:
        random = np.random.default_rng((self._seed, window))
        app = self._apps[int(random.integers(len(self._apps)))]
        # On whole slots; rolled back before the window ends, so that deploys never overlap.
        start_s = window * WINDOW_S + 10 * int(random.integers(0, 9))
        bad = random.random() < 0.4
        rolled_back_s = start_s + 10 * int(random.integers(8, 15)) if bad else None
        return Deploy(app, window, start_s, rolled_back_s, float(random.uniform(0.9, 1.12)))

    def begun(self, start_s: int, until_s: int) -> list[Deploy]:
        """The deploys that start in ``[start_s, until_s)``."""
        windows = range(start_s // WINDOW_S, until_s // WINDOW_S + 1)
        return [d for d in map(self.of_window, windows) if start_s <= d.start_s < until_s]

    def state(self, app: str, time_s: float) -> tuple[Deploy | None, Deploy | None]:
        """The latest deploy of `app`, and the good one before it that hosts without the latest run; None if unknown."""
        window = int(time_s // WINDOW_S)
        begun = (self.of_window(window - back) for back in range(_WINDOWS_BACK))
        mine = [deploy for deploy in begun if deploy.app == app and deploy.start_s <= time_s]
        stable = (deploy for deploy in mine[1:] if deploy.rolled_back_s is None)
        return (mine[0] if mine else None), next(stable, None)
