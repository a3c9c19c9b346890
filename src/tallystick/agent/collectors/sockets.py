"""Sockets that are open: ``sockets.used`` of all kinds, ``tcp``, ``udp``, ``tcp_orphans``, ``tcp_memory_bytes`` ..."""

import os
from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host.tables import paired
from tallystick.model.point import Point

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


METRICS = (
    Told("used", "sockets", "Sockets of all kinds"),
    Told("tcp", "sockets", "Sockets of TCP"),
    Told("udp", "sockets", "Sockets of UDP"),
    Told("tcp_orphans", "sockets", "Connections that no program has any more"),
    Told("tcp_memory_bytes", "bytes", "Memory of buffers of TCP"),
    Told("udp_memory_bytes", "bytes", "Memory of buffers of UDP"),
)


@collector("sockets")
class Sockets(HostCollector):
    """Of IPv4 and IPv6 together."""

    TELLS = METRICS

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
