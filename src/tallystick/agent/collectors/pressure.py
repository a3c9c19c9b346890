"""How much work waits, in percent of the time: ``pressure.cpu.some``, ``memory.some``, ``memory.full``, ``io.full`` ...

``some`` is the share of the time in which at least one task had to wait for it, ``full`` that in which all had to. It
is the kernel's pressure stall information, of Linux 4.20 and later.
"""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.model.point import Point

_RESOURCES = ("cpu", "memory", "io", "irq")


METRICS = (
    Told("<resource>.some", "percent", "Time in which at least one task had to wait for it"),
    Told("<resource>.full", "percent", "Time in which all tasks had to wait for it"),
)


@collector("pressure")
class Pressure(HostCollector):
    """Of the kernel's running totals, so that the look's own interval counts and not averages over others."""

    TELLS = METRICS

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        stalled_us = {}
        for resource in _RESOURCES:
            for line in (self.host.text_or_none(f"/proc/pressure/{resource}") or "").splitlines():
                share, *told = line.split()
                stalled_us[f"{resource}.{share}"] = {"us": float(told[-1].removeprefix("total="))}
        for name, rates in self._rates.since_last(stalled_us, monotonic_s).items():
            yield Point(name, min(100.0, round(rates["us"] / 10_000, 3)))
