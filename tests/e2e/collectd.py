"""Debian's collectd as a process, with a config of the test's own."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import cannot_run, wait_until

COLLECTD = Path("/usr/sbin/collectd")
TYPES_DB = Path("/usr/share/collectd/types.db")
HOST = "web1.example.org"
_HEAD = """
Hostname "{host}"
FQDNLookup false
Interval {interval_s}
BaseDir "{root}"
PIDFile "{root}/collectd.pid"
TypesDB "{types_db}"
"""


@contextmanager
def running_collectd(root: Path, config: str, *, host: str = HOST, interval_s: float = 1) -> Iterator[None]:
    """A collectd that runs from here on, with these plugins. It sends a packet when that is full, or at its end."""
    if not COLLECTD.exists():
        cannot_run(f"{COLLECTD} is missing: apt-get install collectd-core")
    root.mkdir(exist_ok=True)
    file = root / "collectd.conf"
    file.write_text(_HEAD.format(host=host, interval_s=interval_s, root=root, types_db=TYPES_DB) + config)
    with (root / "collectd.log").open("wb") as log:
        process = subprocess.Popen([str(COLLECTD), "-f", "-C", str(file)], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def plugins(*names: str) -> str:
    return "".join(f"LoadPlugin {name}\n" for name in names)


def network(port: int, more: str = "") -> str:
    """The network plugin, sending to a port of this host."""
    return f'LoadPlugin network\n<Plugin network>\n<Server "127.0.0.1" "{port}">\n{more}\n</Server>\n</Plugin>\n'


def sealed(level: str, user: str, password: str) -> str:
    return f'SecurityLevel "{level}"\nUsername "{user}"\nPassword "{password}"'


def write_graphite(port: int, *options: str) -> str:
    lines = "\n".join(options)
    return (
        "LoadPlugin write_graphite\n<Plugin write_graphite>\n"
        f'<Node "tallystick">\nHost "127.0.0.1"\nPort "{port}"\nProtocol "tcp"\n{lines}\n</Node>\n</Plugin>\n'
    )


def need_plugin(name: str, package: str) -> None:
    """Skip where a plugin lacks a library: packages of plugins only recommend them."""
    library = Path(f"/usr/lib/collectd/{name}.so")
    if not library.exists():
        cannot_run(f"{library} is missing: apt-get install collectd-core")
    linked = subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=True).stdout
    if "not found" in linked:
        cannot_run(f"{library} lacks a library: apt-get install {package}")


def write_http(url: str, format_: str) -> str:
    """The plugin that posts, in one of its formats; it sends what it has gathered at the end.

    Unless told otherwise it gives up after an interval, which a busy machine may take to sync a disk, and what it gave
    up is lost.
    """
    return (
        "LoadPlugin write_http\n<Plugin write_http>\n"
        f'<Node "tallystick">\nURL "{url}/collectd"\nFormat "{format_}"\nTimeout 30000\n</Node>\n</Plugin>\n'
    )


def unixsock(root: Path) -> str:
    """The plugin that takes values by hand."""
    return f'LoadPlugin unixsock\n<Plugin unixsock>\nSocketFile "{root}/put.sock"\n</Plugin>\n'


def put(root: Path, *lines: str) -> None:
    """Give values to a collectd with `unixsock`, each ``identifier [options] time:value...``."""
    wait_until((root / "put.sock").exists, f"collectd to open {root / 'put.sock'}")
    command(root, *(f"PUTVAL {line}" for line in lines))


def command(root: Path, *lines: str) -> None:
    """Say something to a collectd with `unixsock`, line by line."""
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rw") as file:
        connection.connect(str(root / "put.sock"))
        for line in lines:
            file.write(f"{line}\n")
            file.flush()
            answer = file.readline()
            assert answer.startswith("0 "), (line, answer)
