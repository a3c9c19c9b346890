"""The program as the shell sees it: exit status, stderr, and what it loads."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from tallystick.native.messages import FINGERPRINT

TALLYSTICK = (sys.executable, "-m", "tallystick")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TALLYSTICK, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_broken_config_is_one_sentence_and_status_3(tmp_path: Path) -> None:
    done = run("serve", "--config", str(tmp_path / "none.toml"))
    assert done.returncode == 3
    assert done.stderr.startswith("cannot read config ")
    assert done.stderr.count("\n") == 1


def test_wrong_usage_has_status_2() -> None:
    assert run("sevre").returncode == 2
    assert run("serve", "--prot").returncode == 2


def test_the_light_commands_load_nothing_of_the_server(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text('[agent]\ndiscover = false\n[[collectors]]\nname = "cpu"\n')
    program = f"""
import sys
from click.testing import CliRunner
from tallystick.cli.verbs import verbs
for arguments in (["--help"], ["agent", "--print", "--config", "{config}"], ["config", "sample"], ["send", "--help"]):
    assert CliRunner().invoke(verbs, arguments).exit_code == 0
print(*sys.modules)
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "numba", "rich", "starlette"} & set(loaded)


def test_an_agent_sends_stays_light_and_ends_in_order(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        file = tmp_path / "agent.toml"
        collectors = "".join(f"[[collectors]]\nname = '{name}'\n" for name in ("cpu", "load", "memory", "filesystem"))
        server = f"servers = ['tcp://127.0.0.1:{listener.getsockname()[1]}']"
        file.write_text(f"{collectors}[agent]\n{server}\nspool = '{tmp_path}/spool'\ndoors = []\n")
        with subprocess.Popen([*TALLYSTICK, "agent", "--config", str(file)], env=os.environ | {"LANG": "C"}) as agent:
            connection, _ = listener.accept()
            with connection:
                assert FINGERPRINT in connection.recv(65536)
                assert psutil.Process(agent.pid).memory_info().rss < 40_000_000
                agent.send_signal(signal.SIGTERM)
                assert agent.wait(30) == 0


def test_a_server_command_without_the_servers_packages_says_what_to_install() -> None:
    program = "import sys; sys.modules['numpy'] = None; from tallystick.cli import main; main(['demo'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert done.stderr == "cannot run this command: numpy is not installed; expected pip install 'tallystick[server]'\n"
