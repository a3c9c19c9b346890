"""Programs with sensors and a real server: what they counted is what is stored, and what was lost is known."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hearing import PLACE
from ports import free_port
from servers import START_S_MAX, TALLYSTICK, Server, running_server, wait_until

pytestmark = pytest.mark.timeout(START_S_MAX + 240)

NATIVE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:0"
"""
Program = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("sensors"), NATIVE) as started:
        yield started


@pytest.fixture
def program(server: Server) -> Iterator[Program]:
    """Begins a program that sends to the server, and is told what to do on its standard input."""
    begun: list[subprocess.Popen[str]] = []

    def begin(app: str, text: str, **environ: str) -> "subprocess.Popen[str]":
        own = PLACE | {"TALLYSTICK_APP": app, "TALLYSTICK_AGENT": f"tcp://127.0.0.1:{server.port('native tcp')}"}
        process = subprocess.Popen(
            [sys.executable, "-c", f"import os, sys, threading, time\nfrom tallystick import sensors\n{text}"],
            env=os.environ | own | environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        with process:
            process.kill()


def total(server: Server, target: str) -> float:
    return sum(sum(values.values()) for values in server.render(target).values())


def test_what_threads_and_processes_counted_is_what_is_stored(server: Server, program: Program) -> None:
    process = program(
        "crowd",
        """
def work(times):
    for k in range(times):
        sensors.counter("hits", thread=k % 3).increment()
        sensors.timing("took").observe(k / 1000)
        sensors.distinct("users").add(k)
        sensors.gauge("level").set(k)
for _ in range(4):
    child = os.fork()
    if child == 0:
        threads = [threading.Thread(target=work, args=(2500,)) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        os._exit(not sensors.flush(60))
    work(5000)
assert all(os.wait()[1] == 0 for _ in range(4))
""",
    )
    assert process.wait(120) == 0
    hits = 4 * 4 * 2500 + 4 * 5000
    assert total(server, "sumSeries(dev.apps.crowd.hits)") in (0.0, hits)  # a name with tags is found by them
    assert total(server, "seriesByTag('name=dev.apps.crowd.hits')") == hits
    assert total(server, "seriesByTag('name=dev.hosts.web.web1.crowd.hits')") == hits
    assert total(server, "stat(dev.apps.crowd.took,'count')") == hits
    assert total(server, "stat(dev.apps.crowd.took,'max')") >= 4.999
    assert max(server.values("dev.apps.crowd.users")) == pytest.approx(5000, rel=0.05)
    assert server.values("dev.hosts.web.web1.crowd.level")[-1] in (2499.0, 4999.0)
    assert server.values("dev.apps.crowd.level") == []


def test_a_percentile_over_hosts_is_that_of_all_samples(server: Server, program: Program) -> None:
    text = "for k in range({first}, 1000, 2): sensors.timing('took').observe((k + 1) / 1000)"
    programs = [program("spread", text.format(first=first), TALLYSTICK_HOST=f"web{first}") for first in range(2)]
    assert [process.wait(60) for process in programs] == [0, 0]
    found = server.values("percentile(dev.apps.spread.took, 95, '1h')")
    if len(found) == 1:  # no hour has ended meanwhile
        assert found == [pytest.approx(0.95, rel=0.02)]
    assert total(server, "stat(dev.apps.spread.took,'count')") == 1000


def test_what_is_counted_while_the_server_is_away_arrives_and_counts_once(
    server: Server, program: Program, tmp_path: Path
) -> None:
    process = program(
        "patient",
        """
hits = sensors.counter("hits")
for line in sys.stdin:
    hits.increment(int(line))
    print(sensors.flush(0.2), flush=True)
""",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    heard = []
    for number in range(1, 31):
        if number == 10:
            server.kill()
        if number == 20:
            server.start()
        process.stdin.write(f"{number}\n")
        process.stdin.flush()
        heard.append(process.stdout.readline().strip() == "True")
    assert not all(heard)
    wait_until(
        lambda: total(server, "dev.apps.patient.hits") == sum(range(31)),
        "everything",
        lambda: total(server, "dev.apps.patient.hits"),
        wait_s=90,
    )
    process.stdin.close()
    assert process.wait(60) == 0
    assert total(server, "dev.apps.patient.hits") == sum(range(31))


def test_an_agent_between_that_is_killed_costs_nothing(server: Server, program: Program, tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "agent.toml"
    config.write_text(
        f"""
[agent]
servers = ["tcp://127.0.0.1:{server.port("native tcp")}"]
spool = "{tmp_path}/spool"
[[agent.doors]]
protocol = "native"
address = "tcp://127.0.0.1:{port}"
"""
    )
    agents: list[subprocess.Popen[bytes]] = []

    def begin_agent() -> None:
        with (tmp_path / "agent.log").open("ab") as log:
            command = [*TALLYSTICK, "agent", "--config", str(config)]
            agents.append(subprocess.Popen(command, stdout=log, stderr=log))

    begin_agent()
    process = program(
        "relayed",
        """
hits = sensors.counter("hits")
for line in sys.stdin:
    hits.increment(int(line))
    print(sensors.flush(1), flush=True)
while not sensors.flush(20): pass
""",
        TALLYSTICK_AGENT=f"tcp://127.0.0.1:{port}",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for number in range(1, 13):
            if number in (4, 8):
                agents[-1].kill()
                agents[-1].wait(10)
                begin_agent()
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            process.stdout.readline()
        process.stdin.close()
        assert process.wait(90) == 0
        wait_until(
            lambda: total(server, "dev.apps.relayed.hits") >= sum(range(13)),
            "everything",
            lambda: (total(server, "dev.apps.relayed.hits"), (tmp_path / "agent.log").read_text()),
            wait_s=60,
        )
        agents[-1].terminate()
        agents[-1].wait(30)
    finally:
        for agent in agents:
            agent.kill()
            agent.wait(10)
    assert total(server, "dev.apps.relayed.hits") == sum(range(13))


def test_a_program_that_is_killed_loses_at_most_what_it_counted_since_the_last_flush(
    server: Server, program: Program
) -> None:
    process = program(
        "killed",
        """
hits = sensors.counter("hits")
print(time.time(), flush=True)
while True:
    hits.increment()
    print(time.time(), flush=True)
    time.sleep(0.01)
""",
    )
    assert process.stdout is not None
    began = float(process.stdout.readline())
    times = [began]
    while times[-1] // 10 < began // 10 + 1 or times[-1] % 10 < 1:  # beyond one flush
        times.append(float(process.stdout.readline()))
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    boundary = (began // 10 + 1) * 10
    server.wait_until_safe()
    stored = total(server, "dev.apps.killed.hits")
    before = sum(at < boundary for at in times[1:])
    assert before - 2 <= stored <= len(times) + 10
    assert stored > 0


def test_what_is_said_of_a_metric_is_shown_where_it_is(server: Server, program: Program) -> None:
    process = program(
        "said",
        "sensors.counter('sold', unit='pieces', owner='team-x', description='What was sold.').increment()",
    )
    assert process.wait(60) == 0
    found = wait_until(
        lambda: server.get("/api/metadata", query="dev.apps.said.sold"), "what was said", lambda: "nothing"
    )
    assert "team-x" in str(found)
    assert "pieces" in str(found)


def test_a_start_is_an_event(server: Server, program: Program) -> None:
    door = f"udp://127.0.0.1:{server.port('statsd udp')}"
    process = program(
        "begun",
        "sensors.counter('hits').increment()",
        TALLYSTICK_STATSD=door,
        TALLYSTICK_RUNTIME="on",
        TALLYSTICK_VERSION="42",
    )
    assert process.wait(60) == 0
    wait_until(lambda: "started begun 42" in str(server.get("/api/events")), "the event")
    assert total(server, "seriesByTag('name=dev.apps.begun.process.starts')") == 1
