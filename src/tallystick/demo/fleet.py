"""An invented fleet: hosts in clusters, an application on each cluster, and numbers that hang together.

What a host shows follows from the demand on its application: a day's swing, the weather of its cluster, its own, and
what the version it runs costs. Everything is a pure function of seed and time, so that a demo that is started again
goes on where it was.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.demo.deploys import Deploys
from tallystick.native.names import HOST, Place

STEP_S = 10
DAY_S = 86_400

_CLUSTERS = (
    ("shop", 0.40, 90.0, 60.0),
    ("api", 0.25, 220.0, 25.0),
    ("search", 0.15, 60.0, 140.0),
    ("checkout", 0.12, 30.0, 180.0),
    ("mail", 0.08, 15.0, 300.0),
)
"""Name, share of the hosts, requests per second and host, milliseconds a request."""

_MEMORY_BYTES = 16 * 2**30
_PERIODS_S = np.array([130.0, 410.0, 1900.0, 7000.0])

_HOST_SERIES = (
    "cpu.user",
    "cpu.system",
    "cpu.iowait",
    "cpu.idle",
    "load.1m",
    "memory.used",
    "memory.used_percent",
    "network.eth0.received_bytes",
    "network.eth0.sent_bytes",
)
_APP_SERIES = ("requests", "errors", "latency_ms")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Hosts that run one application."""

    app: str
    hosts: tuple[str, ...]
    requests_per_s: float
    latency_ms: float


class Fleet:
    """Hosts, applications and their numbers.

    Parameters
    ----------
    hosts
        How many; at least one for each of the five clusters.
    seed
        The same seed gives the same numbers at the same time.
    """

    def __init__(self, hosts: int = 200, seed: int = 1) -> None:
        self.clusters = _clusters(hosts)
        self.deploys = Deploys(seed, tuple(cluster.app for cluster in self.clusters))
        self._seed = seed
        random = np.random.default_rng(seed)
        self._size = [random.normal(1.0, 0.06, len(cluster.hosts)) for cluster in self.clusters]
        self._phases = [random.uniform(0, 2 * math.pi, (len(c.hosts) + 1, len(_PERIODS_S))) for c in self.clusters]
        names = [name for cluster in self.clusters for name in _names(cluster)]
        self._template = "".join(f"{name} %.6g \0\n" for name in names)
        self.series_count = len(names)

    def lines(self, time_s: int) -> bytes:
        """Carbon lines of the slot that starts at `time_s`, a multiple of `STEP_S`: all series and marks of deploys."""
        # One format call for the whole slot: a tenth of the time of one a line.
        text = (self._template % tuple(self.values(time_s).tolist())).replace("\0", str(time_s))
        for deploy in self.deploys.begun(time_s, time_s + STEP_S):
            text += f"deploys.{deploy.app}.started 1 {time_s}\ndeploys.{deploy.app}.version {deploy.version} {time_s}\n"
        for deploy in self.deploys.begun(time_s - 300, time_s):
            if deploy.rolled_back_s == time_s:
                text += f"deploys.{deploy.app}.rolled_back 1 {time_s}\n"
        return text.encode()

    def values(self, time_s: int) -> NDArray[np.float64]:
        """The values of all series, float64[series_count], cluster by cluster and series by series."""
        random = np.random.default_rng((self._seed, time_s))
        return np.concatenate([self._cluster_values(number, time_s, random) for number in range(len(self.clusters))])

    def _cluster_values(self, number: int, time_s: int, random: np.random.Generator) -> NDArray[np.float64]:
        cluster = self.clusters[number]
        n = len(cluster.hosts)
        weather = np.sin(2 * math.pi * time_s / _PERIODS_S + self._phases[number]).mean(axis=1)
        cost, bad, age_s = self._version(cluster, time_s)
        demand = day(time_s) * (1 + 0.25 * weather[-1]) * self._size[number] * (1 + 0.1 * weather[:-1])
        demand *= random.normal(1.0, 0.02, n)
        busy = np.clip(0.62 * demand * cost * np.where(bad, 1.35, 1.0), 0.01, 1.0)

        requests = cluster.requests_per_s * demand * np.where(bad, 0.85, 1.0)
        errors = random.poisson(requests * STEP_S * np.where(bad, 0.12, 0.0015)) / STEP_S
        latency_ms = cluster.latency_ms * cost * (1 + 0.9 * busy**3) * np.where(bad, 2.2, 1.0)
        user = np.clip(78 * busy + random.normal(0, 1.0, n), 0.5, 84)
        system = np.clip(11 * busy + random.normal(0, 0.4, n), 0.2, 13)
        iowait = np.clip(random.gamma(1.2, 0.5, n), 0, 3)
        memory = _MEMORY_BYTES * np.clip(0.35 + 0.25 * busy + 0.15 * np.minimum(age_s / DAY_S, 1), 0, 0.97)
        received = requests * 1800 * random.normal(1.0, 0.03, n)
        rows = (
            user,
            system,
            iowait,
            100 - user - system - iowait,
            np.maximum(0.05, 8 * busy + 0.6 * weather[:-1]),
            memory,
            100 * memory / _MEMORY_BYTES,
            received,
            received * 11 * random.normal(1.0, 0.03, n),
            requests,
            errors,
            latency_ms * random.normal(1.0, 0.03, n),
        )
        return np.concatenate(rows)

    def _version(self, cluster: Cluster, time_s: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], float]:
        """Cost of a request and whether the version is a bad one, for each host, and seconds since the last restart."""
        n = len(cluster.hosts)
        latest, stable = self.deploys.state(cluster.app, time_s)
        cost = np.full(n, 1.0 if stable is None else stable.cost)
        if latest is None:
            return cost, np.zeros(n, np.bool_), DAY_S
        reached = np.arange(n) < math.ceil(n * latest.share(time_s))
        cost[reached] = latest.cost
        return cost, reached & (latest.rolled_back_s is not None), time_s - latest.start_s


def day(time_s: float) -> float:
    """Demand over a day: little at five in the morning (UTC), most in the evening, 0.3 to 1."""
    hour = time_s % DAY_S / 3600
    return 0.65 - 0.28 * math.cos(2 * math.pi * (hour - 5) / 24) - 0.07 * math.cos(4 * math.pi * (hour - 2) / 24)


def _clusters(hosts: int) -> tuple[Cluster, ...]:
    """The hosts in their clusters by largest share first; the last cluster takes the rest."""
    if hosts < len(_CLUSTERS):
        raise ValueError(f"cannot make a fleet of {hosts} hosts; expected at least {len(_CLUSTERS)}")
    clusters = []
    left = hosts
    for number, (app, share, requests_per_s, latency_ms) in enumerate(_CLUSTERS, 1):
        after = len(_CLUSTERS) - number
        count = left if after == 0 else min(max(1, round(hosts * share)), left - after)
        left -= count
        names = tuple(f"{app}-{number:03d}" for number in range(1, count + 1))
        clusters.append(Cluster(app, names, requests_per_s, latency_ms))
    return tuple(clusters)


def _names(cluster: Cluster) -> list[str]:
    """Names in the order of `Fleet.values`: series by series, and host by host within each."""
    of_hosts = [f"{_place(cluster, host)}.{series}" for series in _HOST_SERIES for host in cluster.hosts]
    return of_hosts + [
        f"{_place(cluster, host)}.{cluster.app}.{series}" for series in _APP_SERIES for host in cluster.hosts
    ]


def _place(cluster: Cluster, host: str) -> str:
    return Place("prod", cluster.app, host).name(HOST)
