"""nginx and Apache, asked for their status while they serve."""

from pathlib import Path

import pytest

import services
from servers import wait_until
from services import ask
from watched import Watched, wait_until_found

pytestmark = [pytest.mark.senders, pytest.mark.usefixtures("counted_alone")]


def test_nginx_counts_what_was_asked_and_survives_a_restart(tmp_path: Path) -> None:
    daemon, port = services.nginx(tmp_path)
    daemon.start()
    try:
        watched = Watched("nginx", url=f"http://127.0.0.1:{port}/nginx_status")
        first = watched.look()
        assert first["up"] == 1 and first["connections.active"] == 1 and "requests" not in first
        for _ in range(24):
            ask(port)
        # The look itself is a request.
        assert watched.counted("requests", "connections.accepted", "connections.dropped") == [25, 25, 0]

        daemon.kill()
        gone = watched.look()
        assert gone == {"up": 0} and "expected a service that answers" in watched.cause
        daemon.start()
        for _ in range(50):  # more than before
            ask(port)
        back = watched.look()
        assert back["up"] == 1 and "requests" not in back, "what was counted while nobody looked has no rate"
        ask(port)
        assert watched.counted("requests") == [2]
        assert wait_until_found("nginx", url=f"http://127.0.0.1:{port}/nginx_status") == f"nginx.{port}"
    finally:
        daemon.kill()


def test_apache_counts_what_was_asked_and_survives_a_restart(open_path: Path) -> None:
    daemon, port = services.apache(open_path)
    daemon.start()
    try:
        watched = Watched("apache", url=f"http://127.0.0.1:{port}/server-status?auto")
        at_rest = {"up": 1, "workers.idle": 3, "workers.busy": 1, "workers.used_percent": 12.5}
        wait_until(lambda: at_rest.items() <= watched.look().items(), "nobody else to be served", watched.look)
        for _ in range(24):
            assert ask(port, "/index.html").startswith(b"HTTP/1.1 200")
        # Apache counts a request when it is over: of the looks it is the one before.
        seen = watched.look()
        assert seen["requests"] == 2.5
        assert 24 * 2048 <= 10 * seen["sent_bytes"] <= 24 * 3072
        assert "request_duration_ms" in seen

        daemon.kill()
        assert watched.look() == {"up": 0}
        daemon.start()
        back = watched.look()
        assert back["up"] == 1 and "requests" not in back and back["uptime_s"] <= 60
        assert wait_until_found("apache", url=f"http://127.0.0.1:{port}/server-status?auto") == f"apache.{port}"
    finally:
        daemon.kill()


def test_a_page_that_is_no_status_is_refused_in_words(tmp_path: Path) -> None:
    daemon, port = services.nginx(tmp_path)
    daemon.start()
    try:
        for name in ("nginx", "apache"):
            watched = Watched(name, url=f"http://127.0.0.1:{port}/")
            assert watched.look() == {"up": 0}
            assert "is no status" in watched.cause
    finally:
        daemon.kill()
