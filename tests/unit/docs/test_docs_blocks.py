"""What the pages give to be copied is run as it stands, on a real server; only the ports are others.

A block in ``sh`` runs, unless it begins with ``make``; one in ``console`` is for a reader's own machine.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import Block, blocks

from servers import START_S_MAX, Server, cannot_run, running_server, wait_until

pytestmark = pytest.mark.timeout(START_S_MAX + 120)

DOORS = """
istatd_address = "127.0.0.1:0"
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:0"
[[listeners]]
protocol = "istatd"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
[[collectors]]
name = "load"
"""
PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/guides/senders.md",
    "docs/guides/sensors.md",
    "docs/guides/web-apps.md",
    "docs/guides/from-opentsdb.md",
    "docs/guides/from-istatd.md",
    "docs/guides/configuration.md",
    "docs/guides/importing.md",
    "docs/guides/operating.md",
    "docs/guides/protection.md",
    "docs/guides/python.md",
    "docs/guides/relaying.md",
    "docs/reference/http.md",
)
BLOCKS = [
    block for page in PAGES for block in blocks(page, "sh", "python") if not block.text.startswith(("make", "pip"))
]
NAMES_OF_THE_README = {
    "hello.world",
    "backup.duration_s",
    "deploys.web",
    "dev.apps.shop.requests",
    "dev.apps.shop.render",
    "shop.orders",
    "shop.checkout",
    "orders.total",
}
COLLECTD = Path("/usr/sbin/collectd")
# Several plug-ins, since write_graphite sends when it has filled a packet.
COLLECTD_HEAD = """
Hostname "web1"
FQDNLookup false
Interval 1
BaseDir "{root}"
PIDFile "{root}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin load
LoadPlugin cpu
LoadPlugin memory
LoadPlugin interface
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("docs"), DOORS) as started:
        started.send_now("hello.world", 1)
        yield started


def with_ports_of(server: Server, text: str) -> str:
    """A block that reaches this server instead of one on the default ports."""
    ports = {
        "8080": server.url.rpartition(":")[2],
        "2003": str(server.carbon_port),
        "8111": str(server.port("istatd tcp")),
        "8120": str(server.port("native tcp")),
        "8125": str(server.port("statsd udp")),
        "18011": str(server.port("istatd-http tcp")),
    }
    text = re.sub(r'(127\.0\.0\.1(?::| |", ?))(8080|2003|8111|8120|8125|18011)\b', lambda m: m[1] + ports[m[2]], text)
    text = text.replace(".venv/bin/tallystick", "tallystick")
    return text.replace("tallystick send ", f"tallystick send --to udp://127.0.0.1:{ports['8125']} ")


def run(server: Server, block: Block, folder: Path) -> None:
    text = with_ports_of(server, block.text)
    if block.language == "python":
        text = text.replace("/var/lib/tallystick", str(server.root / "data"))
    # An answer with an error must end the block: curl does so if its own config says it.
    (folder / ".curlrc").write_text("fail\nshow-error\n")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CURL_HOME": str(folder),
        "TALLYSTICK_SERVER": server.url,
        "TALLYSTICK_AGENT": f"tcp://127.0.0.1:{server.port('native tcp')}",
        "TALLYSTICK_STATSD": f"udp://127.0.0.1:{server.port('statsd udp')}",
    }
    if block.language == "python":
        (folder / "shop.py").write_text(text)
        command = [sys.executable, "shop.py"]
    else:
        command = ["bash", "-euo", "pipefail", "-c", text]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{block}:\n{text}\n{done.stdout}{done.stderr}"
    assert "error" not in done.stderr, done.stderr


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_runs_as_it_is_printed(server: Server, block: Block, tmp_path: Path) -> None:
    for program in ("nc", "curl"):
        if program in block.text and not any(Path(p, program).exists() for p in os.environ["PATH"].split(":")):
            cannot_run(f"{program} is missing: apt-get install netcat-openbsd curl")
    run(server, block, tmp_path)


def test_all_that_the_readme_sends_is_there(server: Server) -> None:
    def missing() -> set[str]:
        return NAMES_OF_THE_README - set(server.get("/metrics/index.json"))

    wait_until(lambda: not missing(), "the numbers of the README", missing)


@pytest.mark.senders
@pytest.mark.parametrize(("page", "name"), [("README.md", "web1"), ("docs/guides/senders.md", "collectd.web1")])
def test_collectd_sends_with_the_config_that_is_printed(server: Server, tmp_path: Path, page: str, name: str) -> None:
    if not COLLECTD.exists():
        cannot_run(f"{COLLECTD} is missing: apt-get install collectd-core")
    (printed,) = (block.text for block in blocks(page, "") if "write_graphite" in block.text)
    config = tmp_path / "collectd.conf"
    printed = printed.replace('Port "2003"', f'Port "{server.carbon_port}"')
    config.write_text(COLLECTD_HEAD.format(root=tmp_path) + printed)
    with (tmp_path / "collectd.log").open("wb") as log:
        process = subprocess.Popen([str(COLLECTD), "-f", "-C", str(config)], stdout=log, stderr=log)
    try:
        wait_until(lambda: server.values(f"{name}.load.load.shortterm"), "numbers of collectd")
    finally:
        process.terminate()
        process.wait(timeout=30)
