"""A server and an agent on one machine, each with its default settings: each look at the host counts once."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.agent.place import agent_word, prefix_of
from tallystick.config import Agent, Collector, Config, Http, Listener, Store
from tallystick.model.kind import Kind
from tallystick.native.client import NativeClient
from tallystick.native.messages import Slot
from tallystick.service import Service

AGENT = Agent(host="web1")
LOAD = f"{prefix_of(AGENT)}load.1m"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    config = Config(
        http=Http(address="127.0.0.1:0"),
        listeners=(Listener(protocol="native", address="tcp://127.0.0.1:0"),),
        store=Store(directory=str(tmp_path)),
        agent=AGENT,
        collectors=(Collector(name="load"),),
    )
    service = Service(config)
    service.store.start()
    service._doors.start()
    yield service
    service.stop()


def looked_at(service: Service) -> int:
    """So many numbers a look of the server's own collectors brings."""
    before = service.ledger.account("collectors").snapshot().stored
    service._runners[0].look_at_everything()
    return service.ledger.account("collectors").snapshot().stored - before


def told_by(service: Service, agent: str) -> NativeClient:
    """Somebody who sends a load, and stays connected."""
    ((_, address),) = service.listening
    client = NativeClient(address, agent)
    client.start()
    client.offer([Slot(LOAD, Kind.GAUGE, 1_700_000_000_000, 1.0)])
    assert client.wait_acknowledged(20.0)
    return client


def test_what_the_agent_of_its_host_tells_the_server_does_not_count_as_well(service: Service) -> None:
    assert looked_at(service) == 3
    client = told_by(service, agent_word(AGENT))
    assert looked_at(service) == 2
    client.stop()
    for _ in range(2000):  # until the server has seen that the connection ended
        if not service._neighbour.told():
            break
        time.sleep(0.01)
    assert looked_at(service) == 3


def test_what_others_tell_by_the_same_name_is_theirs(service: Service) -> None:
    client = told_by(service, "web2")
    assert looked_at(service) == 3
    client.stop()
