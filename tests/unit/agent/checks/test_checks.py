"""Each check against something real: what is up, and each reason why something is down."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answering import Authority, answered, dns, http, page, serving

from tallystick.agent import Host
from tallystick.agent.checks import CheckError, Limits
from tallystick.agent.checks.registry import registered_checks, watching
from tallystick.agent.collecting.runner import Change, Runner
from tallystick.agent.collecting.tells import line_of
from tallystick.config import Check as CheckConfig
from tallystick.config.validate import convert
from tallystick.model.clock import ManualClock, SystemClock
from tallystick.model.errors import ConfigError

DAY_S = 86400


def look(
    kind: str, *, clock: ManualClock | SystemClock | None = None, limit_s: float = 5, **keys: Any
) -> dict[str, float]:
    """What a look yields; raises if it is down."""
    one = registered_checks()[kind]
    settings, problems = convert(keys, one.settings)
    assert settings is not None, problems
    made = one.looks(settings, Host(), clock or SystemClock(), Limits(limit_s))
    told = {point.name: point.value for point in made.look()}
    assert not [name for name in told if not line_of(name, made.TELLS)]
    return told


def down(kind: str, **keys: Any) -> str:
    with pytest.raises(CheckError) as caught:
        look(kind, **keys)
    return str(caught.value)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_a_page_that_answers_is_up_and_tells_where_its_time_goes() -> None:
    with serving(http(page(b"all is fine"))) as port:
        told = look("http", url=f"http://127.0.0.1:{port}/health?x=1", body="fine$")
    assert (told["status"], told["body_bytes"]) == (200, 11)
    parts = told["dns_s"] + told["connect_s"] + told["first_byte_s"]
    assert 0 < parts <= told["seconds"] + 0.001


def test_a_page_is_down_for_its_status_its_text_its_form_and_its_silence(deserted_port: int) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.recv(4096)  # until who asks has had enough

    with serving(http(page(b"away", "503 Service Unavailable"))) as port:
        url = f"http://127.0.0.1:{port}/"
        assert down("http", url=url) == "status: 503; expected 200"
        assert look("http", url=url, status=[200, 503])["status"] == 503
        assert down("http", url=url, status=[503], body="fine") == "body: 'away' ...; expected fine"
    assert down("http", url=f"http://127.0.0.1:{deserted_port}/").startswith("connect: 127.0.0.1 port")
    with serving(lambda connection: connection.sendall(b"SSH-2.0-x\r\n\r\n")) as port:
        assert down("http", url=f"http://127.0.0.1:{port}/").startswith("protocol: ")
    with serving(silent) as port:
        assert down("http", url=f"http://127.0.0.1:{port}/", limit_s=0.2).startswith("timeout: ")
    with serving(http(page(b"x" * 5000))) as port:
        assert "longer than 1024 bytes" in down("http", url=f"http://127.0.0.1:{port}/", bytes_max=1024)


def test_redirects_are_followed_so_far_and_not_to_files() -> None:
    def moved(to: str) -> bytes:
        return page(b"", "302 Found", f"Location: {to}")

    with serving(http(moved("/a"), moved("b"), page(b"there"))) as port:
        assert look("http", url=f"http://127.0.0.1:{port}/", body="there")["status"] == 200
    with serving(http(moved("/again"))) as port:
        url = f"http://127.0.0.1:{port}/"
        assert down("http", url=url, redirects_max=3).startswith("redirects: more than 3")
        assert look("http", url=url, redirects_max=0, status=[302])["status"] == 302
    with serving(http(moved("file:///etc/passwd"))) as port:
        assert down("http", url=f"http://127.0.0.1:{port}/").startswith("redirects: ")


def test_a_certificate_is_checked_and_its_last_days_are_told(authority: Authority) -> None:
    with serving(http(page(b"fine")), authority.context(10)) as port:
        url, ca_file = f"https://127.0.0.1:{port}/", str(authority.file)
        told = look("http", url=url, ca_file=ca_file)
        assert told["certificate_days"] == pytest.approx(10, abs=0.1)
        assert told["tls_s"] > 0
        assert down("http", url=url, ca_file=ca_file, certificate_days_min=14).startswith("certificate: expires in ")
        later = ManualClock(time.time() + 9.5 * DAY_S)
        assert look("http", url=url, ca_file=ca_file, clock=later)["certificate_days"] == pytest.approx(0.5, abs=0.1)
        assert down("http", url=url).startswith("tls: "), "nobody vouches for it"
    with serving(http(page(b"fine")), authority.context(-1)) as port:
        assert "expired" in down("http", url=f"https://127.0.0.1:{port}/", ca_file=ca_file)


def test_a_port_is_up_if_it_takes_a_connection_and_says_what_it_should(deserted_port: int) -> None:
    def mail(connection: socket.socket) -> None:
        connection.sendall(b"220 mail.example.org ESMTP\r\n")
        if connection.recv(100) == b"PING\r\n":
            connection.sendall(b"PONG\r\n")

    with serving(mail) as port:
        address = f"tcp://127.0.0.1:{port}"
        assert look("tcp", address=address).keys() == {"connect_s", "seconds"}
        look("tcp", address=address, expect="^220 ")
        look("tcp", address=address, send="PING\r\n", expect="PONG")
        assert down("tcp", address=address, send="X\r\n", expect="PONG").startswith("answer: it says b'220 mail")
    assert down("tcp", address=f"tcp://127.0.0.1:{deserted_port}").startswith("connect: ")
    assert down("tcp", address="tcp://no.such.host.invalid:1").startswith("dns: no.such.host.invalid is not known")


def test_a_port_that_says_nothing_is_down_in_time() -> None:
    with serving(lambda connection: bool(connection.recv(1))) as port:
        assert down("tcp", address=f"tcp://127.0.0.1:{port}", expect="x", limit_s=0.1).startswith("timeout: ")


ADDRESS = socket.inet_aton("192.0.2.7")


def test_a_name_resolves_to_what_is_expected() -> None:
    def answer(asked: bytes, by_stream: bool) -> bytes:
        mail = b"\0\x0a\4mail\xc0\x0c"
        return answered(asked, [(1, ADDRESS), (1, socket.inet_aton("192.0.2.8")), (15, mail), (16, b"\5v=one\4 two")])

    with dns(answer) as port:
        server = f"127.0.0.1:{port}"
        assert look("dns", query="shop.example.org", server=server, expect=["192.0.2.7"])["answers"] == 2
        look("dns", query="shop.example.org", server=server, type="MX", expect=["MAIL.shop.example.org."])
        look("dns", query="shop.example.org", server=server, type="TXT", expect=["v=one two"])
        assert down("dns", query="a.org", server=server, expect=["192.0.2.9"]) == (
            "answer: 192.0.2.7, 192.0.2.8 without 192.0.2.9"
        )
        assert down("dns", query="a.org", server=server, type="AAAA") == "dns: a.org has no AAAA"
    assert look("dns", query="localhost")["answers"] == 1


def test_a_name_is_asked_for_by_a_stream_if_the_answer_is_too_long() -> None:
    with dns(
        lambda asked, by_stream: answered(asked, [(1, ADDRESS)] * 40 if by_stream else [], cut=not by_stream)
    ) as port:
        assert look("dns", query="shop.example.org", server=f"127.0.0.1:{port}")["answers"] == 40


def test_a_lost_datagram_is_asked_for_again_and_another_answer_is_not_believed() -> None:
    seen: list[bytes] = []

    def answer(asked: bytes, by_stream: bool) -> bytes | None:
        seen.append(asked)
        other = bytes((asked[0] ^ 1, asked[1])) + asked[2:]
        return None if len(seen) == 1 else answered(asked if len(seen) > 1 else other, [(1, ADDRESS)])

    with dns(answer) as port:
        assert look("dns", query="shop.example.org", server=f"127.0.0.1:{port}", limit_s=1)["answers"] == 1
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (lambda asked: answered(asked, [], code=3), "there is no such name"),
        (lambda asked: answered(asked, [], code=2), "it failed"),
        (lambda asked: asked[:2] + b"\x81\x80", "timeout"),
        (lambda asked: asked, "something else"),
        (lambda asked: answered(asked, [(1, ADDRESS)])[:-6], "protocol"),
        (lambda asked: answered(asked, [(1, b"abc")]), "an address has 3 bytes"),
        (lambda asked: answered(asked, [(5, b"\xc0\x2a" * 2)] * 1)[:-4] + b"\xc0\x21\xc0\x21", "protocol"),
    ],
)
def test_an_answer_of_dns_that_is_no_good_is_down_with_a_reason(said: Any, expected: str) -> None:
    kind = "CNAME" if expected == "protocol" else "A"
    with dns(lambda asked, by_stream: said(asked)) as port:
        text = down("dns", query="ab.example.org", server=f"127.0.0.1:{port}", limit_s=0.3, type=kind)
    assert expected in text or text.startswith("dns: ab.example.org has no CNAME")


def test_a_host_that_may_not_be_pinged_says_what_is_missing_and_others_answer(tmp_path: Path) -> None:
    script = tmp_path / "ping.py"
    script.write_text(
        "from tallystick.agent import Host\n"
        "from tallystick.agent.checks import CheckError, Limits\n"
        "from tallystick.agent.checks.ping import Ping, Settings\n"
        "from tallystick.model.clock import SystemClock\n"
        "import sys\n"
        "try:\n"
        "    for point in Ping(Settings(host=sys.argv[1]), Host(), SystemClock(), Limits(2.0)).look():\n"
        "        print(point.name, point.value)\n"
        "except CheckError as error:\n"
        "    print(error)\n"
    )

    def pinged(host: str, prepare: str) -> str:
        """In a network of its own, so that the machine's settings stay as they are."""
        shell = f'ip link set lo up && {prepare} && exec "$@"'
        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", shell, "sh", sys.executable, script, host],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        return done.stdout + done.stderr

    allowed = "echo '0 0' > /proc/sys/net/ipv4/ping_group_range"
    told = dict(line.split() for line in pinged("127.0.0.1", allowed).splitlines())
    assert told.keys() == {"lost_percent", "seconds", "seconds_max"}
    assert float(told["lost_percent"]) == 0
    assert pinged("192.0.2.1", allowed).startswith("unreachable: 192.0.2.1: ")
    refused = pinged("127.0.0.1", "true")
    assert refused.startswith("permission: the kernel does not let this user ping; expected its group"), refused


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "64321"]) as process:
        yield process
        process.kill()


def test_a_program_is_up_if_as_many_of_it_run_as_should(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert look("process", match="^sleep 64321$") == {"count": 1}
    assert look("process", program="sleep")["count"] >= 1
    assert down("process", match="^sleep 64321$", count_min=2) == "missing: 1 processes of ^sleep 64321$; expected 2"
    assert down("process", match=".", count_max=1).startswith("many: ")
    pidfile = tmp_path / "sleep.pid"
    assert down("process", pidfile=str(pidfile)).startswith("pidfile: ")
    pidfile.write_text(f"{sleeper.pid}\n")
    assert look("process", pidfile=str(pidfile)) == {"count": 1}
    sleeper.kill()
    sleeper.wait()
    assert down("process", pidfile=str(pidfile)).startswith("missing: 0 processes of")


def test_a_file_is_up_if_it_is_new_enough_and_of_the_right_size(tmp_path: Path) -> None:
    file = tmp_path / "backup-1.tar"
    path, clock = str(tmp_path / "backup-*.tar"), ManualClock(time.time())
    assert down("file", path=path).startswith("missing: ")
    assert look("file", path=path, exists=False) == {"files": 0}
    file.write_bytes(b"x" * 100)
    assert look("file", path=path, age_s_max=3600, bytes_min=100, bytes_max=100)["bytes"] == 100
    assert down("file", path=path, exists=False).startswith("there: ")
    assert down("file", path=path, bytes_min=101).startswith("size: ")
    assert down("file", path=path, bytes_max=99).startswith("size: ")
    clock.advance(2 * DAY_S)
    assert look("file", path=path, clock=clock)["age_s"] == pytest.approx(2 * DAY_S, abs=60)
    assert down("file", path=path, clock=clock, age_s_max=DAY_S).startswith("old: ")
    (tmp_path / "backup-2.tar").write_bytes(b"new")
    os.utime(tmp_path / "backup-2.tar", (clock.now(), clock.now()))
    assert look("file", path=path, clock=clock, age_s_max=DAY_S) == {"files": 2, "age_s": 0, "bytes": 3}


def test_what_goes_down_is_told_once_counted_and_an_event_and_so_is_its_return(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, clock = tmp_path / "beat", ManualClock()
    changes: list[Change] = []
    seen: dict[str, float] = {}
    jobs = watching([CheckConfig(name="beat", kind="file", further={"path": str(file)})], Host(), clock)
    runner = Runner(
        jobs,
        clock,
        lambda points, _: seen.update({point.name: point.value for point in points}),
        "x.",
        when_changed=changes.append,
    )
    caplog.set_level("INFO")
    for beats in (True, False, False, True):
        file.write_text("") if beats else file.unlink(missing_ok=True)
        clock.advance(30)
        runner.look_at_everything()
        assert seen.pop("x.checks.beat.up") == beats
        assert ("x.checks.beat.failed.missing" in seen) is not beats
        seen.clear()
    why = f"missing: {file} is not there"
    assert [(change.name, change.down) for change in changes] == [("checks.beat", why), ("checks.beat", "")]
    assert caplog.messages == [f"checks.beat is down: {why}", "checks.beat is up again"]


def test_all_that_is_wrong_with_checks_is_told_at_once() -> None:
    items = [CheckConfig(name="a", kind="http", further={"url": "x", "zebra": 1}), CheckConfig(name="b", kind="smtp")]
    with pytest.raises(ConfigError) as caught:
        watching(items, Host(), SystemClock())
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "cannot use key zebra of check a",
        "cannot use key url of check a",
        "cannot check b",
    ]
