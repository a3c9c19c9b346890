"""Events of DogStatsD's senders reach the server, also when it was away, or the agent was killed meanwhile."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tallystick.agent.doors import events as module
from tallystick.agent.doors.events import WAITING_MAX, Events, Told
from tallystick.model.clock import ManualClock
from tallystick.sockets import Backoff

DEPLOY = b"_e{6,7}:deploy|4.2\\nok|d:1700000000|h:web1|t:info|s:ci|#app:shop,x"


class Server:
    """Takes events, or answers a status."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.asked = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                # Noted before it is answered: the next one may come on another connection, and in another thread.
                with outer.asked:
                    status = outer.status
                    outer.tokens.append(self.headers.get("Authorization"))
                    if status == 200:
                        outer.got.append(body)
                    outer.asked.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def wait(self, events: int) -> None:
        with self.asked:
            assert self.asked.wait_for(lambda: len(self.got) >= events, 10.0)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Backoff", lambda *_: Backoff(0.01))


def test_an_event_is_told_as_the_servers_own_door_tells_it() -> None:
    told = Told.of_line(DEPLOY, 5.0)
    assert told == Told(
        "deploy", ["app:shop", "x", "host:web1", "alert_type:info", "source:ci"], "4.2\nok", 1_700_000_000
    )
    assert Told.of_line(b"_e{1,0}:a|", 5.5) == Told("a", [], "", 5)
    many = Told.of_line(b"_e{1,0}:a||#" + b",".join(b"two words%d" % k for k in range(50)), 5.0)
    assert many is not None and many.tags[:3] == ["two", "words0", "words1"]


def test_events_are_posted_in_their_order_with_the_token(server: Server, tmp_path: Path) -> None:
    events = Events(server.url, "secret", tmp_path, ManualClock())
    events.start()
    for k in range(5):
        events.note(b"_e{2,1}:n%d|x" % k)
    server.wait(5)
    events.stop()
    assert [event["what"] for event in server.got] == [f"n{k}" for k in range(5)]
    assert set(server.tokens) == {"Bearer secret"}
    assert (events.posted, events.dropped, events.waiting) == (5, 0, 0)


def test_events_wait_for_a_server_that_is_away_and_for_the_next_agent(server: Server, tmp_path: Path) -> None:
    server.status = 503
    events = Events(server.url, "", tmp_path, ManualClock())
    events.start()
    events.note(DEPLOY)
    with server.asked:
        assert server.asked.wait_for(lambda: server.tokens, 10.0)
    events.stop()
    assert events.waiting == 1
    server.status = 200
    again = Events(server.url, "", tmp_path, ManualClock())
    assert again.waiting == 1
    again.start()
    server.wait(1)
    again.stop()
    assert server.got[0]["when"] == 1_700_000_000
    assert Events(server.url, "", tmp_path, ManualClock()).waiting == 0


def test_an_event_whose_answer_was_lost_is_told_again_by_the_same_word_also_by_the_next_agent(
    server: Server, tmp_path: Path
) -> None:
    server.status = 503
    events = Events(server.url, "", tmp_path, ManualClock())
    events.note(DEPLOY)
    events.note(DEPLOY)
    events.start()
    with server.asked:
        assert server.asked.wait_for(lambda: server.tokens, 10.0)
    events.stop()
    words = [one["once"] for one in json.loads((tmp_path / "events.json").read_bytes())]
    assert len(set(words)) == 2
    server.status = 200
    again = Events(server.url, "", tmp_path, ManualClock())
    again.start()
    server.wait(2)
    again.stop()
    assert [event["once"] for event in server.got] == words


def test_what_an_older_agent_left_has_a_word_from_now_on(server: Server, tmp_path: Path) -> None:
    kept = {"what": "a", "tags": ["x"], "data": "", "when": 7}
    (tmp_path / "events.json").write_text(json.dumps([kept]))
    events = Events(server.url, "", tmp_path, ManualClock())
    events.start()
    server.wait(1)
    events.stop()
    (posted,) = server.got
    assert posted.pop("once")
    assert posted == kept


def test_an_event_that_the_server_will_never_take_does_not_hold_up_the_others(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.status = 400
    events = Events(server.url, "", tmp_path, ManualClock())
    events.start()
    events.note(b"_e{3,1}:bad|x")
    with server.asked:
        assert server.asked.wait_for(lambda: server.tokens, 10.0)
        server.status = 200
    events.note(DEPLOY)
    server.wait(1)
    events.stop()
    assert (events.dropped, events.posted) == (1, 1)
    assert "cannot post the event 'bad'" in caplog.text


def test_events_beyond_the_bound_are_dropped_the_oldest_first(tmp_path: Path) -> None:
    events = Events("http://127.0.0.1:9", "", tmp_path, ManualClock())
    for k in range(WAITING_MAX + 3):
        events.note(b"_e{5,1}:n%04d|x" % k)
    events.start()
    events.stop()
    assert (events.waiting, events.dropped) == (WAITING_MAX, 3)
    kept = json.loads((tmp_path / "events.json").read_text())
    assert (kept[0]["what"], len(kept)) == ("n0003", WAITING_MAX)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'[{"what": 1}]', b"\xff"])
def test_a_file_that_cannot_be_read_stops_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "events.json").write_bytes(content)
    assert Events("http://127.0.0.1:9", "", tmp_path, ManualClock()).waiting == 0
