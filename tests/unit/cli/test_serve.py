"""``serve`` as the shell sees it: it says where it is, takes what the other commands send, and ends in order."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

TALLYSTICK = (sys.executable, "-m", "tallystick")
START_S = 300  # the first start on a machine compiles

pytestmark = pytest.mark.timeout(START_S + 60)

CONFIG = """
[http]
address = "127.0.0.1:{http}"
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:0"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "tallystick.toml"
    file.write_text(CONFIG.format(http=0))
    return file


@pytest.fixture
def server(file: Path, tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", str, str, str]]:
    """A running server, and the addresses of its pages, carbon and StatsD as it tells them."""
    command = [*TALLYSTICK, "serve", "--config", str(file), "--directory", str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline() + process.stdout.readline()
        addresses = re.findall(r"\w+://127\.0\.0\.1:\d+", told)
        assert len(addresses) == 3, told
        yield process, *addresses
        process.terminate()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TALLYSTICK, *arguments], capture_output=True, text=True, timeout=START_S, check=False)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_what_one_command_sends_another_one_shows(
    server: tuple["subprocess.Popen[str]", str, str, str], ending: signal.Signals
) -> None:
    process, http, carbon, statsd = server
    assert run("send", "from.carbon", "42", "--to", carbon).returncode == 0
    for _ in range(3):
        assert run("send", "from.statsd", "2", "--counter", "--to", statsd).returncode == 0
    shown = ""
    deadline = time.monotonic() + 60
    while not ("from.carbon" in shown and "from.statsd" in shown) and time.monotonic() < deadline:
        shown = run("query", "from.*", "--server", http).stdout
    assert re.search(r"from\.carbon .*\b42\b", shown), shown
    total = run("query", "integral(from.statsd)", "--server", http, "--format", "json").stdout
    assert "6.0" in total
    process.send_signal(ending)
    assert process.wait(60) == 0
    assert process.stdout is not None
    assert process.stdout.read() == "Stopped; all that was received is on disk.\n"


def test_a_broken_query_is_told_with_its_place(server: tuple["subprocess.Popen[str]", str, str, str]) -> None:
    done = run("query", "sumSeries(", "--server", server[1])
    assert done.returncode == 1
    assert done.stderr.startswith("cannot read target at column 11")


def test_a_port_that_is_taken_is_one_sentence_and_status_3(file: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file.write_text(CONFIG.format(http=port))
        done = run("serve", "--config", str(file), "--directory", str(tmp_path / "data"))
    assert done.returncode == 3
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("cannot ")
    assert str(port) in sentence


def test_a_directory_that_cannot_be_used_is_one_sentence_and_status_3(file: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, no directory")
    done = run("serve", "--config", str(file), "--directory", str(tmp_path / "data"))
    assert done.returncode == 3
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("cannot ")
    assert str(tmp_path / "data") in sentence
