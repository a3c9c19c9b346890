"""Commands in this process, with real sockets where they send."""

import json
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tallystick.cli import query
from tallystick.cli.query import sparkline
from tallystick.cli.verbs import verbs
from tallystick.config import parse, sample

COMMANDS = [
    "serve",
    "demo",
    "agent",
    "send",
    "run",
    "logs",
    "query",
    "ledger",
    "block",
    "unblock",
    "cardinality",
    "rules",
    "tail",
    "poll",
    "store",
    "check",
    "config",
    "compile",
]


def invoke(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(verbs, arguments, input=stdin)


def test_the_help_names_every_command_with_one_whole_sentence() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    commands = result.stdout.partition("Commands:")[2].strip().splitlines()
    assert [line.split()[0] for line in commands] == COMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for line in commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_teaches_with_an_example(command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"tallystick {command} " in result.stdout.partition("\n")[2]


def test_the_sample_is_a_config() -> None:
    result = invoke("config", "sample")
    assert result.exit_code == 0
    assert parse(result.stdout, "sample") == parse(sample(), "sample")


def test_a_good_config_is_told_in_short(tmp_path: Path) -> None:
    file = tmp_path / "good.toml"
    file.write_text("[http]\naddress = '127.0.0.1:1'\n")
    result = invoke("check", "config", str(file))
    assert result.exit_code == 0
    assert "good.toml is fine." in result.stdout
    assert "http on 127.0.0.1:1" in result.stdout


def test_all_problems_of_a_config_are_told_with_status_3(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("[store]\ndirectry = '/x'\nseries_max = 0\n")
    for command in (["check", "config"], ["serve", "--config"], ["agent", "--config"]):
        result = invoke(*command, str(file))
        assert result.exit_code == 3
        first, second = result.stderr.splitlines()
        assert first.endswith("bad.toml line 2: there is no such key; did you mean directory?")
        assert second.endswith("bad.toml line 3: it is 0; expected an integer >= 1")


def test_an_agent_prints_what_it_would_send(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('[agent]\ndiscover = false\n[[collectors]]\nname = "cpu"\n')
    result = invoke("agent", "--print", "--config", str(file))
    assert result.exit_code == 0
    assert all(len(line.split()) == 3 for line in result.stdout.splitlines())
    assert ".cpu.user " in result.stdout


def test_an_agent_that_collects_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    file.write_text("[agent]\ndiscover = false\ndoors = []\n")
    result = invoke("agent", "--config", str(file))
    assert result.exit_code == 3
    assert "nothing is made here; expected [[collectors]]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a.b", "3"], "a.b:3.0|g"),
        (["a.b", "-3"], "a.b:0|g\na.b:-3.0|g"),
        (["a.b", "1", "--counter"], "a.b:1.0|c"),
        (["a.b", "2.5", "--aggregate"], "a.b:2.5|ms"),
        (["--timing", "a.b", "2.5"], "a.b:2.5|ms"),
    ],
)
def test_send_speaks_statsd(arguments: list[str], expected: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(20)
        result = invoke("send", *arguments, "--to", f"udp://127.0.0.1:{door.getsockname()[1]}")
        assert result.exit_code == 0, result.output
        assert door.recv(65536).decode() == expected


def test_send_speaks_carbon_to_a_tcp_address() -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as stream:
                received.extend(stream)

        server = threading.Thread(target=serve)
        server.start()
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        assert invoke("send", "-", "--to", address, stdin="a 1\n\nb.c;host=x 2e3\n").exit_code == 0
        server.join(20)
    assert [line.split()[:2] for line in received] == [[b"a", b"1.0"], [b"b.c;host=x", b"2000.0"]]


def test_a_line_that_cannot_be_sent_costs_only_itself() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(20)
        lines = "good 1\nbad\nb:d 1\nnan nan\nworse x\nbetter 2\n"
        result = invoke("send", "-", "--to", f"udp://127.0.0.1:{door.getsockname()[1]}", stdin=lines)
        assert door.recv(65536) == b"good:1.0|g\nbetter:2.0|g"
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "cannot send 'bad'",
        "cannot send 'b",
        "cannot send 'nan nan'",
        "cannot send 'worse x'",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["a"],
        ["-", "1"],
        ["a", "1", "--to", "nowhere"],
        ["a", "1", "--counter", "--to", "tcp://127.0.0.1:1"],
        ["a", "1", "--tag", "b"],
        ["a", "1", "--event"],
        ["a", "--event", "--to", "tcp://127.0.0.1:8125"],
    ],
)
def test_wrong_usage_of_send_has_status_2(arguments: list[str]) -> None:
    assert invoke("send", *arguments).exit_code == 2


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_a_server_that_is_not_there_is_told(scheme: str) -> None:
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    result = invoke("send", "a", "1", "--to", f"{scheme}://127.0.0.1:{port}")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"cannot send to {scheme}://127.0.0.1:{port}: ")


def test_an_event_is_posted_to_the_server(answering: Callable[[int, str], tuple[str, list[str]]]) -> None:
    server, asked = answering(200, "{}")
    words = ["deployed shop", "--event", "--tag", "a", "--tag", "b", "--data", "x", "--to", server, "--token", "secret"]
    assert invoke("send", *words).exit_code == 0
    assert asked == ["/api/events Bearer secret"]


@pytest.fixture
def answering() -> "Callable[[int, str], tuple[str, list[str]]]":
    """Starts an HTTP server that gives one answer; returns its address and the list of what it is asked."""

    def start(status: int, body: str) -> tuple[str, list[str]]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(f"{self.path} {self.headers.get('Authorization')}")
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body.encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=lambda: (server.handle_request(), server.server_close()), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}", asked

    return start


def test_a_query_is_shown_with_its_course_and_figures(answering: Callable[[int, str], tuple[str, list[str]]]) -> None:
    server, asked = answering(200, '[{"target": "a[b]", "datapoints": [[1, 0], [null, 10], [3000, 20]]}]')
    result = invoke("query", "a*b", "--from", "-2h", "--server", server, "--token", "secret")
    assert result.exit_code == 0
    assert asked == ["/render?target=a%2Ab&from=-2h&until=now&format=json Bearer secret"]
    assert result.stdout.splitlines()[1].split() == ["a[b]", "▁", "█", "3.00k", "1", "3.00k", "1.50k"]


def test_a_long_name_stays_whole_on_a_narrow_terminal(
    answering: Callable[[int, str], tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    points = [[1234567.5 + i, i] for i in range(360)]
    server, _ = answering(200, json.dumps([{"target": "hosts.web1.cpu.iowait.pct", "datapoints": points}]))
    assert "\nhosts.web1.cpu.iowait.pct " in invoke("query", "a", "--server", server).stdout


def test_other_formats_are_passed_on_as_they_come(answering: Callable[[int, str], tuple[str, list[str]]]) -> None:
    server, _ = answering(200, "a,2023-11-14 22:13:20,1\r\n")
    assert invoke("query", "a", "--format", "csv", "--server", server).stdout == "a,2023-11-14 22:13:20,1\n"


def test_a_refused_query_is_told_in_the_words_of_the_server(
    answering: Callable[[int, str], tuple[str, list[str]]],
) -> None:
    server, _ = answering(400, '{"error": "cannot read target \'a(\': it ends too early; expected )"}')
    result = invoke("query", "a(", "--server", server)
    assert result.exit_code == 1
    assert result.stderr == "cannot read target 'a(': it ends too early; expected )\n"


HOSTILE = "[/foo].\x1b[31m\x9b31m\u202e"
SHOWN = r"[/foo].\x1b[31m\x9b31m\u202e"
COUNTS = dict.fromkeys(("received", "stored", "late", "in_flight", "kernel_drops", "queue_drops"), 1) | {"rejected": {}}
SEEN = {"time_s": 0, "name": HOSTILE, "value": 1, "weight": 1, "kind": "gauge", "source": "s", "peer": HOSTILE}
OFFENDER = {"at": 0, "source": "s", "peer": HOSTILE, "reason": "value", "text": HOSTILE}


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["ledger", "--source", "s"], {"sources": [], "prefixes": [COUNTS | {"prefix": HOSTILE}]}),
        (["ledger"], {"sources": [COUNTS | {"source": "s", "peers": [COUNTS | {"peer": HOSTILE}]}]}),
        (["ledger", "--rejected", "any"], {"offenders": [OFFENDER]}),
        (["tail", "*", "--count", "1"], SEEN),
        (["query", "*"], [{"target": HOSTILE, "datapoints": [[1, 0]]}]),
    ],
)
def test_a_name_of_markup_and_escapes_is_shown_as_text(
    arguments: list[str],
    answer: object,
    answering: Callable[[int, str], tuple[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    server, _ = answering(200, json.dumps(answer))
    result = invoke(*arguments, "--server", server)
    assert result.exit_code == 0, result.output
    assert SHOWN in result.stdout


def test_a_table_tells_its_range_and_breaks_no_name(tmp_path: Path) -> None:
    names = [f"prod.app.host{k}.{'long' * 20}" for k in range(2)]
    series = [{"target": name, "datapoints": [(float(k), 600 + 60 * k) for k in range(9)]} for name in names]
    file = tmp_path / "table.txt"
    with file.open("w", encoding="utf-8") as out:
        query.print_table(series, out)
    heading, *rows, told = file.read_text(encoding="utf-8").splitlines()
    assert heading.split() == ["series", "last", "min", "max", "avg"]
    assert [row.split() for row in rows] == [[name, "▁▂▃▄▅▅▆█", "8", "0", "8", "4"] for name in names]
    assert told == "00:10:00 to 00:18:00 UTC, 9 slots of 1 minute"


def test_a_sparkline_keeps_gaps_and_peaks() -> None:
    assert sparkline([0.0, None, 7.0]) == "▁ █"
    assert sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([None, None]) == "  "
    assert sparkline([]) == ""
    peak = [0.0] * 1000
    peak[503] = 1.0
    assert sparkline(peak).count("█") == 1


def test_a_unit_runs_the_agent_that_prints_it_with_the_file_that_it_is_given(tmp_path: Path) -> None:
    result = invoke("agent", "unit", "--config", str(tmp_path / "my.toml"))
    assert result.exit_code == 0
    start = next(line for line in result.stdout.splitlines() if line.startswith("ExecStart="))
    program, *arguments = start.removeprefix("ExecStart=").split()
    assert Path(program).is_absolute() and Path(program).name == "tallystick"
    assert arguments == ["agent", "--config", str(tmp_path / "my.toml")]


def test_a_configuration_of_an_agent_is_tried_out(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    spool = tmp_path / "spool"
    text = f'[agent]\ndiscover = false\ndoors = []\nspool = "{spool}"\nservers = ["tcp://127.0.0.1:1"]\n'
    file.write_text(text + '[[collectors]]\nname = "load"\n')
    result = invoke("agent", "test", "--config", str(file))
    rows = {tuple(line.split()[:3]) for line in result.stdout.splitlines()}
    assert {("ok", "collector", "load"), ("ok", "spool", str(spool)), ("BAD", "server", "tcp://127.0.0.1:1")} <= rows
    assert result.exit_code == 1
    file.write_text('[[collectors]]\nname = "load"\nzebra = 1\n')
    result = invoke("agent", "test", "--config", str(file))
    assert result.exit_code == 3
    assert "cannot use key collectors[0].zebra" in result.stderr
