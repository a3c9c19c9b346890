"""``tallystick send``: what arrives at a StatsD door for what a script says, the short way and the long one."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallystick.cli.sending import send_at_once
from tallystick.cli.verbs import verbs
from tallystick.dogstatsd import event_parts, fields_of


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("APP", "ENVIRONMENT", "CLASS", "VERSION"):
        monkeypatch.delenv(f"TALLYSTICK_{variable}", raising=False)
    monkeypatch.setenv("TALLYSTICK_HOST", "web12.example.org")


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(20)
        yield bound


def at(door: socket.socket) -> str:
    return f"udp://127.0.0.1:{door.getsockname()[1]}"


def sent(door: socket.socket, *words: str) -> str:
    result = CliRunner().invoke(verbs, ["send", *words, "--to", at(door)])
    assert result.exit_code == 0, result.output
    return door.recv(65536).decode()


HOST = "dev.hosts.web.web12"


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["users", "ann:b", "--set"], ["users:ann:b|s"]),
        (["jobs", "--counter"], ["jobs:1.0|c"]),
        (["jobs", "2", "--counter", "--sample-rate", "10"], ["jobs:2.0|c|@0.1"]),
        (["jobs", "--counter", "--app", "shop"], [f"{HOST}.shop.jobs:1.0|c", "dev.apps.shop.jobs:1.0|c"]),
        (["jobs", "--counter", "--app", "shop", "--env", "prod", "--cluster-only"], ["prod.apps.shop.jobs:1.0|c"]),
        (["took", "5", "--aggregate", "--host-only"], [f"{HOST}.took:5.0|ms"]),
        (["queue", "5", "--app", "shop"], [f"{HOST}.shop.queue:5.0|g"]),
        (["queue", "5", "--app", "shop", "--cluster-only"], ["dev.apps.shop.queue:5.0|g"]),
        (["queue", "-5", "--app", "shop"], [f"{HOST}.shop.queue:0|g", f"{HOST}.shop.queue:-5.0|g"]),
    ],
)
def test_what_a_script_says_arrives(door: socket.socket, words: list[str], lines: list[str]) -> None:
    assert sent(door, *words).split("\n") == lines


def test_the_app_of_the_environment_counts(door: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_APP", "shop")
    assert sent(door, "jobs", "--counter", "--cluster-only") == "dev.apps.shop.jobs:1.0|c"
    assert not send_at_once(["jobs", "1", "--counter", "--to", at(door)])


@pytest.mark.parametrize(
    "words",
    [
        ["a.b", "3"],
        ["a.b;k=v", "-3.5", "--gauge"],
        ["--counter", "a.b", "1"],
        ["a.b", "--counter", "+7"],
        ["a.b", ".5", "--timing"],
        ["a", "1", "--aggregate"],
    ],
)
def test_the_short_way_sends_what_the_long_one_sends(door: socket.socket, words: list[str]) -> None:
    assert send_at_once([*words, "--to", at(door)])
    assert door.recv(65536).decode() == sent(door, *words)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["a"],
        ["a", "x"],
        ["a", "nan"],
        ["a", "1e400"],
        ["a", "1_0"],
        ["a", "--counter"],
        ["a b", "1"],
        ["a:b", "1"],
        ["-", "1"],
        ["--help", "1"],
        ["a", "1", "--counter", "--gauge"],
        ["a", "1", "--app", "x"],
        ["a", "1", "--set"],
        ["a", "1", "2"],
        ["x" * 1025, "1"],
        ["a", "1", "--to", "udp://localhost:1"],
        ["a", "1", "--to"],
        ["a", "1", "--to", "udp://127.0.0.1:x"],
    ],
)
def test_the_short_way_leaves_to_the_long_one_what_is_not_plain(door: socket.socket, words: list[str]) -> None:
    assert not send_at_once(words if "--to" in words else [*words, "--to", at(door)])
    door.setblocking(False)
    with pytest.raises(BlockingIOError):
        door.recv(10)


def test_an_event_may_go_by_statsd(door: socket.socket) -> None:
    line = sent(door, "deployed shop\n4.2", "--event", "--tag", "a|b", "--data", "one\r\ntwo|#x", "--app", "shop")
    parts = event_parts(line.encode())
    assert parts is not None
    assert parts[:2] == (b"deployed shop 4.2", b"one\\ntwo|#x")
    assert fields_of(parts[2]).tags == b"a_b,app:shop"


def test_a_unix_socket_is_sent_to(tmp_path: Path) -> None:
    path = tmp_path / "statsd.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
        assert CliRunner().invoke(verbs, ["send", "a", "1", "--to", f"unix://{path}"]).exit_code == 0
        assert bound.recv(100) == b"a:1.0|g"
    result = CliRunner().invoke(verbs, ["send", "a", "1", "--to", f"unix://{path}"])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"cannot send to unix://{path}: Connection refused; expected an agent or a server")


@pytest.mark.parametrize(
    "words",
    [
        ["a", "1", "--counter", "--host-only", "--cluster-only"],
        ["a", "1", "--sample-rate", "10"],
        ["a", "--counter", "--sample-rate", "0"],
    ],
)
def test_what_contradicts_itself_has_status_2(words: list[str]) -> None:
    assert CliRunner().invoke(verbs, ["send", *words]).exit_code == 2


def test_a_shell_that_sends_a_number_loads_next_to_nothing(door: socket.socket) -> None:
    program = f"""
import sys
sys.argv[1:] = ["send", "a.b", "1", "--counter", "--to", "{at(door)}"]
from tallystick.cli import main
try:
    main()
finally:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert door.recv(100) == b"a.b:1.0|c"
    assert not {"click", "msgspec", "re", "typing", "dataclasses"} & set(done.stdout.split())


def test_nobody_who_listens_is_told(door: socket.socket) -> None:
    address = at(door)
    door.close()
    words = [sys.executable, "-m", "tallystick", "send", "a.b", "1", "--to", address]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr == f"cannot send to {address}: nobody listens; expected an agent or a server that listens there\n"
    )
