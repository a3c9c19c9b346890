"""Degrees Celsius: ``temperature.coretemp.Core-0``; fans in turns per minute: ``temperature.nct6775.fan1_rpm``.

Of what the kernel has drivers for; machines that say nothing there have their thermal zones, virtual ones nothing.
"""

import re
from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.model.point import Point
from tallystick.native.names import component

_INPUT = re.compile(r"(temp|fan)(\d+)_input")


METRICS = (
    Told("<chip>.<sensor>", "celsius", "Temperature at a sensor"),
    Told("<chip>.<fan>_rpm", "rpm", "Turns of a fan per minute"),
)


@collector("temperature")
class Temperature(HostCollector):
    """Sensors of hardware. Some of them take their time, so a look has a thread of its own."""

    TELLS = METRICS

    WAITS = True

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        told = False
        for name, value in self._sensors():
            told = True
            yield Point(name, value)
        if not told:
            yield from self._zones()

    def _sensors(self) -> Iterator[tuple[str, float]]:
        seen: dict[str, int] = {}
        for chip in self._listed("/sys/class/hwmon"):
            place = f"/sys/class/hwmon/{chip}"
            name = component((self.host.text_or_none(f"{place}/name") or chip).strip())
            seen[name] = seen.get(name, 0) + 1  # two processors have two chips of one name
            name = f"{name}_{seen[name]}" if seen[name] > 1 else name
            for file in self._listed(place):
                found = _INPUT.fullmatch(file)
                value = self.host.text_or_none(f"{place}/{file}") if found else None
                if found is None or not (value or "").strip():
                    continue  # sensors that are not connected cannot be read
                label = self.host.text_or_none(f"{place}/{found[1]}{found[2]}_label")
                sensor = component(label.strip()) if label else f"{found[1]}{found[2]}"
                if found[1] == "temp":
                    yield f"{name}.{sensor}", int(value or 0) / 1000
                else:
                    yield f"{name}.{sensor}_rpm", float(value or 0)

    def _zones(self) -> Iterator[Point]:
        for zone in self._listed("/sys/class/thermal"):
            value = self.host.text_or_none(f"/sys/class/thermal/{zone}/temp")
            if zone.startswith("thermal_zone") and value:
                kind = (self.host.text_or_none(f"/sys/class/thermal/{zone}/type") or "zone").strip()
                number = zone.removeprefix("thermal_zone")
                yield Point(f"{component(kind)}.zone{number}", int(value) / 1000)

    def _listed(self, place: str) -> list[str]:
        try:
            return sorted(self.host.names(place))
        except OSError:
            return []
