"""Who may ask over HTTP: a real server with a token, on loopback."""

from base64 import b64encode
from collections.abc import Iterator

import httpx2
import pytest

from servers import CARBON, START_S_MAX, Server, running_server

pytestmark = pytest.mark.timeout(START_S_MAX + 60)

TOKEN = "correct horse"
PATHS = ("/", "/render?target=a", "/metrics/find?query=*", "/ledger", "/api/search?q=a")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("guarded"), f'token = "{TOKEN}"\n{CARBON}') as server:
        yield server


def ask(server: Server, path: str, **headers: str) -> httpx2.Response:
    return httpx2.get(f"{server.url}{path}", headers={k.replace("_", "-"): v for k, v in headers.items()}, timeout=30)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_a_foreign_name_is_told_nothing(guarded: Server, path: str) -> None:
    port = guarded.url.rpartition(":")[2]
    assert ask(guarded, path).status_code in {200, 404}
    assert ask(guarded, path, host=f"localhost:{port}").status_code in {200, 404}
    for host in (f"rebound.example:{port}", "127.0.0.1.example", f"10.0.0.1:{port}"):
        answer = ask(guarded, path, host=host)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["error"].startswith("cannot answer")


def test_a_foreign_origin_cannot_write(guarded: Server) -> None:
    url = f"{guarded.url}/api/write"
    for origin in ("http://evil.example", "null", f"http://localhost.evil.example:{guarded.url.rpartition(':')[2]}"):
        assert httpx2.post(url, content=b"forged.level 1 -1\n", headers={"origin": origin}).status_code == 401
    assert guarded.values("forged.level") == []
    assert httpx2.post(url, content=b"own.level 1 -1\n", headers={"origin": guarded.url}).status_code == 200
    assert guarded.values("own.level") == [1.0]


def test_a_foreign_page_cannot_include_an_answer_as_a_script(guarded: Server) -> None:
    path = "/render?target=a&jsonp=steal"
    for site in ("cross-site", "same-site"):
        assert ask(guarded, path, sec_fetch_site=site, sec_fetch_mode="no-cors").status_code == 401
        assert ask(guarded, path, sec_fetch_site=site, sec_fetch_mode="navigate").status_code == 200
    for site in ("same-origin", "none"):
        assert ask(guarded, path, sec_fetch_site=site, sec_fetch_mode="no-cors").status_code == 200


def test_a_host_or_origin_that_is_none_counts_as_foreign(guarded: Server) -> None:
    assert ask(guarded, "/render?target=a", host="[").status_code == 401
    assert ask(guarded, "/render?target=a", origin="http://[").status_code == 401


@pytest.mark.parametrize("path", [*PATHS, "/render?target=a&format=csv", "/render?target=a&format=raw", "/none"])
def test_every_answer_is_taken_for_what_it_says_it_is(guarded: Server, path: str) -> None:
    for host in (guarded.url.partition("//")[2], "evil.example"):
        assert ask(guarded, path, host=host).headers["x-content-type-options"] == "nosniff"


def test_the_token_opens_from_anywhere_as_bearer_and_as_password(guarded: Server) -> None:
    password = b64encode(f"anyone:{TOKEN}".encode()).decode()
    for authorization in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Token {TOKEN}", f"Basic {password}"):
        answer = ask(guarded, "/metrics/find?query=*", host="metrics.example", authorization=authorization)
        assert answer.status_code == 200, authorization


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer wrong",
        "Token wrong",
        f"Digest {TOKEN}",
        "Basic",
        "Basic ***",
        "Basic " + b64encode(b"a").decode(),
    ],
)
def test_anything_else_does_not(guarded: Server, authorization: str) -> None:
    answer = ask(guarded, "/metrics/find?query=*", host="metrics.example", authorization=authorization)
    assert answer.status_code == 401


def test_the_status_is_open_to_all_and_nothing_else_of_it(guarded: Server) -> None:
    assert ask(guarded, "/healthz", host="metrics.example", origin="http://evil.example").json() == {"status": "ok"}
    assert "problems" in ask(guarded, "/healthz").json(), "who may ask is told more"


def test_without_a_token_no_password_opens(shared_server: Server) -> None:
    for authorization in ("Bearer", "Bearer x", "Basic " + b64encode(b"a:").decode()):
        assert ask(shared_server, "/ledger", host="metrics.example", authorization=authorization).status_code == 401


def test_a_body_that_is_too_large_is_refused_before_it_is_read(guarded: Server) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * (1 << 20)

    for content in (bytes((16 << 20) + 1), endless()):
        try:
            answer = httpx2.post(f"{guarded.url}/api/write", content=content, timeout=60)
        except httpx2.WriteError:
            continue  # the server hung up instead of reading on
        assert answer.status_code == 413
        assert answer.json()["error"].startswith("cannot take a body")
    assert ask(guarded, "/healthz").json()["status"] == "ok"
