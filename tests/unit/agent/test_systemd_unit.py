"""The unit that is printed, in the hands of systemd's own tools."""

import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import under_unit
from servers import cannot_run, wait_until
from tallystick.agent.unit import unit

pytestmark = pytest.mark.senders

COLLECTORS = ("clock", "cpu", "exec", "filesystem", "load", "memory", "processes", "temperature", "tcp")


@pytest.fixture(autouse=True)
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    return found or cannot_run("systemd-analyze is not installed; expected tools/install-senders to have run")


def agent_under(unit_file: Path) -> list[str]:
    """The beginning of an agent's command line that is confined as the unit says."""
    return [sys.executable, under_unit.__file__, str(unit_file), sys.executable, "-m", "tallystick", "agent"]


@pytest.mark.parametrize("place", ["plain", "two words", "100%h $HOME", "#1 & so;"])
def test_systemd_has_nothing_to_say_against_it(tmp_path: Path, analyze: str, place: str) -> None:
    program = tmp_path / place / "tallystick"
    program.parent.mkdir()
    program.symlink_to("/bin/true")
    file = tmp_path / "tallystick-agent.service"
    file.write_text(unit(program, tmp_path / place / 'so "called" \\n.toml'))
    done = subprocess.run([analyze, "verify", "--man=no", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_agent_collects_without_a_system_call_that_its_unit_forbids(tmp_path: Path) -> None:
    config, file = tmp_path / "agent.toml", tmp_path / "tallystick-agent.service"
    items = "".join(f'[[collectors]]\nname = "{name}"\n' for name in COLLECTORS)
    run = 'name = "exec"\ncommand = ["/bin/echo", "said 1"]'
    config.write_text(f"[agent]\ndiscover = false\n{items}".replace('name = "exec"', run))
    file.write_text(unit(Path(sys.executable), config))
    done = subprocess.run(
        [*agent_under(file), "--print", "--config", str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = [line.split()[0] for line in done.stdout.splitlines()]
    for collector in set(COLLECTORS) - {"temperature"}:  # of which not every machine has one
        assert any(f".{collector}." in name for name in names), f"{collector}: {done.stderr}"
    assert any(name.endswith(".exec.said") for name in names) and any(
        name.endswith(".clock.offset_s") for name in names
    )


def test_the_agent_listens_and_spools_without_a_system_call_that_its_unit_forbids(tmp_path: Path) -> None:
    config, file, spool = tmp_path / "agent.toml", tmp_path / "tallystick-agent.service", tmp_path / "spool"
    door, log = tmp_path / "statsd.sock", tmp_path / "shop.log"
    log.write_text("GET /\n")
    config.write_text(
        f"[agent]\ndiscover = false\nspool = '{spool}'\nservers = ['tcp://127.0.0.1:1']\n"
        f"[[agent.doors]]\nprotocol = 'statsd'\naddress = 'unix://{door}'\n"
        "[[agent.doors]]\nprotocol = 'carbon'\naddress = 'tcp://127.0.0.1:0'\n"
        f"[[logs]]\npath = '{log}'\n[[checks]]\nname = 'itself'\nkind = 'process'\nmatch = 'agent'\n"
        "interval_s = 1\ntimeout_s = 1\n"
    )
    file.write_text(unit(Path(sys.executable), config))
    agent = subprocess.Popen([*agent_under(file), "--config", str(config)], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: agent.poll() is not None or door.exists(), "its door")
        if door.exists():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"hits:1|c", str(door))
        wait_until(lambda: agent.poll() is not None or written(spool) > 0, "its spool to be written")
    finally:
        agent.send_signal(signal.SIGTERM)
        _, said = agent.communicate(timeout=60)
    assert agent.returncode == 0, said


def written(spool: Path) -> int:
    """Bytes of a spool."""
    return sum(file.stat().st_size for file in spool.glob("*") if file.suffix not in (".lock", ".json"))
