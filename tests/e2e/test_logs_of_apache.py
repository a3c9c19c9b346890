"""A real Apache writes its log to a pipe of ours, and real logrotate takes files away: each request counts once."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from ports import free_port
from servers import START_S_MAX, TALLYSTICK, WAIT_S_MAX, Server, cannot_run, running_server, wait_until
from tallystick.agent.logs import Scraper
from tallystick.config.logs import Log
from tallystick.model.clock import SystemClock

pytestmark = [pytest.mark.senders, pytest.mark.timeout(START_S_MAX + 120)]

NATIVE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
"""
APACHE = """
ServerRoot "{root}"
ServerName localhost
PidFile "{root}/httpd.pid"
ErrorLog "{root}/error.log"
Listen 127.0.0.1:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
User www-data
Group www-data
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
Redirect "/page" "http://elsewhere.example/"
<Directory />
AllowOverride None
</Directory>
LogFormat "%v:%p %h %l %u %t \\"%r\\" %>s %b \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\" %D" timed
CustomLog "|{python} -m tallystick logs apache --app shop --to tcp://{native}" timed
"""
LOGROTATE = """
{log} {{
  size 1
  rotate 20
  nocompress
  {how}
}}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), NATIVE) as started:
        yield started


def test_requests_to_apache_are_counted_through_a_pipe(server: Server, tmp_path: Path) -> None:
    if shutil.which("apache2", path="/usr/sbin") is None:
        cannot_run("apache2 is not installed")
    port = free_port()
    config = tmp_path / "apache.conf"
    native = server.doors["native tcp"]
    config.write_text(APACHE.format(root=tmp_path, port=port, python=sys.executable, native=native))
    environment = {**os.environ, "TALLYSTICK_ENVIRONMENT": "test", "TALLYSTICK_HOST": "web7.example.org"}
    apache = subprocess.Popen(["/usr/sbin/apache2", "-f", str(config), "-DFOREGROUND"], env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(f"{url}/page"), "Apache's first answer")
        wait_until(lambda: _catches_sigterm("tallystick logs apache"), "the pipe's reader")
        with httpx2.Client() as client:
            for _ in range(40):
                client.get(f"{url}/page")
            for _ in range(3):
                client.post(f"{url}/nothing")
    finally:
        apache.terminate()  # closes the pipe, at whose end what was counted is sent
        apache.wait(WAIT_S_MAX)
    hosts, apps = "test.hosts.web.web7.shop", "test.apps.shop"
    for prefix in (hosts, apps):
        counted = wait_until(lambda at=prefix: total(server, f"{at}.status.404"), "the requests")
        assert counted == 3.0
        ours = total(server, f"{prefix}.status.302")
        assert ours >= 41.0
        assert total(server, f"{prefix}.requests") == ours + 3
        assert total(server, f"{prefix}.method.POST") == 3.0
        assert total(server, f"stat({prefix}.time_s,'count')") == ours + 3
        assert total(server, f"stat({prefix}.bytes,'min')") > 0


@pytest.mark.parametrize("how", ["create", "copytruncate", "create\n  dateext\n  dateformat -%s"])
def test_each_line_counts_once_through_logrotate(tmp_path: Path, how: str) -> None:
    if not Path("/usr/sbin/logrotate").exists():
        cannot_run("logrotate is not installed")
    log, config, state = tmp_path / "app.log", tmp_path / "rotate.conf", tmp_path / "state"
    config.write_text(LOGROTATE.format(log=log, how=how))
    config.chmod(0o644)
    counted = {"app.lines": 0.0}

    def take(slots: object, cursors: object) -> None:
        del cursors
        for slot in slots:
            counted[slot.name] += slot.spread[1] if slot.spread else slot.last

    log.touch()
    scraper = Scraper([Log(path=str(log), pattern="line")], {}, take, None, SystemClock())
    scraper.tick()
    written = 0
    for _ in range(6):
        with log.open("a") as opened:
            for _ in range(50):
                opened.write(f"line {written}\n")
                written += 1
        if "dateext" in how:
            wait_for_next_second()
        scraper.tick()
        with log.open("a") as opened:
            opened.write(f"line {written}\n")  # the rotation finds a line that nobody has read
            written += 1
        subprocess.run(["/usr/sbin/logrotate", "--force", "--state", str(state), str(config)], check=True)
    for _ in range(5):
        scraper.tick()
    scraper.stop()
    assert counted == {"app.lines": float(written)}
    assert len(list(tmp_path.glob("app.log?*"))) == 6


AGENT = """
[agent]
servers = ["tcp://{native}"]
spool = "{root}/spool"
discover = false
environment = "test"
host = "web8"
doors = []

[[logs]]
path = "{root}/app.log"
pattern = 'line (?P<k>[0-9]+)'

[[logs.metrics]]
name = "lines"

[[logs.metrics]]
name = "sum"
value = "k"
"""


def test_each_line_counts_once_though_the_agent_is_killed(server: Server, tmp_path: Path) -> None:
    log, config = tmp_path / "app.log", tmp_path / "agent.toml"
    config.write_text(AGENT.format(native=server.doors["native tcp"], root=tmp_path))
    log.write_text("line 1000000\n")  # nobody looked yet
    target, spool = "test.apps.app.lines", tmp_path / "spool"

    def write(count: int) -> None:
        with log.open("a") as opened:
            opened.writelines("line 1\n" for _ in range(count))

    with agent(config):
        wait_until(lambda: b"log:" in b"".join(file.read_bytes() for file in spool.glob("*")), "the first position")
        write(1000)
        wait_until(lambda: total(server, target) >= 1000, "the lines")
        write(500)  # read, perhaps, and not handed over
    log.rename(tmp_path / "app.log.1")
    write(250)
    with agent(config):
        wait_until(lambda: total(server, target) >= 1750, "all lines", lambda: total(server, target))
    assert total(server, target) == total(server, "test.apps.app.sum") == 1750
    assert total(server, "test.hosts.web.web8.app.lines") == 1750


@contextlib.contextmanager
def agent(config: Path) -> Iterator[None]:
    """An agent of its own process, which is killed at the end."""
    with (config.parent / "agent.log").open("ab") as output:
        command = [*TALLYSTICK, "agent", "--config", str(config)]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.kill()
        process.wait(WAIT_S_MAX)


def total(server: Server, target: str) -> float:
    return sum(server.values(target))


def wait_for_next_second() -> None:
    """A file is named after the second."""
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second, "the next second")


def _catches_sigterm(command: str) -> bool:
    """Whether a process of that command is so far that it ends in order; Apache waits for nobody."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if command.encode() in (process / "cmdline").read_bytes().replace(b"\0", b" "):
                caught = re.search(r"SigCgt:\s*(\w+)", (process / "status").read_text())
                if caught is not None and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1:
                    return True
    return False


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code == 302
    except httpx2.TransportError:
        return False
