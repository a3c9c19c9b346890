"""What services are recognised by: processes, ports and sockets."""

import os
import socket
from pathlib import Path

from tallystick.agent import Host, Surroundings


def test_processes_ports_and_sockets_of_this_very_host(tmp_path: Path) -> None:
    path = str(tmp_path / "x.sock")
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path)
        unix.listen()
        around = Surroundings(Host())
        assert tcp.getsockname()[1] in around.ports
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            assert Surroundings(Host()).sockets[path] == around.sockets[path], "its clients' ends have its path, too"
    own = next(process for process in around.processes if process.pid == os.getpid())
    assert own in around.running(own.name)
    assert own in around.running(Path(own.arguments[0]).name)


def test_a_tree_of_files_stands_for_a_host(tmp_path: Path) -> None:
    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")

    write("proc/7/comm", "nginx\n")
    write("proc/7/cmdline", "nginx: master process /usr/sbin/nginx -g daemon off;")
    write("proc/8/comm", "kworker/0:1\n")
    write("proc/8/cmdline", "")
    write("proc/9/comm", "java\n")
    write("proc/9/cmdline", "/opt/jdk/bin/java\0-jar\0/opt/shop.jar\0")
    write(
        "proc/net/tcp6",
        "  sl  local_address remote_address st\n"
        "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A\n"
        "   1: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 01\n",
    )
    around = Surroundings(Host(str(tmp_path)))
    assert around.ports == {80}
    assert around.sockets == {}
    assert [process.pid for process in around.running("nginx")] == [7]
    assert around.running("java")[0].arguments == ("/opt/jdk/bin/java", "-jar", "/opt/shop.jar")
