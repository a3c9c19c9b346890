"""Where the processors' time goes, in percent: ``cpu.user`` to ``cpu.idle`` over all of them, and of each one.

Of each core ``cpu.core.0.busy``, ``user``, ``system``, ``iowait`` and ``steal``; ``cpu.cores`` is their number.
"""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.model.point import Point

# The kernel counts guests within user and nice; adding them would make more than a hundred percent.
_STATES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_OF_CORES = ("user", "system", "iowait", "steal")


METRICS = (
    Told("user", "percent", "Time that programs ran, of all processors' time"),
    Told("nice", "percent", "Time that programs of low priority ran; it is not in user"),
    Told("system", "percent", "Time that the kernel ran"),
    Told("idle", "percent", "Time without anything to do"),
    Told("iowait", "percent", "Time without anything to do while a disk was waited for"),
    Told("irq", "percent", "Time for interrupts"),
    Told("softirq", "percent", "Time for what interrupts left to be done, as packets"),
    Told("steal", "percent", "Time that a virtual machine wanted and others had"),
    Told("cores", "cores", "Processors"),
    Told("core.<core>.busy", "percent", "Of a processor: time that it ran anything"),
    Told("core.<core>.user", "percent", "Of a processor: time that programs ran"),
    Told("core.<core>.system", "percent", "Of a processor: time that the kernel ran"),
    Told("core.<core>.iowait", "percent", "Of a processor: time without anything to do while a disk was waited for"),
    Told("core.<core>.steal", "percent", "Of a processor: time that a virtual machine wanted and others had"),
)


@collector("cpu")
class Cpu(HostCollector):
    """Shares of the time since the last look; the first look yields the number of cores only."""

    TELLS = METRICS

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
