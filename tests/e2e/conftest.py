"""The servers that real senders send to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from beside import LOCK
from servers import Server, running_server

ALL_DOORS = """
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "carbon"
address = "udp://127.0.0.1:0"
[[listeners]]
protocol = "carbon"
address = "unix://{root}/carbon.sock"
[[listeners]]
protocol = "carbon-pickle"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "opentsdb"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "influx"
address = "udp://127.0.0.1:0"
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:0"
[[listeners]]
protocol = "statsd"
address = "unix://{root}/statsd.sock"
[[listeners]]
protocol = "statsd"
address = "unixstream://{root}/dogstatsd.sock"
"""


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with every kind of door, for tests that use names of their own and neither stop nor overload it."""
    root = tmp_path_factory.mktemp("shared")
    with running_server(root, ALL_DOORS.format(root=root)) as server:
        yield server


@pytest.fixture
def counted_alone() -> Iterator[None]:
    """No other test asks services that it finds on this machine: they would count that, too."""
    with LOCK.counting():
        yield


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, with a carbon door: it may be killed, and its ledger holds what the test sent."""
    with running_server(tmp_path) as started:
        yield started
