"""Shops in every framework, begun as the guide says and asked for real: what is counted is exact, and on their page."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect
from screenshots import keep_screenshot

from servers import START_S_MAX, Server, cannot_run, package, running_server, wait_until
from tallystick.sensors.web.stats_page import PAGE

pytestmark = pytest.mark.timeout(START_S_MAX + 120)

ROOT = Path(__file__).parents[2]
NATIVE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
"""
GUNICORN = ("gunicorn", "--no-control-socket", "--workers", "2", "--threads", "2", "--graceful-timeout", "5", "--bind")
UVICORN = ("uvicorn", "--no-access-log", "--timeout-graceful-shutdown", "5", "--host", "127.0.0.1", "--port")
ORDERS = 6


@dataclass(frozen=True, slots=True)
class Shop:
    """How a shop is served, and what its framework calls the view of an order."""

    name: str
    command: tuple[str, ...]
    target: str
    view: str
    blocks: tuple[tuple[str, int], ...] = ()
    """Modules to be made of blocks of Python in the guide, by their number."""

    def of(self, sensor: str) -> str:
        """The name of one of its sensors, for the cluster."""
        return f"dev.apps.{self.name}.{sensor}"

    def on_host(self, sensor: str) -> str:
        """The same for the host."""
        return f"dev.hosts.web.web7.{self.name}.{sensor}"


DJANGO = (("guide_settings", 0), ("guide_urls", 1))
SHOPS = [
    Shop("django-wsgi", GUNICORN, "django_shop:application", "order", DJANGO),
    Shop("django-asgi", UVICORN, "django_shop:asgi_application", "order", DJANGO),
    Shop("starlette", UVICORN, "starlette_shop:app", "orders-number", (("guide_app", 2),)),
    Shop("fastapi", UVICORN, "fastapi_shop:app", "orders-number"),
    Shop("flask_shop", GUNICORN, "flask_shop:app", "orders-number", (("guide_app", 3),)),
    Shop("plain", GUNICORN, "wsgi_shop:application", "orders"),
]


@dataclass(frozen=True, slots=True)
class Running:
    """A shop that runs."""

    shop: Shop
    url: str


@contextmanager
def running(shop: Shop, server: Server, root: Path) -> Iterator[Running]:
    """A shop that runs from here on, its log in `root`."""
    guide = (ROOT / "docs/guides/web-apps.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    root.mkdir()
    for module, number in shop.blocks:
        (root / f"{module}.py").write_text(blocks[number], encoding="utf-8")
    port = free_port()
    program, *options = shop.command
    place = f"127.0.0.1:{port}" if program == "gunicorn" else str(port)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests/web_apps"), str(root), str(ROOT / "src")]),
        "TALLYSTICK_AGENT": f"tcp://127.0.0.1:{server.port('native tcp')}",
        "TALLYSTICK_SERVER": server.url,
        "TALLYSTICK_HOST": "web7",
    }
    if not shop.target.startswith(f"{shop.name}:"):  # else it is called so by itself
        environment["TALLYSTICK_APP"] = shop.name
    with (root / "log").open("wb") as log:
        command = [sys.executable, "-m", program, *options, place, shop.target]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=root)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: listens(port), f"{shop.name} to listen", (root / "log").read_text)
        yield Running(shop, url)
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(url: str) -> None:
    """What everybody asks of a shop."""
    alone = {"connection": "close"}  # a server hangs up after what fails, and after bodies that nobody read
    with httpx2.Client(base_url=url, timeout=30, verify=False, headers=alone) as client:
        for number in range(ORDERS):
            assert client.get(f"/orders/{number}").text == f"order {number}"
        assert client.post("/orders/1", content=b"b" * 100).status_code == 201
        assert client.post("/orders/2", content=b"b" * 23).status_code == 201
        for path in ("/missing", "/wp-admin/setup.php"):
            assert client.get(path).status_code == 404
        assert client.get("/broken").status_code == 500
        assert client.get("/slow").is_success
        assert len(client.get("/stream").content) == 3000
        with client.stream("GET", "/feed") as feed:  # its connection is cut before its end, which it does not have
            next(feed.iter_bytes())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), NATIVE) as started:
        yield started


@pytest.fixture(scope="module")
def shops(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """All shops at once, each of which was asked the same."""
    for name in ("django", "fastapi", "flask", "gunicorn"):
        package(name)
    root = tmp_path_factory.mktemp("shops")
    with ExitStack() as stack:
        found = {shop.name: stack.enter_context(running(shop, server, root / shop.name)) for shop in SHOPS}
        for shop in found.values():
            ask(shop.url)
        yield found


def total(server: Server, target: str) -> float:
    return sum(server.values(target))


@pytest.mark.parametrize("shop", SHOPS, ids=[shop.name for shop in SHOPS])
def test_what_was_asked_is_counted_exactly_for_the_cluster_and_the_host(
    server: Server, shops: dict[str, Running], shop: Shop
) -> None:
    expected = {
        "requests": ORDERS + 8,
        "response.200": ORDERS + 3,  # the one that was cut had begun
        "response.201": 2,
        "response.404": 2,
        "response.500": 1,
        "errors": 1,
        "disconnects": 1,
        "received_bytes": 123,
    }

    def counts() -> dict[str, float]:
        return {sensor: total(server, shop.of(sensor)) for sensor in expected}

    wait_until(lambda: counts() == expected, "all to be counted", counts)
    assert {sensor: total(server, shop.on_host(sensor)) for sensor in expected} == expected
    for view, number in ((f"GET.{shop.view}", ORDERS), (f"POST.{shop.view}", 2), ("GET.unrouted", 2)):
        for name in (shop.of(f"view.{view}"), shop.on_host(f"view.{view}")):
            assert total(server, f"stat({name},'count')") == number, name
    timed = shop.of("response_time")
    assert total(server, f"stat({timed},'count')") == ORDERS + 8
    assert max(server.values(f"stat({timed},'max')")) >= 0.3
    assert total(server, shop.of("sent_bytes")) > 3000 + ORDERS * len("order 0")
    assert server.values(shop.on_host("in_flight"))[-1] == 0
    assert not server.values(shop.of("in_flight"))


@pytest.mark.parametrize("shop", SHOPS, ids=[shop.name for shop in SHOPS])
def test_unit_owner_and_description_stand_beside_the_numbers(
    server: Server, shops: dict[str, Running], shop: Shop
) -> None:
    wait_until(lambda: server.values(shop.of("sent_bytes")), "the numbers")
    found = server.get("/api/metadata", query=f"dev.apps.{shop.name}.*")["series"]
    found += server.get("/api/metadata", query=f"dev.hosts.*.*.{shop.name}.sent_bytes")["series"]
    assert {one["owner"] for one in found} == {"team-shop"}
    units = {one["name"].split(".")[-1]: (one["unit"], one["description"]) for one in found}
    assert units["sent_bytes"] == ("bytes", "Bodies of answers.")
    assert units["response_time"][0] == "s"


def test_websockets_are_counted_while_they_are_open(server: Server, shops: dict[str, Running]) -> None:
    client = package("websockets.sync.client")
    shop = shops["starlette"].shop
    url = shops["starlette"].url.replace("http", "ws", 1)
    with client.connect(f"{url}/chat") as socket:
        for text in ("four", "letters"):
            socket.send(text)
            assert socket.recv() == text.upper()
        wait_until(lambda: server.values(shop.on_host("websockets"))[-1:] == [1], "it to be open")
    with pytest.raises(package("websockets.exceptions").InvalidStatus, match="403"):
        client.connect(f"{url}/closed")
    for name in ("view.WEBSOCKET.chat", "response.101", "response.403"):
        wait_until(lambda name=name: total(server, f"stat({shop.of(name)},'count')") == 1, name)
    wait_until(lambda: server.values(shop.on_host("websockets"))[-1] == 0, "it to be closed")


@pytest.mark.parametrize(
    "shop",
    [
        Shop("brief-asgi", UVICORN, "starlette_shop:app", "", (("guide_app", 2),)),
        Shop("brief-wsgi", GUNICORN, "wsgi_shop:application", ""),
    ],
    ids=["uvicorn", "gunicorn"],
)
def test_nothing_is_lost_when_a_shop_is_stopped(server: Server, tmp_path: Path, shop: Shop) -> None:
    with running(shop, server, tmp_path / "shop") as opened:
        for number in range(3):
            assert httpx2.get(f"{opened.url}/orders/{number}", verify=False).is_success
    wait_until(lambda: total(server, shop.of("requests")) == 3, "its last numbers")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["django-wsgi", "starlette", "flask_shop"])
def test_the_stats_page_shows_what_was_counted(
    server: Server, shops: dict[str, Running], page: Page, complaints: list[str], name: str
) -> None:
    built()
    shop = shops[name].shop
    wait_until(lambda: server.values(shop.of("requests")), "the numbers")
    page.goto(f"{shops[name].url}/stats/")
    expect(page.get_by_role("heading", name=f"{name} dev")).to_be_visible()
    traffic = page.locator("section", has=page.get_by_role("heading", name="Traffic"))
    expect(traffic.locator(".told")).to_have_text(re.compile(r"^\d+ requests$"))
    times = page.locator("section", has=page.get_by_role("heading", name="Response times"))
    expect(times.locator(".told")).to_have_text(re.compile(r"^[\d.]+\s.?s on average, [\d.]+\s.?s at most$"))
    errors = page.locator("section", has=page.get_by_role("heading", name="Errors"))
    expect(errors.locator(".told")).to_contain_text("1 error (")
    expect(errors.locator(".told")).to_contain_text("2 missing pages")
    expect(page.locator("canvas")).to_have_count(3)
    keep_screenshot(page, f"stats-{name}")
    page.get_by_role("button", name="Year").click()
    expect(page.locator("#graphs")).to_have_attribute("data-range", "year")
    expect(page.get_by_role("button", name="Year")).to_have_attribute("aria-pressed", "true")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="24 hours").click()
    expect(page.locator("#graphs")).to_have_attribute("data-range", "day")
    keep_screenshot(page, f"stats-{name}-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []


@pytest.mark.browser
def test_a_stats_page_without_numbers_says_what_to_do_and_one_without_a_server_says_so(
    server: Server, page: Page, tmp_path: Path
) -> None:
    built()
    quiet = Shop("quiet", UVICORN, "starlette_shop:app", "", (("guide_app", 2),))
    with running(quiet, server, tmp_path / "quiet") as shop:
        page.goto(f"{shop.url}/stats")
        expect(page.get_by_role("heading", name="No requests in this range")).to_be_visible()
        expect(page).to_have_url(f"{shop.url}/stats/")
        keep_screenshot(page, "stats-empty")
    gone = Server(tmp_path, url="http://127.0.0.1:1", doors={"native tcp": "127.0.0.1:1"})
    with running(quiet, gone, tmp_path / "gone") as shop:
        page.goto(f"{shop.url}/stats/")
        expect(page.locator("#notice")).to_contain_text("the Tallystick server gives none")
        keep_screenshot(page, "stats-gone")
        assert "127.0.0.1:1" not in page.content()


def test_a_graph_shows_the_newcomer_his_requests_with_unit_and_owner(
    server: Server, shops: dict[str, Running], page: Page
) -> None:
    shop = shops["flask_shop"].shop
    page.goto(f"{server.url}/#/?target={shop.of('requests')}&target={shop.of('response_time')}&from=-15min&until=now")
    graph = page.get_by_role("article", name=shop.of("requests"), exact=True)
    expect(graph.locator(".owner")).to_have_text("team-shop")
    expect(graph.locator(".axis-word")).to_have_text(re.compile(r"^requests per 10\ss$"))
    times = page.get_by_role("article", name=shop.of("response_time"), exact=True)
    expect(times.locator(".legend-value")).to_have_text(re.compile("(ms|s|µs)$"))
    keep_screenshot(page, "web-app-graphs")


def built() -> None:
    if not (PAGE / "index.html").exists():
        cannot_run("the page is not built: cd web && npm ci && npm run build")
