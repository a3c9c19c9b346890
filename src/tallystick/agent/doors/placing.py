"""The names that a StatsD line's number is stored under: as it came, or below the host and the cluster.

Say Media's programs write ``^1 `` before what is counted for the host only, and ``^2 `` before what is counted for the
cluster only. Where a door multiplexes, what has neither is counted for both, a gauge for the host only: levels of
several hosts under one name would be those of whoever spoke last.
"""

from typing import NamedTuple

from tallystick.native.names import APP, HOST, Place

HOST_ONLY, CLUSTER_ONLY = b"^1 ", b"^2 "
PREFIXES = (HOST_ONLY, CLUSTER_ONLY)


class Placed(NamedTuple):
    """The names of one key.

    Parameters
    ----------
    names
        Of counters, timings and sets.
    gauges
        Of gauges.
    """

    names: tuple[str, ...]
    gauges: tuple[str, ...]


class Placing:
    """Makes the names of keys.

    Parameters
    ----------
    place
        Where this host is.
    multiplex
        Whether keys without a prefix are placed, too; else their names are as they came.
    """

    def __init__(self, place: Place, *, multiplex: bool = False) -> None:
        self._place = place
        self._multiplex = multiplex

    def names(self, name: str, prefix: bytes) -> Placed:
        """The names of a key, which has tags or not, by the prefix that stood before it."""
        if not prefix and not self._multiplex:
            return Placed((name,), (name,))
        path, semicolon, tags = name.partition(";")
        host = self._place.name(HOST + ".{sensor}", path) + semicolon + tags
        cluster = self._place.name(APP, path) + semicolon + tags
        if prefix == HOST_ONLY:
            return Placed((host,), (host,))
        if prefix == CLUSTER_ONLY:
            return Placed((cluster,), (cluster,))
        return Placed((host, cluster), (host,))
