"""Sockets that are open: ``sockets.used`` of all kinds, ``tcp``, ``udp``, ``tcp_orphans``, ``tcp_memory_bytes`` ..."""

import os
from collections.abc import Iterator

from tallystick.agent.collector import HostCollector
from tallystick.agent.point import Point
from tallystick.agent.registry import collector
from tallystick.agent.tables import paired

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@collector("sockets")
class Sockets(HostCollector):
    """Of IPv4 and IPv6 together."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        told = paired(self.host.text("/proc/net/sockstat"))
        six = paired(self.host.text_or_none("/proc/net/sockstat6") or "")
        tcp, udp = told.get("TCP", {}), told.get("UDP", {})
        yield Point("used", float(told["sockets"]["used"]))
        yield Point("tcp", float(tcp.get("inuse", 0) + six.get("TCP6", {}).get("inuse", 0)))
        yield Point("udp", float(udp.get("inuse", 0) + six.get("UDP6", {}).get("inuse", 0)))
        yield Point("tcp_orphans", float(tcp.get("orphan", 0)))
        yield Point("tcp_memory_bytes", float(tcp.get("mem", 0) * _PAGE_BYTES))
        yield Point("udp_memory_bytes", float(udp.get("mem", 0) * _PAGE_BYTES))
