"""The browser, and the servers that it looks at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from servers import Server, cannot_run, running_server
from tallystick.web.static import PAGES

CHROMIUM = Path("/usr/bin/chromium")

# The pages look for new data every ten seconds; a busy machine may need more than one look.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")  # Playwright keeps an event loop in this thread: other tests want their own
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        cannot_run(f"{CHROMIUM} is missing: apt-get install chromium")
    if not (PAGES / "index.html").exists():
        cannot_run("the pages are not built: cd web && npm ci && npm run build")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests, with a few series in it."""
    with running_server(tmp_path_factory.mktemp("server")) as started:
        started.send_now("shop.web1.orders", 3, 5, 4, 6)
        started.send_now("shop.web2.orders", 1, 2, 1, 3)
        started.send_now("shop.web1.answer_ms", 30, 45.5, 41, 38)
        yield started


@pytest.fixture
def empty_server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as started:
        yield started


@pytest.fixture
def complaints() -> list[str]:
    """What a page threw or wrote to its console as an error; a test that expects none looks here."""
    return []


@pytest.fixture
def page(chromium: Browser, complaints: list[str]) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, color_scheme="light")
    context.set_default_timeout(30_000)
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
