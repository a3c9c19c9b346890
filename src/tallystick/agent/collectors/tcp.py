"""TCP: ``tcp.states.established``, ``time_wait``, ``listen`` ... are connections by state; the rest is per second.

``opened_active`` and ``opened_passive`` are connections that this host and others began, ``attempts_failed`` those that
came to nothing, ``resets`` those that were torn down; ``retransmits`` of ``segments_out`` were sent again;
``listen_overflows`` and ``listen_drops`` are connections that a program was too slow to accept.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.agent.host.tables import paired
from tallystick.model.point import Point

CONNECTIONS_MAX = 10_000
"""With more, the kernel's table is too long to be read every ten seconds, and only two states are told."""
_STATES = {
    b"01": "established",
    b"02": "syn_sent",
    b"03": "syn_recv",
    b"04": "fin_wait1",
    b"05": "fin_wait2",
    b"06": "time_wait",
    b"07": "close",
    b"08": "close_wait",
    b"09": "last_ack",
    b"0A": "listen",
    b"0B": "closing",
    b"0C": "syn_recv",  # new ones that have no socket yet
}
_STATE = re.compile(rb":[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) ")
_COUNTED = {
    ("Tcp", "ActiveOpens"): "opened_active",
    ("Tcp", "PassiveOpens"): "opened_passive",
    ("Tcp", "AttemptFails"): "attempts_failed",
    ("Tcp", "EstabResets"): "resets",
    ("Tcp", "InSegs"): "segments_in",
    ("Tcp", "OutSegs"): "segments_out",
    ("Tcp", "RetransSegs"): "retransmits",
    ("Tcp", "InErrs"): "errors_in",
    ("TcpExt", "ListenOverflows"): "listen_overflows",
    ("TcpExt", "ListenDrops"): "listen_drops",
    ("TcpExt", "TCPTimeouts"): "timeouts",
}


METRICS = (
    Told("opened_active", "connections/s", "Connections that this host began"),
    Told("opened_passive", "connections/s", "Connections that others began"),
    Told("attempts_failed", "connections/s", "Connections that came to nothing"),
    Told("resets", "connections/s", "Connections that were torn down"),
    Told("segments_in", "segments/s", "Segments received"),
    Told("segments_out", "segments/s", "Segments sent"),
    Told("retransmits", "segments/s", "of these: sent again"),
    Told("errors_in", "segments/s", "Segments that came damaged"),
    Told("listen_overflows", "connections/s", "Connections that a program was too slow to accept"),
    Told("listen_drops", "connections/s", "Connections that were dropped before a program could accept them"),
    Told("timeouts", "1/s", "How often an answer was waited for in vain"),
    Told("states.<state>", "connections", "Connections in a state"),
)


@collector("tcp")
class Tcp(HostCollector):
    """Of the network namespace that the agent runs in, of IPv4 and IPv6 together."""

    TELLS = METRICS

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        told = paired(self.host.text("/proc/net/snmp") + (self.host.text_or_none("/proc/net/netstat") or ""))
        counters = {name: float(told[of][word]) for (of, word), name in _COUNTED.items() if word in told.get(of, {})}
        for name, rate in self._rates.since_last({"all": counters}, monotonic_s).get("all", {}).items():
            yield Point(name, rate)
        sockets = paired(self.host.text_or_none("/proc/net/sockstat") or "").get("TCP", {})
        if sockets.get("alloc", 0) + sockets.get("tw", 0) > CONNECTIONS_MAX:
            yield Point("states.established", float(told["Tcp"]["CurrEstab"]))
            yield Point("states.time_wait", float(sockets["tw"]))
            return
        states = Counter(dict.fromkeys(_STATES.values(), 0))
        for file in ("tcp", "tcp6"):
            states += self._states(f"/proc/net/{file}")
        for state in dict.fromkeys(_STATES.values()):
            yield Point(f"states.{state}", float(states[state]))

    def _states(self, file: str) -> Counter[str]:
        try:
            table = Path(self.host.path(file)).read_bytes()
        except FileNotFoundError:  # no IPv6
            return Counter()
        return Counter(_STATES[state] for state in _STATE.findall(table) if state in _STATES)
