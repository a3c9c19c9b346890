"""Where the processors' time goes, in percent: ``cpu.user`` to ``cpu.idle`` over all of them, and of each one.

Of each core ``cpu.core.0.busy``, ``user``, ``system``, ``iowait`` and ``steal``; ``cpu.cores`` is their number.
"""

from collections.abc import Iterator

from tallystick.agent.collector import HostCollector, NoSettings
from tallystick.agent.host import Host
from tallystick.agent.point import Point
from tallystick.agent.rates import Rates
from tallystick.agent.registry import collector

# The kernel counts guests within user and nice; adding them would make more than a hundred percent.
_STATES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_OF_CORES = ("user", "system", "iowait", "steal")


@collector("cpu")
class Cpu(HostCollector):
    """Shares of the time since the last look; the first look yields the number of cores only."""

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        times: dict[str, dict[str, float]] = {}
        for line in self.host.text("/proc/stat").splitlines():
            word, _, rest = line.partition(" ")
            if word.startswith("cpu"):
                times[word] = dict(zip(_STATES, map(float, rest.split()), strict=False))
        # iowait may run backwards (proc(5)); a look in which it does has no shares.
        spent = self._rates.since_last(times, monotonic_s)
        for word, rates in spent.items():
            if total := sum(rates.values()):
                shares = {state: round(100 * rate / total, 3) for state, rate in rates.items()}
                yield from self._all(shares) if word == "cpu" else self._core(word.removeprefix("cpu"), shares)
        yield Point("cores", float(len(times) - 1))

    def _all(self, shares: dict[str, float]) -> Iterator[Point]:
        for state, share in shares.items():
            yield Point(state, share)

    def _core(self, number: str, shares: dict[str, float]) -> Iterator[Point]:
        busy = 100 - shares["idle"] - shares.get("iowait", 0)
        yield Point(f"core.{number}.busy", max(0.0, round(busy, 3)))
        for state in _OF_CORES:
            if state in shares:
                yield Point(f"core.{number}.{state}", shares[state])
