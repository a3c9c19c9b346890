"""The block list of a whole server, from the command line: at once, by name and by host, over a restart."""

import os
import subprocess
from pathlib import Path

from servers import TALLYSTICK, Server


def run(server: Server, *arguments: str) -> str:
    command = [*TALLYSTICK, *arguments, "--server", server.url]
    wide = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=wide).stdout


def carbon(server: Server) -> tuple[int, dict[str, int]]:
    balance = server.balance("carbon tcp")
    return balance["stored"], balance["rejected"]


def test_after_the_command_no_row_is_stored_and_all_are_counted_over_a_restart_too(
    server: Server, tmp_path: Path
) -> None:
    server.send_now("flood.a", 1)
    server.send_now("shop.orders", 1)
    told = run(server, "block", "flood.*", "--for", "2h", "--why", "one series per request", "--who", "ann")
    assert told.startswith("blocked: flood.* until ")
    server.send_now("flood.a", 2)
    server.send_now("flood.b", 3)
    server.send_now("shop.orders", 4)
    assert carbon(server) == (3, {"blocked": 2})
    assert server.get("/api/search", q="flood")["names"] == ["flood.a"]

    server.kill()
    server.start()
    server.send_now("flood.a", 5)
    assert carbon(server) == (0, {"blocked": 1})
    run(server, "block", "--source", "127.0.0.0/8", "--why", "maintenance")
    server.send_now("shop.orders", 6)
    assert carbon(server) == (0, {"blocked": 2})
    shown = run(server, "block")
    assert "flood.*" in shown
    assert "one series per request" in shown
    assert "* from 127.0.0.0/8" in shown

    assert run(server, "unblock", "--source", "127.0.0.0/8", "--why", "done") == (
        "no longer blocked: * from 127.0.0.0/8\n"
    )
    run(server, "unblock", "flood.*")
    server.send_now("flood.a", 7)
    server.send_now("shop.orders", 8)
    assert carbon(server) == (2, {"blocked": 2})
    assert [act["what"] for act in server.get("/api/blocks")["acts"]] == ["unblock", "unblock", "block", "block"]
    assert server.get("/healthz")["problems"] == []
