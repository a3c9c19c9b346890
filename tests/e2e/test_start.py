"""What keeps a server from starting is one clear sentence and exit status 3."""

import socket
import subprocess
from pathlib import Path

import pytest

from servers import CARBON, CONFIG, START_S_MAX, TALLYSTICK, Server

REFUSAL_S_MAX = 90.0
"""The first start on a machine compiles before it looks at the store."""

pytestmark = pytest.mark.timeout(START_S_MAX + 60)


def refused(config: Path) -> str:
    """Start a server that cannot; return its one sentence."""
    command = [*TALLYSTICK, "serve", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=REFUSAL_S_MAX, check=False)
    assert done.returncode == 3, done
    assert done.stdout == ""
    told = [line for line in done.stderr.splitlines() if not line.startswith("Compiling for this machine")]
    assert len(told) == 1, done.stderr
    return told[0]


def config_file(directory: Path, more: str = CARBON, data: str = "data") -> Path:
    file = directory / "tallystick.toml"
    file.write_text(CONFIG.format(more=more, directory=directory / data))
    return file


@pytest.mark.parametrize("key", ["http.address", "listeners"])
def test_a_port_that_is_taken(tmp_path: Path, key: str) -> None:
    file = config_file(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = {"http.address": 'address = "127.0.0.1:0"', "listeners": 'address = "tcp://127.0.0.1:0"'}[key]
        file.write_text(file.read_text().replace(free, free.replace(":0", f":{port}")))
        sentence = refused(file)
    assert sentence.startswith("cannot listen on tcp://127.0.0.1:" + str(port))
    assert "another program uses it" in sentence
    assert key in sentence


def test_a_datagram_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        sentence = refused(config_file(tmp_path, f'[[listeners]]\nprotocol = "statsd"\naddress = "{address}"'))
    assert sentence.startswith(f"cannot listen on {address}: another program uses it")


def test_a_unix_socket_in_a_directory_that_is_not_there(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/nowhere/carbon.sock"
    sentence = refused(config_file(tmp_path, f'[[listeners]]\nprotocol = "carbon"\naddress = "{address}"'))
    assert sentence.startswith(f"cannot listen on {address}: No such file or directory")


def test_a_unix_socket_path_where_a_file_is_leaves_the_file(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("words")
    address = f"unix://{tmp_path}/precious"
    sentence = refused(config_file(tmp_path, f'[[listeners]]\nprotocol = "carbon"\naddress = "{address}"'))
    assert sentence.startswith(f"cannot listen on {address}")
    assert (tmp_path / "precious").read_text() == "words"


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = refused(config_file(tmp_path, data="file/data"))
    assert sentence.startswith(f"cannot use store directory {tmp_path}/file/data: Not a directory")
    assert "store.directory" in sentence


def test_a_directory_that_another_server_has_open(tmp_path: Path, shared_server: Server) -> None:
    file = config_file(tmp_path)
    file.write_text(file.read_text().replace(str(tmp_path / "data"), str(shared_server.root / "data")))
    sentence = refused(file)
    assert sentence.startswith(f"cannot use store directory {shared_server.root}/data: another process has it open")
    assert shared_server.get("/healthz")["status"] == "ok"


def test_a_config_with_an_unknown_key(tmp_path: Path) -> None:
    sentence = refused(config_file(tmp_path, CARBON + "line_byte_max = 100"))
    assert "line_byte_max" in sentence
    assert "line_bytes_max" in sentence
    assert "tallystick.toml" in sentence


def test_a_config_that_is_not_toml(tmp_path: Path) -> None:
    file = tmp_path / "tallystick.toml"
    file.write_text("[http\n")
    assert str(file) in refused(file)


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    assert str(tmp_path / "none.toml") in refused(tmp_path / "none.toml")


def test_a_store_of_a_newer_version(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest").write_text('{"version": 999}\n')
    assert refused(file).startswith(f"cannot open store {tmp_path}/data: its format is version 999")
