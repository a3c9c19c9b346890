"""What tests of OpenTSDB's questions share: a store of some points, and the application on OpenTSDB's port."""

from collections.abc import Mapping

from starlette.testclient import TestClient

from posting import House
from tallystick.described import Descriptions
from tallystick.events import EventStore
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import QueryLimits
from tallystick.store.memory import MemoryStore
from tallystick.web.app import make_opentsdb_app
from tallystick.web.reading import Reads
from tallystick.web.workers import Workers

BEGIN_S = 1_356_998_400
"""The 1st of January 2013, 00:00 UTC, from which on OpenTSDB's documentation and tests count."""
NOW_S = BEGIN_S + 2 * 86400


def filled(series: Mapping[str, Mapping[int, float]], kind: Kind = Kind.GAUGE) -> MemoryStore:
    """A store of points by seconds from `BEGIN_S`."""
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    for name, points in series.items():
        ids = store.create([name], [kind])
        times = [1000 * (BEGIN_S + at) for at in points]
        store.append(SampleBatch.of(ids.repeat(len(points)), times, list(points.values()), kind=kind))
    return store


def client_of(store: MemoryStore, token: str = "", peer: str = "127.0.0.1") -> TestClient:
    """Who asks on OpenTSDB's port; one thing happened, a minute after `BEGIN_S`."""
    clock, limits = ManualClock(float(NOW_S)), QueryLimits(points_max=1_000_000)
    events = EventStore(None, clock)
    events.add("deploy 7", ("deploy",), time_s=BEGIN_S + 60)
    reads = Reads(store, limits, clock, Workers(limits.workers), events, Descriptions(None, clock))
    app = make_opentsdb_app(House(store).writing, reads, token)
    return TestClient(app, base_url="http://127.0.0.1", client=(peer, 1234))
