"""Debian's munin-node with plug-ins of its package and one of ours, polled."""

import getpass
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ports import free_port
from servers import START_S_MAX, cannot_run, running_server, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 120), pytest.mark.senders]

MUNIN_NODE = Path("/usr/sbin/munin-node")
PLUGINS = Path("/usr/share/munin/plugins")

# munin-node looks for plug-ins where its package was built to; there is no option for it.
START = """
BEGIN { $Munin::Common::Defaults::MUNIN_CONFDIR = shift @ARGV }
require "/usr/sbin/munin-node"; exit main()
"""
NODE_CONFIG = r"""
log_level 4
log_file {root}/node.log
pid_file {root}/node.pid
background 0
setsid 0
host_name web1.example.com
allow ^127\.0\.0\.1$
host 127.0.0.1
port {port}
timeout 20
"""
PLUGIN = """#!/bin/sh
case $1 in
config) printf 'graph_title Answers\\nanswer.label a\\nticks.label t\\nticks.type DERIVE\\nnone.label n\\n' ;;
*) printf 'answer.value 42\\nticks.value %s\\nnone.value U\\n' "$(date +%s)" ;;
esac
"""
MULTIGRAPH = """#!/bin/sh
echo "multigraph rooms"
if [ "$1" = config ]; then
  echo "warm.label w"
  [ "$MUNIN_CAP_DIRTYCONFIG" = 1 ] && echo "warm.value 21.5"
  echo "multigraph rooms.kitchen"
  [ "$MUNIN_CAP_DIRTYCONFIG" = 1 ] && echo "warm.value 23.25"
  exit 0
fi
echo "warm.value 0"
"""
POLL = """
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:0"
[[polls]]
protocol = "munin"
address = "tcp://127.0.0.1:{port}"
interval_s = 2
"""


@contextmanager
def munin_node(root: Path) -> Iterator[int]:
    """A node of ours; yields its port."""
    if not MUNIN_NODE.exists():
        cannot_run(f"{MUNIN_NODE} is missing: apt-get install munin-node")
    port = free_port()
    plugins = root / "plugins"
    plugins.mkdir()
    (root / "plugin-conf.d").mkdir()
    # By default plug-ins run as nobody, who cannot look into a directory of ours.
    (root / "plugin-conf.d" / "all").write_text(f"[*]\nuser {getpass.getuser()}\n")
    for name, text in (("answers", PLUGIN), ("rooms", MULTIGRAPH)):
        (plugins / name).write_text(text)
        (plugins / name).chmod(0o755)
    for name in ("load", "cpu"):
        (plugins / name).symlink_to(PLUGINS / name)
    config = root / "munin-node.conf"
    config.write_text(NODE_CONFIG.format(root=root, port=port))
    command = ["perl", "-MMunin::Common::Defaults", "-e", START, str(root), "--foreground", "--config", str(config)]
    with (root / "node.out").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port), "munin-node to listen", told=lambda: (root / "node.out").read_text())
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_existing_plug_ins_keep_working(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    with munin_node(tmp_path / "node") as port, running_server(tmp_path, POLL.format(port=port)) as server:
        name = "munin.web1_example_com"
        wait_until(lambda: set(server.values(f"{name}.answers.answer")) == {42.0}, "the known value")
        wait_until(lambda: server.values(f"{name}.load.load"), "the load")
        wait_until(lambda: len(server.values(f"{name}.answers.ticks")) > 1, "a counter in two slots")
        # The seconds since the epoch are said to be a counter: what is drawn is how fast they grow.
        rates = [v for series in server.render(f"perSecond({name}.answers.ticks)").values() for v in series.values()]
        assert rates
        assert all(0 < rate < 10 for rate in rates)
        assert server.values(f"{name}.rooms.warm")[-1] == 21.5
        assert server.values(f"{name}.rooms.kitchen.warm")[-1] == 23.25
        assert len(server.render(f"{name}.cpu.*")) >= 8
        (described,) = server.get("/api/metadata", query=f"{name}.load.load")["series"]
        assert (described["unit"], described["description"].partition(":")[0]) == ("load", "Load average")
        balance = server.balance(f"poll munin tcp://127.0.0.1:{port}")
        assert balance["rejected"].keys() == {"stale"}
        assert balance["received"] == balance["stored"] + sum(balance["rejected"].values()) + balance["in_flight"]
        assert server.values(f"tallystick.polls.munin-tcp-127_0_0_1-{port}.up")[-1] == 1.0
