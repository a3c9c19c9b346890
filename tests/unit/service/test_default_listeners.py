"""Listeners that nobody chose are left out where their port is taken; chosen ones keep the server from starting."""

import socket
from pathlib import Path

import pytest

from tallystick.config import Config, Http, Listener, Store, schema
from tallystick.model.errors import StartError
from tallystick.service import Service


def config_of(directory: Path, taken: socket.socket) -> Config:
    listeners = (
        Listener(protocol="opentsdb", address=f"tcp://127.0.0.1:{taken.getsockname()[1]}"),
        Listener(protocol="carbon", address="tcp://127.0.0.1:0"),
    )
    return Config(http=Http(address="127.0.0.1:0"), listeners=listeners, store=Store(directory=str(directory)))


@pytest.fixture
def taken() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_a_default_port_that_is_taken_is_left_out_and_named(
    tmp_path: Path, taken: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(tmp_path, taken)
    monkeypatch.setattr(schema, "DEFAULT_LISTENERS", config.listeners)
    with taken:
        service = Service(config)
        service.stop()
    assert [protocol for protocol, _ in service.listening] == ["carbon"]
    (sentence,) = service.left_out
    assert f"tcp://127.0.0.1:{taken_port(config)}: another program uses it" in sentence


def test_a_port_that_somebody_chose_must_be_free(tmp_path: Path, taken: socket.socket) -> None:
    with taken, pytest.raises(StartError, match="another program uses it"):
        Service(config_of(tmp_path, taken))


def taken_port(config: Config) -> int:
    return config.listeners[0].endpoint.port
