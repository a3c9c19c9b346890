"""Where the processors' time goes, over all of them: ``cpu.user`` to ``cpu.idle`` in percent, ``cpu.cores``."""

from collections.abc import Iterator

import psutil

from tallystick.agent.collector import HostCollector, NoSettings
from tallystick.agent.host import Host
from tallystick.agent.point import Point
from tallystick.agent.rates import Rates
from tallystick.agent.registry import collector

# The kernel counts guests within user and nice; adding them would make more than a hundred percent.
_STATES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


@collector("cpu")
class Cpu(HostCollector):
    """Shares of the time since the last look; the first look yields the number of cores only."""

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        times = psutil.cpu_times()
        seconds = {state: float(getattr(times, state)) for state in _STATES if hasattr(times, state)}
        # iowait may run backwards (proc(5)); a look in which it does has no shares.
        spent = self._rates.since_last({"all": seconds}, monotonic_s).get("all", {})
        total = sum(spent.values())
        if total > 0:
            for state, share in spent.items():
                yield Point(f"{state}", round(100 * share / total, 3))
        yield Point("cores", float(len(psutil.cpu_times(percpu=True))))
