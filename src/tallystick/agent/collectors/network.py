"""What network interfaces carry, per second: ``network.eth0.received_bytes``, ``sent_packets``, ``received_errors`` ...

``received_dropped`` and ``sent_dropped`` are packets that found no room.
"""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.model.point import Point
from tallystick.native.names import component

_COLUMNS = {
    "received_bytes": 0,
    "sent_bytes": 8,
    "received_packets": 1,
    "sent_packets": 9,
    "received_errors": 2,
    "sent_errors": 10,
    "received_dropped": 3,
    "sent_dropped": 11,
}
_LINKS_OF_CONTAINERS = ("veth", "cali", "lxc", "tap", "cni-")


METRICS = (
    Told("<interface>.received_bytes", "bytes/s", "Bytes received"),
    Told("<interface>.sent_bytes", "bytes/s", "Bytes sent"),
    Told("<interface>.received_packets", "packets/s", "Packets received"),
    Told("<interface>.sent_packets", "packets/s", "Packets sent"),
    Told("<interface>.received_errors", "packets/s", "Packets that came damaged"),
    Told("<interface>.sent_errors", "packets/s", "Packets that could not be sent"),
    Told("<interface>.received_dropped", "packets/s", "Packets received that found no room, or were for nobody"),
    Told("<interface>.sent_dropped", "packets/s", "Packets to be sent that found no room"),
)


@collector("network")
class Network(HostCollector):
    """All interfaces that ever carried something; not the loopback and the links of containers, which come and go."""

    TELLS = METRICS

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        counters = {}
        for line in self.host.text("/proc/net/dev").splitlines()[2:]:
            interface, _, told = line.partition(":")
            interface = interface.strip()
            columns = told.split()
            is_used = columns[_COLUMNS["received_bytes"]] != "0" or columns[_COLUMNS["sent_bytes"]] != "0"
            if is_used and interface != "lo" and not interface.startswith(_LINKS_OF_CONTAINERS):
                counters[interface] = {name: float(columns[column]) for name, column in _COLUMNS.items()}
        for interface, rates in self._rates.since_last(counters, monotonic_s).items():
            for name, value in rates.items():
                yield Point(f"{component(interface)}.{name}", value)
