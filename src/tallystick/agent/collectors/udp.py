"""UDP datagrams per second: ``udp.received``, ``sent``, ``no_port``, ``errors_in``, ``receive_buffer_errors`` ...

``receive_buffer_errors`` are those that a program was too slow to read: where StatsD was lost and nobody noticed.
"""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.agent.host.tables import counts, paired
from tallystick.model.point import Point

_COUNTED = {
    "InDatagrams": "received",
    "OutDatagrams": "sent",
    "NoPorts": "no_port",
    "InErrors": "errors_in",
    "RcvbufErrors": "receive_buffer_errors",
    "SndbufErrors": "send_buffer_errors",
    "InCsumErrors": "checksum_errors",
}


METRICS = (
    Told("received", "datagrams/s", "Datagrams received"),
    Told("sent", "datagrams/s", "Datagrams sent"),
    Told("no_port", "datagrams/s", "Datagrams to a port where nobody listened"),
    Told("errors_in", "datagrams/s", "Datagrams that could not be received, for whatever reason"),
    Told("receive_buffer_errors", "datagrams/s", "of these: a program was too slow to read them"),
    Told("send_buffer_errors", "datagrams/s", "Datagrams that found no room to be sent"),
    Told("checksum_errors", "datagrams/s", "Datagrams that came damaged"),
)


@collector("udp")
class Udp(HostCollector):
    """Of the network namespace that the agent runs in, of IPv4 and IPv6 together."""

    TELLS = METRICS

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        four = paired(self.host.text("/proc/net/snmp")).get("Udp", {})
        six = counts(self.host.text_or_none("/proc/net/snmp6") or "")
        totals = {name: float(four.get(word, 0) + six.get(f"Udp6{word}", 0)) for word, name in _COUNTED.items()}
        for name, rate in self._rates.since_last({"all": totals}, monotonic_s).get("all", {}).items():
            yield Point(name, rate)
