"""The two programs of ours that send: an invented fleet, and the agent of this host."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from ports import free_port
from servers import START_S_MAX, TALLYSTICK, Server, running_server, wait_until

NATIVE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
"""
pytestmark = pytest.mark.timeout(START_S_MAX + 60)


@contextmanager
def running(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [*TALLYSTICK, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_the_demo_fills_in_the_past_and_ends_with_its_server(tmp_path: Path) -> None:
    http = f"127.0.0.1:{free_port()}"
    with running("demo", "--hosts", "5", "--history", "20min", "--http", http) as demo:
        assert demo.stdout is not None
        output: list[str] = []
        reader = threading.Thread(target=lambda: output.extend(demo.stdout or ()))
        reader.start()
        wait_until(
            lambda: any("Look at" in line for line in output), "the demo to say where it is", told=lambda: output
        )
        server = Server(tmp_path, url=f"http://{http}")
        wait_until(lambda: server.values("countSeries(*.hosts.*.*.cpu.user)"), "hosts")
        counts = server.values("countSeries(*.hosts.*.*.cpu.user)")
        assert len(counts) >= 100
        assert set(counts) == {5.0}
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
        reader.join(timeout=30)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"http://{http}/healthz")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path, NATIVE) as started:
        yield started


def test_the_agent_sends_this_host_and_ends_in_order(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(f"""
[[collectors]]
name = "load"
interval_s = 1
[[collectors]]
name = "memory"
interval_s = 1
[agent]
servers = ["tcp://127.0.0.1:{server.port("native tcp")}"]
prefix = "agents.one"
discover = false
doors = []
spool = "{tmp_path / "spool"}"
""")
    with running("agent", "--config", str(file)) as agent:
        wait_until(lambda: server.values("agents.one.load.1m"), "agents.one.load.1m")
        wait_until(lambda: server.render("agents.one.memory.*"), "agents.one.memory")
        said = wait_until(lambda: server.get("/api/metadata", query="agents.one.memory.used").get("series"), "meaning")
        assert said[0]["unit"] == "bytes" and said[0]["description"].startswith("Memory that cannot be given")
        agent.send_signal(signal.SIGHUP)
        wait_until(lambda: server.balance("native tcp")["stored"] > 100, "more")
        for _ in range(20):  # they come while the handler of the one before runs
            agent.send_signal(signal.SIGHUP)
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(30) == 0
