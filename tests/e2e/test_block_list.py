"""The block list of a whole server, from the command line: at once, by name and by host, over a restart."""

import os
import subprocess
import time
from pathlib import Path

from servers import CARBON, TALLYSTICK, Server, running_server, wait_until
from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native.client import NativeClient
from tallystick.native.messages import Slot


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
    assert [one["path"] for one in server.get("/metrics/find", query="flood.*", format="completer")["metrics"]] == [
        "flood.a"
    ]

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


def test_who_tallies_himself_stops_sending_and_the_ledger_counts_what_he_keeps_back(tmp_path: Path) -> None:
    more = CARBON + '\n[[listeners]]\nprotocol = "native"\naddress = "tcp://127.0.0.1:0"\n'
    with running_server(tmp_path, more) as server:
        client = NativeClient(Address("tcp", "127.0.0.1", server.port("native tcp")), "web1")
        client.start()
        now_ms = int(time.time()) * 1000

        def offer(k: int) -> None:
            client.offer([Slot(name, Kind.GAUGE, now_ms - 10_000 * k, 1.0) for name in ("flood.a", "shop.b")])
            assert client.wait_acknowledged(60)

        try:
            offer(3)
            run(server, "block", "shop.*", "--source", "10.9.9.9", "--why", "another host")
            run(server, "block", "{flood,other}.*", "--source", "127.0.0.1", "--why", "x")
            wait_until(lambda: client.blocking.blocks("flood.a"), "the list to be told")
            offer(2)
            run(server, "unblock", "{flood,other}.*", "--source", "127.0.0.1")
            wait_until(lambda: not client.blocking, "the end of it to be told")
            offer(1)
        finally:
            client.stop()
        balance = server.balance("native tcp")
        assert (balance["stored"], balance["generated"], balance["lost_on_the_way"]) == (5, 6, 0)
        assert balance["rejected"] == {"withheld": 1}
        assert server.get("/api/blocks")["sources"] == [
            {"source": balance["source"], "peer": "127.0.0.1", "blocked": 0, "withheld": 1}
        ]


def test_a_real_agent_stops_at_the_source_and_begins_again(tmp_path: Path) -> None:
    more = '\n[[listeners]]\nprotocol = "native"\naddress = "tcp://127.0.0.1:0"\n'
    file = tmp_path / "agent.toml"
    with running_server(tmp_path, more) as server:
        file.write_text(
            f"""
[[collectors]]
name = "load"
interval_s = 1
[[collectors]]
name = "memory"
interval_s = 1
[agent]
servers = ["tcp://127.0.0.1:{server.port("native tcp")}"]
prefix = "agents.one"
doors = []
discover = false
spool = "{tmp_path / "spool"}"
"""
        )

        def rejected(reason: str) -> int:
            return int(server.balance("native tcp")["rejected"].get(reason, 0))

        agent = subprocess.Popen([*TALLYSTICK, "agent", "--config", str(file)], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: server.render("agents.one.memory.*"), "the agent's first slots", wait_s=60)
            run(server, "block", "agents.*.memory.*", "--why", "x")
            wait_until(lambda: rejected("withheld"), "slots to be withheld", wait_s=60)
            arrived = rejected("blocked")
            known = server.render("agents.one.memory.*")
            before = rejected("withheld")
            wait_until(lambda: rejected("withheld") > before, "more slots to be withheld", wait_s=60)
            assert rejected("blocked") == arrived, "a row arrived that the agent was told not to send"
            assert server.render("agents.one.memory.*") == known
            wait_until(
                lambda: max(server.values("agents.one.agent.slots_blocked"), default=0.0) > 0,
                "the agent's count",
                wait_s=60,
            )
            assert server.balance("native tcp")["lost_on_the_way"] == 0
            run(server, "unblock", "agents.*.memory.*")
            wait_until(lambda: server.render("agents.one.memory.*") != known, "slots to come again", wait_s=60)
        finally:
            agent.terminate()
            agent.wait(timeout=60)
