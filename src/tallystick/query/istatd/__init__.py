"""istatd's questions: buckets of five statistics, and names by its patterns.

`normalized` says which range and interval are answered, `read_buckets` reads them; `nodes` and `find_counter` are about
names.
"""

from tallystick.query.istatd.buckets import Buckets, read_buckets
from tallystick.query.istatd.names import AGGREGATE, COUNTER, GAUGE, NODES_MAX, find_counter, matcher, nodes
from tallystick.query.istatd.ranges import Window, asked_range, normalized

__all__ = [
    "AGGREGATE",
    "COUNTER",
    "GAUGE",
    "NODES_MAX",
    "Buckets",
    "Window",
    "asked_range",
    "find_counter",
    "matcher",
    "nodes",
    "normalized",
    "read_buckets",
]
