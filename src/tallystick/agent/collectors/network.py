"""What network interfaces carry, per second: ``network.eth0.received_bytes``, ``sent_packets``, ..."""

from collections.abc import Iterator

import psutil

from tallystick.agent.collector import HostCollector, NoSettings
from tallystick.agent.host import Host
from tallystick.agent.point import Point
from tallystick.agent.rates import Rates
from tallystick.agent.registry import collector
from tallystick.native.names import component


@collector("network")
class Network(HostCollector):
    """All interfaces other than the loopback and containers' links."""

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        counters = {
            interface: {
                "received_bytes": float(io.bytes_recv),
                "sent_bytes": float(io.bytes_sent),
                "received_packets": float(io.packets_recv),
                "sent_packets": float(io.packets_sent),
                "received_errors": float(io.errin),
                "sent_errors": float(io.errout),
                "received_dropped": float(io.dropin),
                "sent_dropped": float(io.dropout),
            }
            for interface, io in psutil.net_io_counters(pernic=True, nowrap=False).items()
            # The links of containers have new names at each start.
            if interface != "lo" and not interface.startswith("veth")
        }
        for interface, rates in self._rates.since_last(counters, monotonic_s).items():
            for name, value in rates.items():
                yield Point(f"{component(interface)}.{name}", value)
