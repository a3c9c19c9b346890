from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.web.static import page_routes


@pytest.fixture
def built(tmp_path: Path) -> TestClient:
    pages = tmp_path / "pages"
    (pages / "assets").mkdir(parents=True)
    (pages / "index.html").write_text("<!doctype html><title>Tallystick</title>" + " " * 500)
    (pages / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (pages / "assets" / "index-abc123.js").write_text("export const strokes = 5;" * 50)
    (tmp_path / "secret").write_text("not a page")
    return TestClient(Starlette(routes=page_routes(pages)))


def test_the_root_is_the_index_and_is_asked_for_each_time(built: TestClient) -> None:
    answer = built.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert "Tallystick" in answer.text


def test_assets_are_kept_for_ever_because_their_names_hold_their_hash(built: TestClient) -> None:
    answer = built.get("/assets/index-abc123.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/favicon.svg", "/assets/index-abc123.js"])
def test_every_page_forbids_what_is_not_its_own(built: TestClient, path: str) -> None:
    headers = built.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_browser_that_has_the_page_is_told_so(built: TestClient) -> None:
    tag = built.get("/").headers["etag"]
    again = built.get("/", headers={"if-none-match": tag})
    assert again.status_code == 304
    assert again.content == b""


def test_pages_are_packed_for_who_can_unpack_them_and_plain_for_others(built: TestClient) -> None:
    packed = built.get("/assets/index-abc123.js", headers={"accept-encoding": "gzip"})
    plain = built.get("/assets/index-abc123.js", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])


@pytest.mark.parametrize(
    "path", ["/../secret", "/assets/../../secret", "/%2e%2e/secret", "/assets/%2e%2e%2f%2e%2e%2fsecret"]
)
def test_no_path_leads_out_of_the_pages(built: TestClient, path: str) -> None:
    assert built.get(path).status_code == 404


def test_without_a_build_the_root_says_how_to_make_one(tmp_path: Path) -> None:
    answer = TestClient(Starlette(routes=page_routes(tmp_path))).get("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text
    assert "script" not in answer.text
