"""Services that answer nonsense, too much, too slowly or nothing: real sockets, and each collector that asks one."""

import contextlib
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from certificates import self_signed
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.stream import Stream, trusting
from tallystick.agent.services.web import ask
from tallystick.model.address import Address
from watched import Watched

Serve = Callable[[socket.socket], None]
ASKED = {
    "apache": lambda port: {"url": f"http://127.0.0.1:{port}/server-status?auto"},
    "haproxy": lambda port: {"address": f"tcp://127.0.0.1:{port}"},
    "jmx": lambda port: {"url": f"http://127.0.0.1:{port}/jolokia/"},
    "memcached": lambda port: {"address": f"tcp://127.0.0.1:{port}", "counters": ["a"], "slabs": True},
    "mysql": lambda port: {"address": f"tcp://127.0.0.1:{port}", "user": "u", "password_env": "SOME_PASSWORD"},
    "nginx": lambda port: {"url": f"http://127.0.0.1:{port}/nginx_status"},
    "postgresql": lambda port: {"address": f"tcp://127.0.0.1:{port}", "user": "u", "password_env": "SOME_PASSWORD"},
    "prometheus": lambda port: {"url": f"http://127.0.0.1:{port}/metrics"},
    "redis": lambda port: {"address": f"tcp://127.0.0.1:{port}", "password_env": "SOME_PASSWORD"},
}
SECRET = "open-sesame-4711"
PLAUSIBLE = {
    "http": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "mysql": b"\x4a\x00\x00\x00\x0a8.0.36\0" + bytes(8) + b"saltsalt\0" + bytes(13) + b"\x15" + bytes(40),
    "postgresql": b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\0\0",
    "redis": b"$999999999\r\n",
    "memcached": b"STAT uptime 5\r\nEND\r\n",
}


def hear(name: str, connection: socket.socket) -> None:
    """The question, unless it is a server that speaks first."""
    if name != "mysql":
        connection.recv(100)


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_PASSWORD", SECRET)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def serving() -> Iterator[Callable[[Serve], int]]:
    """Serves each connection by a function, until the test is over; gives the port."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket, serve: Serve) -> None:
        with connection, contextlib.suppress(OSError):  # the other end has had enough
            serve(connection)

    def accept(listener: socket.socket, serve: Serve) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            threads.append(threading.Thread(target=handle, args=(connection, serve)))
            threads[-1].start()

    def start(serve: Serve) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threads.append(threading.Thread(target=accept, args=(listener, serve)))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(20)


@pytest.mark.parametrize("name", sorted(ASKED))
def test_whatever_a_service_answers_is_a_failed_look_and_no_more(name: str, serving: Callable[[Serve], int]) -> None:
    dice = random.Random(name)

    def nonsense(connection: socket.socket) -> None:
        hear(name, connection)
        begin = dice.choice([b"", *PLAUSIBLE.values()])
        connection.sendall(begin + dice.randbytes(dice.choice((0, 1, 50, 5000))))

    port = serving(nonsense)
    watched = Watched(name, **ASKED[name](port), timeout_s=3)
    for _ in range(25):
        seen = watched.look()
        assert seen["up"] == 0 or name == "prometheus", seen
        assert SECRET not in watched.cause


@pytest.mark.parametrize("name", sorted(ASKED))
def test_an_answer_without_end_is_cut_off(name: str, serving: Callable[[Serve], int]) -> None:
    beginning = PLAUSIBLE.get(name, PLAUSIBLE["http"] if "url" in ASKED[name](1) else b"")

    def endless(connection: socket.socket) -> None:
        hear(name, connection)
        connection.sendall(beginning)
        while True:
            connection.sendall(b"fffff\r\n" + b"x" * 100_000)

    watched = Watched(name, **ASKED[name](serving(endless)), timeout_s=10)
    assert watched.look()["up"] == 0
    assert "no end within" not in watched.cause and "no answer within" not in watched.cause, "bytes end it, not time"


def test_a_service_that_says_a_byte_now_and_then_is_given_up_in_time(serving: Callable[[Serve], int]) -> None:
    stopped = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not stopped.wait(0.05):
            connection.sendall(b"x")

    port = serving(drip)
    with Stream(Address("tcp", "127.0.0.1", port), 0.5) as stream, pytest.raises(ServiceError, match=r"within 0\.5 s"):
        stream.until(b"end", 1 << 20)
    with pytest.raises(ServiceError, match=r"within 0\.5 s"):
        ask(f"http://127.0.0.1:{port}/", 0.5)
    stopped.set()


def test_a_silent_service_is_down_and_holds_up_nobody(serving: Callable[[Serve], int]) -> None:
    silent = threading.Event()
    port = serving(lambda connection: silent.wait(20) and None)
    watched = Watched("redis", address=f"tcp://127.0.0.1:{port}", timeout_s=1)
    assert watched.look() == {"up": 0}
    silent.set()


def test_a_server_that_says_yes_to_everybody_is_not_believed(serving: Callable[[Serve], int]) -> None:
    def yes(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(PLAUSIBLE["postgresql"])
        connection.recv(1000)
        connection.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x00")

    watched = Watched("postgresql", **ASKED["postgresql"](serving(yes)))
    assert watched.look() == {"up": 0} and "says yes before it proved" in watched.cause


def test_a_server_may_not_make_us_work_for_long(serving: Callable[[Serve], int]) -> None:
    def greedy(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(PLAUSIBLE["postgresql"])
        nonce = connection.recv(1000).partition(b"r=")[2]
        challenge = b"r=" + nonce + b"x,s=c2FsdA==,i=2000000000"
        connection.sendall(b"R" + (8 + len(challenge)).to_bytes(4, "big") + b"\x00\x00\x00\x0b" + challenge)

    watched = Watched("postgresql", **ASKED["postgresql"](serving(greedy)))
    assert watched.look() == {"up": 0} and "wants 2000000000 rounds" in watched.cause


def test_a_redirect_is_not_followed_and_an_error_is_told(serving: Callable[[Serve], int]) -> None:
    def elsewhere(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")

    watched = Watched("nginx", **ASKED["nginx"](serving(elsewhere)))
    assert watched.look() == {"up": 0} and "answers 302" in watched.cause


def test_certificates_are_read_again_only_if_they_were_written_anew(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    first = trusting(str(certificate))
    assert trusting(str(certificate)) is first
    self_signed(tmp_path)
    os.utime(certificate, ns=(1, 1))
    assert trusting(str(certificate)) is not first
    with pytest.raises(ServiceError, match="expected certificates"):
        trusting(str(tmp_path / "none"))
    certificate.write_text("no certificate")
    with pytest.raises(ServiceError, match="expected certificates"):
        trusting(str(certificate))
