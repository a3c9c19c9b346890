"""What was answered is there again after ``kill -9``, at any instant.

The kernel outlives the process here, so what a power cut would take is not shown: that is for the tests of the log.
"""

import http.client
import random
import threading
import time
from collections.abc import Iterator
from functools import partial

import httpx2
import pytest

from servers import START_S_MAX, Server, running_server, wait_until

pytestmark = pytest.mark.timeout(START_S_MAX + 240)

ROUNDS = 8
KILLS = 4
SEED = 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("crash")) as started:
        yield started


def write_and_kill(server: Server, body: bytes) -> None:
    """Post lines, and kill the server as soon as the head of its answer is here."""
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=60)
    connection.request("POST", "/api/write", body)
    answer = connection.getresponse()
    server.kill()
    assert answer.status == 200


def test_an_answer_says_what_was_stored_and_what_was_not(server: Server) -> None:
    now = int(time.time())
    body = f"answered.a 1 {now}\nanswered.b nan {now}\nanswered.c\nanswered.d 4 {now}"
    answer = httpx2.post(f"{server.url}/api/write", content=body)
    assert (answer.status_code, answer.json()) == (200, {"stored": 2, "rejected": {"value_not_finite": 1, "fields": 1}})
    assert server.values("answered.d") == [4.0]


def test_what_was_answered_survives_a_kill_right_after_the_answer(server: Server) -> None:
    slot = int(time.time()) // 10 * 10 - 600
    for k in range(ROUNDS):
        series = 50 * 2**k
        lines = [f"round{k}.n{i} {i + j} {slot + 10 * j}\n" for i in range(series) for j in range(3)]
        write_and_kill(server, "".join(lines).encode())
        server.start()
    for k in range(ROUNDS):
        series = 50 * 2**k
        expected = {slot + 10 * j: float(sum(range(series)) + j * series) for j in range(3)}
        assert server.render(f"sumSeries(round{k}.*)").popitem()[1] == expected
        assert set(server.values(f"countSeries(round{k}.*)")) == {series}
    assert server.get("/healthz")["problems"] == []


class Writer:
    """A sender that posts one value after the other, each until it is answered, and knows which were."""

    def __init__(self, server: Server, name: str, slot: int) -> None:
        self._url = f"{server.url}/api/write"
        self.name = name
        self._slot = slot
        self._stopping = threading.Event()
        self.answered: dict[int, float] = {}
        self.doubtful: set[int] = set()  # sent again, because no answer came
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        k = 0
        while not self._stopping.is_set():
            at = self._slot + 10 * k
            try:
                answer = httpx2.post(self._url, content=f"{self.name} {k} {at}\n".encode(), timeout=30)
            except httpx2.TransportError:
                self.doubtful.add(at)
                self._stopping.wait(0.01)
                continue
            if answer.status_code == 200 and answer.json()["stored"] == 1:
                self.answered[at] = float(k)
                k += 1


def _all_answered(writers: list[Writer], goals: list[int]) -> bool:
    return all(len(writer.answered) >= goal for writer, goal in zip(writers, goals, strict=True))


def test_senders_that_keep_sending_over_kills_miss_nothing_that_was_answered(server: Server) -> None:
    slot = int(time.time()) // 10 * 10 - 20_000
    writers = [Writer(server, f"steady.writer{k}", slot) for k in range(3)]
    for _ in range(2):
        goals = [len(writer.answered) + 3 for writer in writers]
        wait_until(partial(_all_answered, writers, goals), "every writer to be answered three times more")
        server.kill()
        server.start()
    for writer in writers:
        writer.stop()
    found = server.render("steady.*", since="-6h")
    for writer in writers:
        assert len(writer.answered) > 5
        assert {at: found[writer.name].get(at) for at in writer.answered} == writer.answered


def keep_busy(server: Server, stopping: threading.Event) -> None:
    """Send lines nobody waits for, and have the store seal and compact without a pause."""
    k = 0
    while not stopping.is_set():
        k += 1
        now = int(time.time())
        try:
            server.send(*(f"busy.n{i} {k} {now - 10 * (k % 60)}" for i in range(50)))
            httpx2.post(f"{server.url}/api/store/compact", timeout=30)
        except (OSError, httpx2.TransportError):
            stopping.wait(0.01)


def test_kills_at_any_moment_lose_nothing_answered_and_double_nothing(server: Server) -> None:
    choice = random.Random(SEED)
    slot = int(time.time()) // 10 * 10 - 30_000
    writers = [Writer(server, f"killed.writer{k}", slot) for k in range(3)]
    stopping = threading.Event()
    busy = threading.Thread(target=keep_busy, args=(server, stopping))
    busy.start()
    for _ in range(KILLS):
        goals = [len(writer.answered) + choice.randint(1, 3) for writer in writers]
        wait_until(partial(_all_answered, writers, goals), "every writer to be answered a few times more")
        server.kill()
        server.start()
    stopping.set()
    for writer in writers:
        writer.stop()
    busy.join(60)
    found = server.render("killed.*", since="-9h")
    for writer in writers:
        counts = server.render(f"stat({writer.name},'count')", since="-9h").popitem()[1]
        assert {at: found[writer.name].get(at) for at in writer.answered} == writer.answered, f"seed {SEED}"
        for at in writer.answered.keys() - writer.doubtful:
            assert counts[at] == 1.0, f"seed {SEED}: {writer.name} has {counts[at]} samples at {at}"
    assert server.get("/healthz")["problems"] == []


def test_a_stop_in_order_keeps_what_nobody_waited_for(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.send_now("last.words", 1, 2, 3)
    server.stop()
    assert server.process is not None
    assert server.process.returncode == 0
    seconds = server.start()
    with capsys.disabled():
        print(f"\nsecond start: {seconds:.2f} s from the process to the first answer of /healthz")
    assert server.values("last.words") == [1.0, 2.0, 3.0]
