"""A snapshot of a server that runs, asked for from the command line."""

import subprocess
from pathlib import Path

from servers import CARBON, TALLYSTICK, Server, wait_until
from statsd_node import send

MORE = f"""{CARBON}
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:0"
"""


def store(*words: str) -> str:
    done = subprocess.run([*TALLYSTICK, "store", *words], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def test_a_snapshot_of_a_running_server_is_restored_and_served(tmp_path: Path) -> None:
    server = Server(tmp_path, MORE)
    server.start()
    try:
        server.send_now("snap.a", 1.0, 2.0, 3.0)
        send(server.port("statsd udp"), "snap.level:7|g")
        wait_until(lambda: server.values("snap.level"), "a level of StatsD's")
        wait_until(lambda: server.values("snap.a") == [1.0, 2.0, 3.0], "the values")
        subprocess.run([*TALLYSTICK, "send", "deployed", "--event", "--tag", "a", "--to", server.url], check=True)
        made = store("snapshot", "monday", "--server", server.url)
        assert made.startswith(f"Made {tmp_path}/data/snapshots/monday, ")
        assert "written anew" in store("compact", "--server", server.url)
        assert "is whole" in store("verify", "--directory", str(tmp_path / "data"))
        assert "by a server" in store("info", "--directory", str(tmp_path / "data"))
    finally:
        server.stop()
    (tmp_path / "data").rename(tmp_path / "old")
    store("restore", str(tmp_path / "old" / "snapshots" / "monday"), str(tmp_path / "data"))
    server.start()
    try:
        assert server.values("snap.a") == [1.0, 2.0, 3.0]
        assert 7.0 in server.values("stats.gauges.snap.level")
        assert [one["what"] for one in server.get("/events/get_data", tags="a")] == ["deployed"]
    finally:
        server.stop()
