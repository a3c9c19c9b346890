"""Lines as a script sends them, by every kind of door."""

import pickle
import re
import shutil
import socket
import struct
import subprocess
import time

import pytest

from servers import START_S_MAX, Server, cannot_run, wait_until

pytestmark = pytest.mark.timeout(START_S_MAX + 60)


@pytest.mark.senders
def test_the_one_liner_with_nc_is_a_point_on_the_graph(shared_server: Server) -> None:
    if shutil.which("nc") is None:
        cannot_run("nc is missing: apt-get install netcat-openbsd")
    command = f'echo "hello.world 42 $(date +%s)" | nc -q0 127.0.0.1 {shared_server.carbon_port}'
    subprocess.run(command, shell=True, check=True, timeout=30)
    assert wait_until(lambda: shared_server.values("hello.world"), "hello.world") == [42.0]


def test_carbon_over_tcp_lands_in_the_slot_of_its_timestamp(shared_server: Server) -> None:
    slot = int(time.time()) // 10 * 10 - 60
    shared_server.send(f"tcp.level 1.5 {slot}", f"tcp.level 2.5 {slot + 9}", f"tcp.level 4 {slot + 10}")
    assert shared_server.render("tcp.level")["tcp.level"] == {slot: 2.5, slot + 10: 4.0}
    assert shared_server.render("stat(tcp.level,'min')").popitem()[1] == {slot: 1.5, slot + 10: 4.0}


def test_carbon_over_a_unix_socket(shared_server: Server) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(shared_server.doors["carbon unix"])
        connection.sendall(f"unix.level 7 {time.time()}\n".encode())
    assert wait_until(lambda: shared_server.values("unix.level"), "unix.level") == [7.0]


def test_pickled_frames_land_and_one_that_is_none_closes_only_its_own_connection(shared_server: Server) -> None:
    slot = int(time.time()) // 10 * 10 - 60
    door = ("127.0.0.1", shared_server.port("carbon-pickle tcp"))
    program = pickle.dumps([("pickled.level", (slot, 1.5)), ("pickled.other;host=a", (slot, 3))], protocol=2)
    with socket.create_connection(door) as good, socket.create_connection(door) as bad:
        bad.sendall(b"pickled.text 1 -1\n")
        assert bad.recv(1) == b"", "text at a door for frames was not refused"
        frame = struct.pack(">I", len(program)) + program
        good.sendall(frame[:7])
        good.sendall(frame[7:])
        assert wait_until(lambda: shared_server.values("pickled.level"), "pickled.level") == [1.5]
    assert shared_server.render("pickled.other;host=a").popitem()[1] == {slot: 3.0}


def test_opentsdb_lines_land_under_their_tags_and_the_sender_is_answered(shared_server: Server) -> None:
    slot = int(time.time()) // 10 * 10 - 60
    with socket.create_connection(("127.0.0.1", shared_server.port("opentsdb tcp")), timeout=30) as sender:
        answers = sender.makefile("rb")
        sender.sendall(b"version\n")
        assert answers.readline().startswith(b"tallystick ")
        sender.sendall(f"put tsd.level {slot} 1.5 host=b rack=a\nput tsd.level {slot}\nexit\n".encode())
        assert answers.read() == f"put: illegal argument: fields: put tsd.level {slot}\n".encode()
    assert shared_server.render("tsd.level;host=b;rack=a").popitem()[1] == {slot: 1.5}


def test_influx_lines_land_as_a_series_for_each_field(shared_server: Server) -> None:
    slot = int(time.time()) // 10 * 10 - 60
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        line = f"room,floor=2 warmth=21.5,people=3i {slot}000000000\nlight value=7 {slot}000000000"
        sender.sendto(line.encode(), ("127.0.0.1", shared_server.port("influx udp")))
    wait_until(lambda: shared_server.values("light"), "light")
    assert shared_server.render("room.warmth;floor=2").popitem()[1] == {slot: 21.5}
    assert shared_server.render("room.people;floor=2").popitem()[1] == {slot: 3.0}


def test_carbon_over_udp_with_several_lines_in_a_datagram(shared_server: Server) -> None:
    now = int(time.time())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(f"udp.one 1 {now}\nudp.two 2 {now}".encode(), ("127.0.0.1", shared_server.port("carbon udp")))
    assert wait_until(lambda: shared_server.values("udp.two"), "udp.two") == [2.0]
    assert shared_server.values("udp.one") == [1.0]


def test_statsd_over_a_unix_datagram_socket(shared_server: Server) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(shared_server.doors["statsd unixgram"])
        sender.send(b"unix.hits:3|c")
        sender.send(b"unix.hits:4|c\nunix.depth:9|g\n")
    wait_until(lambda: shared_server.values("unix.depth"), "unix.depth")
    assert sum(shared_server.values("unix.hits")) == 7.0


def test_tags_are_part_of_the_name_in_whatever_order_they_come(shared_server: Server) -> None:
    now = int(time.time())
    shared_server.send(f"tags.used;host=web1;disk=sda 5 {now}", f"tags.used;disk=sdb;host=web1 6 {now}")
    found = shared_server.render("seriesByTag('name=tags.used','host=web1')")
    assert {name: list(values.values()) for name, values in found.items()} == {
        "tags.used;disk=sda;host=web1": [5.0],
        "tags.used;disk=sdb;host=web1": [6.0],
    }


def test_a_sender_that_writes_byte_by_byte_is_understood(shared_server: Server) -> None:
    line = f"slow.level 11 {int(time.time())}\n".encode()
    with shared_server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for k in range(len(line)):
            connection.sendall(line[k : k + 1])
        assert wait_until(lambda: shared_server.values("slow.level"), "slow.level") == [11.0]


def test_names_are_found_as_a_tree(shared_server: Server) -> None:
    shared_server.send_now("tree.web1.cpu", 1)
    shared_server.send_now("tree.web2.cpu", 1)
    assert [node["text"] for node in shared_server.get("/metrics/find", query="tree.*")] == ["web1", "web2"]
    assert re.fullmatch(r"\d+(\.\d+)+", shared_server.get("/healthz")["version"])
