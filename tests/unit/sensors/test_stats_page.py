"""The stats page asks the server little, tells the browser less, and can be included anywhere."""

import asyncio
import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from tallystick.native.names import Place
from tallystick.sensors.web import asgi_stats, stats_page, wsgi_stats
from tallystick.sensors.web.stats import RANGES, Stats
from tallystick.sensors.web.stats_page import respond

PLACE = Place("prod", "web", "web1", "shop")


class Answering(ThreadingHTTPServer):
    """A server that answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.body: bytes = b'{"series": []}'
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        fields = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.server.asked.append((self.path, self.headers.get("authorization", ""), fields))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Answering]:
    with Answering() as opened:
        thread = threading.Thread(target=opened.serve_forever, args=(0.01,))
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


class Clock:
    """Stands still until it is set."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def series(name: str, **statistics: list[float | None]) -> dict[str, Any]:
    return {"name": name, "start": 600, "step": 300, "statistics": statistics}


def test_the_numbers_of_a_range_are_asked_of_the_server_once_in_a_while(server: Answering) -> None:
    found = [
        series("prod.apps.shop.requests", sum=[10, None], min=[1, None]),
        series("prod.apps.shop.response_time", min=[0.1, None], avg=[0.2, None], p95=[0.3, None], max=[0.4, None]),
    ]
    server.body = json.dumps({"series": found}).encode()
    clock = Clock()
    stats = Stats(server.url, "secret", PLACE, clock)
    status, body = stats.answer("day")
    assert status == 200
    assert json.loads(body) == {
        "app": "shop",
        "environment": "prod",
        "range": "day",
        "start": 600,
        "step": 300,
        "columns": {
            "requests": [10, None],
            "404": [],
            "500": [],
            "errors": [],
            "lower": [0.1, None],
            "mean": [0.2, None],
            "p95": [0.3, None],
            "upper": [0.4, None],
        },
    }
    ((path, authorization, fields),) = server.asked
    assert (path, authorization) == ("/api/query", "Bearer secret")
    assert fields["target"][0] == "prod.apps.shop.requests"
    assert fields["from"] == ["-24h"]
    assert stats.answer("day") == (200, body)
    assert len(server.asked) == 1
    clock.now_s = RANGES["day"][1]
    stats.answer("day")
    stats.answer("year")
    assert [asked[2]["from"] for asked in server.asked] == [["-24h"], ["-24h"], ["-1y"]]


def test_many_readers_at_once_are_one_question(server: Answering) -> None:
    stats = Stats(server.url, "", PLACE)
    readers = [threading.Thread(target=stats.answer, args=("week",)) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"error": "no"}'),
        (302, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"series": 3}'),
        (200, b'{"series": [{}]}'),
        (200, b" " * (5 << 20)),
    ],
)
def test_whatever_the_server_answers_the_browser_is_told_a_sentence_without_places(
    server: Answering, status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    server.status, server.body, server.headers = status, body, {"location": f"{server.url}/elsewhere"}
    stats = Stats(server.url, "secret", PLACE)
    told, sentence = stats.answer("day")
    assert told == 502
    assert json.loads(sentence) == {"error": "cannot show numbers: the Tallystick server gives none; the log says why"}
    assert server.url in caplog.text
    assert "secret" not in caplog.text
    stats.answer("day")
    assert len(server.asked) == 1  # failures are kept for a while, too, and nobody is led elsewhere


def test_only_four_questions_can_be_asked(server: Answering) -> None:
    stats = Stats(server.url, "", PLACE)
    for word in ("", "decade", "day&target=secret.*"):
        assert stats.answer(word)[0] == 400
    assert server.asked == []
    assert Stats("file:///etc/passwd", "", PLACE).answer("day")[0] == 502


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Stats:
    files = {"index.html": b"<html>" + b" " * 1000, "assets/a-1.js": b"1", "favicon.svg": b"<svg/>"}
    monkeypatch.setattr(stats_page, "_files", lambda: files)
    return Stats("http://127.0.0.1:1", "", PLACE)


def test_the_page_is_answered_strictly_and_from_memory(page: Stats) -> None:
    whole = respond(page, "", "", gzips=True)
    assert (whole.status, whole.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert gzip.decompress(whole.body).startswith(b"<html>")
    assert "script-src 'self'" in whole.headers["Content-Security-Policy"]
    script = respond(page, "assets/a-1.js", "")
    assert "immutable" in script.headers["Cache-Control"]
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    for path in ("../stats.py", "assets/", "/etc/passwd", "assets/../index.html"):
        assert respond(page, path, "").status == 404
    assert respond(page, "numbers", "range=decade").status == 400


def test_it_is_a_wsgi_application(page: Stats) -> None:
    started: list[tuple[str, dict[str, str]]] = []

    def get(path: str, method: str = "GET") -> bytes:
        environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "/a/stats", "PATH_INFO": path, "QUERY_STRING": ""}
        return b"".join(wsgi_stats(page)(environ, lambda status, headers: started.append((status, dict(headers)))))

    assert get("/").startswith(b"<html>")
    assert get("/", "HEAD") == get("") == get("/", "POST") == b""
    assert [status for status, _ in started] == ["200 OK", "200 OK", "308 Permanent Redirect", "405 Method Not Allowed"]
    assert started[2][1]["Location"] == "stats/"
    assert started[1][1]["Content-Length"] == "1006"


def test_it_is_an_asgi_application(page: Stats) -> None:
    async def get(path: str) -> tuple[int, bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        scope = {
            "type": "http",
            "method": "GET",
            "root_path": "/stats",
            "path": path,
            "headers": [],
            "query_string": b"",
        }
        await asgi_stats(page)(scope, receive, send)
        return sent[0]["status"], sent[1]["body"]

    assert asyncio.run(get("/stats/favicon.svg")) == (200, b"<svg/>")
    assert asyncio.run(get("/stats"))[0] == 308
    assert asyncio.run(get("/stats/nothing"))[0] == 404


STAFF_ONLY = """
import sys, types
import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF="urls", ALLOWED_HOSTS=["*"], MIDDLEWARE=["urls.signed_in"], TALLYSTICK_STATS_FOR="staff"
)
django.setup()
from django.test import Client
from django.urls import include, path

urls = sys.modules["urls"] = types.ModuleType("urls")
urls.urlpatterns = [path("stats/", include("tallystick.sensors.web.django_stats"))]


def signed_in(get_response):
    def middleware(request):
        request.user = types.SimpleNamespace(is_staff="staff" in request.headers)
        return get_response(request)

    return middleware


urls.signed_in = signed_in
for headers in ({}, {"staff": "1"}):
    print(Client(headers=headers).get("/stats/numbers?range=never").status_code)
print(Client(headers={"staff": "1"}).post("/stats/").status_code)
"""


def test_in_django_it_can_be_for_staff_alone() -> None:
    told = subprocess.run([sys.executable, "-c", STAFF_ONLY], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split() == ["403", "400", "405"]
