"""The pages, on a real server, in a real browser."""

import re
import time

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from screenshots import keep_screenshot

from servers import Server

pytestmark = pytest.mark.browser

SOME_POINTS = re.compile(r"^[1-9]\d*$")
PHONE: ViewportSize = {"width": 390, "height": 844}


def graph(page: Page, title: str) -> Locator:
    return page.get_by_role("article", name=title, exact=True)


def wait_for_data(page: Page, title: str) -> Locator:
    found = graph(page, title)
    expect(found).to_have_attribute("data-points", SOME_POINTS)
    return found


def open_target(page: Page, target: str) -> None:
    bar = page.get_by_label("Target expression")
    bar.fill(target)
    bar.press("Enter")


def test_an_empty_server_shows_how_to_send_and_the_first_number_appears_by_itself(
    empty_server: Server, page: Page, complaints: list[str]
) -> None:
    page.goto(empty_server.url)
    expect(page.get_by_role("heading", name="No numbers yet")).to_be_visible()
    expect(page.locator(".command code")).to_contain_text(f"| nc -q0 127.0.0.1 {empty_server.carbon_port}")
    keep_screenshot(page, "empty")

    empty_server.send_now("hello.world", 42)

    found = wait_for_data(page, "hello · world")
    expect(found.locator(".legend-entry")).to_have_text("world42")
    assert complaints == []


def test_live_data_comes_in_without_a_reload(server: Server, page: Page) -> None:
    server.send_now("live.level", 7)
    page.goto(f"{server.url}/#/?target=live.level")
    found = wait_for_data(page, "live.level")
    expect(found.locator(".legend-value")).to_have_text("7")

    server.send_now("live.level", 8)

    expect(found.locator(".legend-value")).to_have_text("8")


def test_the_overview_is_fit_to_be_shown_in_light_in_dark_and_on_a_phone(
    server: Server, page: Page, complaints: list[str]
) -> None:
    page.goto(server.url)
    page.get_by_role("article").first.wait_for()
    for article in page.get_by_role("article").all()[:3]:
        expect(article).to_have_attribute("data-points", SOME_POINTS)
    keep_screenshot(page, "overview-light")

    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    keep_screenshot(page, "overview-dark")

    page.set_viewport_size(PHONE)
    expect(page.get_by_role("button", name="Names", exact=True)).to_be_visible()
    keep_screenshot(page, "overview-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert complaints == []


def test_on_a_phone_the_names_are_a_drawer(server: Server, page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto(server.url)
    expect(page.get_by_role("tree")).not_to_be_visible()
    menu = page.get_by_role("button", name="Names", exact=True)
    menu.click()
    expect(page.get_by_role("complementary")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("tree")).not_to_be_visible()
    expect(menu).to_be_focused()
    menu.click()
    page.get_by_role("treeitem", name="shop").click()
    page.get_by_role("treeitem", name="web2").click()
    page.get_by_role("treeitem", name="orders").click()
    expect(page.get_by_role("tree")).not_to_be_visible()
    wait_for_data(page, "shop.web2.orders")


def test_a_name_is_found_and_shown_without_a_mouse(server: Server, page: Page) -> None:
    page.goto(server.url)
    page.get_by_role("treeitem", name="shop").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("web orders")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_for_data(page, "shop.web2.orders")


def test_an_expression_is_drawn_and_a_wrong_one_says_why(server: Server, page: Page) -> None:
    page.goto(server.url)
    open_target(page, "scale(sumSeries(shop.*.orders),10)")
    found = wait_for_data(page, "scale(sumSeries(shop.*.orders),10)")
    expect(found).to_have_attribute("data-series", "1")
    expect(found.locator(".legend-value")).to_have_text("90")

    open_target(page, "noSuchFunction(shop.*.orders)")
    expect(page.get_by_role("alert")).to_contain_text("cannot")
    expect(page.get_by_role("alert")).to_contain_text("noSuchFunction")
    keep_screenshot(page, "error")


def test_the_address_holds_the_view_and_back_goes_back(server: Server, page: Page) -> None:
    page.goto(server.url)
    open_target(page, "shop.web1.orders")
    wait_for_data(page, "shop.web1.orders")
    page.get_by_role("button", name="last 6 hours").click()
    assert page.url.endswith("#/?target=shop.web1.orders&from=-6h&until=now")

    link = page.url
    page.goto("about:blank")
    page.goto(link)
    wait_for_data(page, "shop.web1.orders")
    expect(page.get_by_role("button", name="last 6 hours")).to_have_attribute("aria-pressed", "true")

    page.get_by_role("button", name="last 24 hours").click()
    expect(page.get_by_role("button", name="last 24 hours")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.get_by_role("button", name="last 6 hours")).to_have_attribute("aria-pressed", "true")


def test_a_drag_zooms_all_graphs_and_a_double_click_goes_back(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/#/?target=shop.web1.orders&target=shop.web2.orders")
    wait_for_data(page, "shop.web2.orders")
    canvas = wait_for_data(page, "shop.web1.orders").locator(".u-over")
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=\d+&until=\d+$"))
    expect(page.get_by_role("button", name="Fixed")).to_be_visible()

    canvas.dblclick()
    expect(page).to_have_url(re.compile(r"target=shop\.web2\.orders$"))
    expect(page.get_by_role("button", name="Live")).to_be_visible()


def test_a_finger_drawn_across_a_graph_zooms_and_a_tap_moves_the_crosshair(server: Server, chromium: Browser) -> None:
    context = chromium.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    page.goto(f"{server.url}/#/?target=shop.web1.orders")
    over = wait_for_data(page, "shop.web1.orders").locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.touchscreen.tap(box["x"] + box["width"] - 20, middle)
    expect(page.locator(".graph-moment")).to_be_visible()

    finger = context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def draw(*xs: float) -> None:
        touch("touchStart", (box["x"] + xs[0], middle))
        for x in xs[1:]:
            touch("touchMove", (box["x"] + x, middle))
        touch("touchEnd")

    draw(60, 64)  # not quite still
    expect(page).to_have_url(re.compile(r"target=shop\.web1\.orders$"))
    draw(60, 90, 160)
    expect(page).to_have_url(re.compile(r"from=\d+&until=\d+"))
    page.get_by_role("button", name="zoom out").click()
    expect(page).to_have_url(re.compile(r"target=shop\.web1\.orders$"))
    context.close()


def test_the_crosshair_is_shared_and_keys_move_it(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/#/?target=shop.web1.orders&target=shop.web2.orders&from=-15min&until=now")
    first, second = wait_for_data(page, "shop.web1.orders"), wait_for_data(page, "shop.web2.orders")
    first.get_by_role("group").focus()
    page.keyboard.press("ArrowLeft")
    moment = re.compile(r"^\d\d:\d\d:\d\d$")
    expect(first.locator(".graph-moment")).to_have_text(moment)
    expect(second.locator(".graph-moment")).to_have_text(moment)
    heard = re.compile(r"^\d\d:\d\d:\d\d, orders \d+$")
    expect(first.locator("[aria-live]")).to_have_text(heard)
    expect(second.locator("[aria-live]")).to_have_count(0)


def test_what_a_sender_wrote_is_text_and_nothing_else(server: Server, page: Page, complaints: list[str]) -> None:
    server.send("<script>alert(1)</script> <b>two</b> three four five", "<img/src=x/onerror=alert(2)> 1 nan")
    page.goto(f"{server.url}/#/ledger")
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    expect(page.get_by_role("rowheader", name=f"tcp://127.0.0.1:{server.carbon_port}")).to_be_visible()
    keep_screenshot(page, "ledger")
    assert page.locator("main script, main img, main b").count() == 0
    assert complaints == []


def test_what_was_rejected_is_found_by_a_part_of_its_name(server: Server, page: Page, complaints: list[str]) -> None:
    server.send("seek.and.find 1 2 3", "other.name 1 nan")
    page.goto(f"{server.url}/#/ledger")
    rejected = page.get_by_role("table").filter(has_text="As it came")
    expect(rejected.get_by_text("other.name 1 nan")).to_be_visible()
    page.get_by_label("Find among what was rejected").fill("seek.and")
    expect(rejected.get_by_role("row")).to_have_count(2)
    expect(rejected.get_by_text("seek.and.find 1 2 3")).to_be_visible()
    page.get_by_label("Reason").select_option("timestamp")
    expect(page.get_by_text("Nothing like that was rejected.")).to_be_visible()
    page.set_viewport_size(PHONE)
    keep_screenshot(page, "ledger-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert complaints == []


def test_a_graph_says_how_complete_it_is_and_what_was_lost(server: Server, page: Page) -> None:
    now_s = int(time.time())
    server.send(*(f"whole.a.level {k} {now_s}" for k in range(5)))
    server.send(f"torn.a.level 1 {now_s}", f"torn.a.level 1 {now_s + 90_000}")
    page.goto(f"{server.url}/#/?target=torn.a.level&from=-15min&until=now")
    said = wait_for_data(page, "torn.a.level").locator(".complete")
    expect(said).to_have_text(re.compile(r"^complete \d"))
    assert "future: 1" in (said.get_attribute("title") or "")
    keep_screenshot(page, "complete")
    said.click()
    expect(page.get_by_role("heading", name="Ledger")).to_be_visible()


def test_what_happened_is_marked_on_graphs_and_said_under_the_crosshair(server: Server, page: Page) -> None:
    now_s = int(time.time())
    server.send_now("marked.level", *range(30))
    event = {"what": "deployed <b>shop</b> 4.2", "tags": ["deploy"], "when": now_s - 150}
    httpx2.post(f"{server.url}/events", json=event, verify=False).raise_for_status()
    page.goto(f"{server.url}/#/?target=marked.level&from={now_s - 300}&until={now_s}")
    found = wait_for_data(page, "marked.level")
    box = found.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    expect(found.locator(".graph-moment")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d · deployed <b>shop</b> 4\.2$"))
    keep_screenshot(page, "marked")
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60)
    expect(found.locator(".graph-moment")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))


def test_what_a_graph_had_stays_when_the_server_is_gone_and_it_says_so(server: Server, page: Page) -> None:
    server.send_now("steady.level", 5)
    page.goto(f"{server.url}/#/?target=steady.level")
    found = wait_for_data(page, "steady.level")
    page.route("**/api/query*", lambda route: route.abort())
    expect(found.get_by_role("alert")).to_have_text("The server does not answer; trying again.")
    expect(found.locator(".legend-value")).to_have_text("5")
    page.unroute("**/api/query*")
    expect(found.get_by_role("alert")).to_have_count(0)


def test_an_answer_that_is_cut_short_is_no_error(server: Server, page: Page, complaints: list[str]) -> None:
    page.goto(f"{server.url}/#/?target=shop.web1.orders")
    found = wait_for_data(page, "shop.web1.orders")
    for range_name in ("last hour", "last 6 hours", "last 24 hours", "last 15 minutes"):  # each gives up the one before
        page.get_by_role("button", name=range_name).click()
    expect(found).to_have_attribute("data-points", SOME_POINTS)
    assert complaints == []


def test_a_sum_is_drawn_up_to_its_last_whole_slot_and_says_in_how_much_time_it_was_counted(
    server: Server, page: Page
) -> None:
    page.goto(f"{server.url}/#/?target=tallystick.ledger.listeners.*.stored")
    found = graph(page, "tallystick.ledger.listeners.*.stored")
    expect(found).to_have_attribute("data-points", SOME_POINTS)
    expect(found.locator(".axis-word")).to_have_text(re.compile(r"per 10\ss$"))


def test_the_theme_is_remembered(server: Server, page: Page) -> None:
    page.goto(server.url)
    for _ in range(2):
        page.get_by_role("button", name=re.compile("^Theme")).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_graph_says_what_its_slots_are_and_until_when_they_are_kept(server: Server, page: Page) -> None:
    now_s = int(time.time())
    server.send(*(f"aged.level {k % 7} {now_s - k * 6 * 3600}" for k in range(1, 100)), f"aged.level 3 {now_s}")
    page.goto(f"{server.url}/#/?target=aged.level&from=-24h&until=now")
    note = wait_for_data(page, "aged.level").locator(".graph-note")
    expect(note).to_have_text(re.compile(r"^110\ss slots of 10\ss · kept until \d+ \w+$"))
    page.goto(f"{server.url}/#/?target=aged.level&from=-25d&until=now")
    expect(note).to_have_text(re.compile(r"^.+ slots · kept until \d+ \w+ · 10\ss since \d+ \w+$"))
    keep_screenshot(page, "resolutions-light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    keep_screenshot(page, "resolutions-dark")
    page.set_viewport_size(PHONE)
    expect(page.get_by_role("tree")).not_to_be_visible()
    keep_screenshot(page, "resolutions-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_graph_says_its_unit_its_owner_and_what_it_counts(server: Server, page: Page, complaints: list[str]) -> None:
    now_s = int(time.time())
    server.send(*(f"said.web1.sent {(k * 7 % 11 + 3) * 150_000} {now_s - 10 * k}" for k in range(90)))
    server.send(*(f"said.web1.orders {k * 5 % 7 + 2} {now_s - 10 * k}" for k in range(90)))
    rules = [
        {"query": "said.*.sent", "unit": "bytes", "description": "Bytes of bodies, to whoever asked."},
        {
            "query": "said.*.orders",
            "unit": "orders",
            "alert": "below 1 for 10 min",
            "description": "<b>Paid</b> orders.",
        },
        {"query": "said.*.*", "owner": "team-shop"},
    ]
    for rule in rules:
        httpx2.post(f"{server.url}/api/metadata", json=rule, verify=False).raise_for_status()

    page.goto(f"{server.url}/#/?target=said.web1.sent&target=said.web1.orders&from=-15min&until=now")
    sent, orders = wait_for_data(page, "said.web1.sent"), wait_for_data(page, "said.web1.orders")
    expect(sent.locator(".legend-value")).to_have_text(re.compile("^439.KiB$"))
    expect(sent.locator(".about")).to_have_text("team-shopBytes of bodies, to whoever asked.")
    expect(orders.locator(".axis-word")).to_have_text("orders")
    expect(orders.locator(".about-text")).to_have_text("<b>Paid</b> orders. Alert: below 1 for 10 min")
    keep_screenshot(page, "meaning-light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    keep_screenshot(page, "meaning-dark")
    page.set_viewport_size(PHONE)
    expect(page.get_by_role("tree")).not_to_be_visible()
    keep_screenshot(page, "meaning-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(f"{server.url}/#/?at=said")
    expect(page.locator(".about.brief").first).to_be_visible()
    expect(page.locator(".legend-value").last).to_have_text(re.compile("^439.KiB$"))
    keep_screenshot(page, "meaning-overview-phone")
    assert complaints == []
