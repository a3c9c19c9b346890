"""The pages of what is blocked and of how many series there are."""

import time

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from screenshots import keep_screenshot

from servers import Server, wait_until

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 390, "height": 844}


def test_names_are_blocked_and_unblocked_by_hand_and_who_did_it_is_told(
    empty_server: Server, page: Page, complaints: list[str]
) -> None:
    empty_server.send_now("flood.a", 1)
    page.goto(f"{empty_server.url}/#/blocks")
    expect(page.get_by_text("Nothing is blocked.")).to_be_visible()
    page.get_by_role("textbox", name="Names").fill("flood.*")
    expect(page.get_by_role("button", name="Block", exact=True)).to_be_disabled()
    page.get_by_label("Why").fill("one series <b>per</b> request")
    page.get_by_label("Who").fill("ann")
    page.get_by_role("button", name="Block", exact=True).click()
    row = page.get_by_role("row").filter(has_text="flood.*").first
    expect(row).to_contain_text("one series <b>per</b> request")
    expect(row).to_contain_text("ann from 127.0.0.1")

    empty_server.send_now("flood.a", 2)
    expect(row.locator('[data-label="kept out"]')).to_have_text("1")
    keep_screenshot(page, "blocks-light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    keep_screenshot(page, "blocks-dark")
    page.set_viewport_size(PHONE)
    expect(page.get_by_role("tree")).not_to_be_visible()
    keep_screenshot(page, "blocks-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Unblock flood.*").click()
    expect(page.get_by_text("Nothing is blocked.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="unblocked")).to_contain_text("ann from 127.0.0.1")
    assert complaints == []


def test_what_cannot_be_blocked_says_why(empty_server: Server, page: Page) -> None:
    page.goto(f"{empty_server.url}/#/blocks")
    page.get_by_label("From").fill("web1")
    page.get_by_label("Why").fill("x")
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("expected a host as 10.1.2.3")


def test_who_has_how_many_series_is_seen_and_gone_down_into(
    empty_server: Server, page: Page, complaints: list[str]
) -> None:
    now_s = int(time.time())
    names = [f"shop.web{k % 40}.page{k % 7}.hits" for k in range(700)]
    names += [f"hosts.db{k}.disk;dev=sd{k % 5}" for k in range(60)]
    names += [f"lone.n{k}" for k in range(9)]
    empty_server.send(*(f"{name} 1 {now_s}" for name in names))
    wait_until(lambda: empty_server.get("/api/cardinality")["total"]["series"] >= 300, "the census")
    page.goto(f"{empty_server.url}/#/series")
    tile = page.get_by_role("link", name="shop: 280 series")
    expect(tile).to_be_visible()
    keep_screenshot(page, "series-light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    keep_screenshot(page, "series-dark")
    tile.click()
    expect(page.get_by_role("link", name="shop.web3: 7 series")).to_be_visible()
    expect(page.get_by_label("Beginning of names")).to_have_text("all . shop")
    page.set_viewport_size(PHONE)
    expect(page.get_by_role("tree")).not_to_be_visible()
    keep_screenshot(page, "series-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.go_back()
    expect(page.get_by_role("link", name="shop: 280 series")).to_be_visible()
    assert complaints == []
