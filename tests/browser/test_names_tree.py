"""Every name that a sender may choose is found in the tree and by searching, and drawn by a click on it."""

import re

import pytest
from playwright.sync_api import Page, expect

from servers import Server

pytestmark = pytest.mark.browser

# Everything that means something in a glob, in a target, or on a page.
PARTS = [
    "f(x)",
    "{a,b}",
    "a*b",
    "a?b",
    "c[d]",
    'so"called"',
    "it's",
    "back\\slash",
    "a,b",
    "a|b",
    "<b>b</b>",
    "50%20",
    "é",
]


@pytest.fixture(scope="module")
def odd(server: Server) -> Server:
    for part in PARTS:
        server.send_now(f"odd.{part}.level", 7)
    server.send_now("tagged.level;route=/orders/(id);status=200", 3)
    server.send_now("tagged.level;route=/orders/(id);status=500", 4)
    return server


def test_each_name_is_drawn_from_the_tree(odd: Server, page: Page, complaints: list[str]) -> None:
    page.goto(f"{odd.url}/#/")
    tree = page.get_by_role("tree")
    tree.get_by_title("odd", exact=True).locator(".twig").click()
    for part in PARTS:
        tree.get_by_title(f"odd.{part}", exact=True).locator(".twig").click()
        name = f"odd.{part}.level"
        leaf = tree.get_by_title(name, exact=True)
        leaf.click()
        graph = page.get_by_role("article", name=name, exact=True)
        expect(graph).to_have_attribute("data-series", "1")
        expect(graph.locator(".legend-value")).to_have_text("7")
        expect(leaf).to_have_attribute("aria-selected", "true")
    assert complaints == []


def test_each_name_is_drawn_from_the_search_and_its_address_can_be_shared(odd: Server, page: Page) -> None:
    page.goto(odd.url)
    for part in ("f(x)", "{a,b}", "a*b"):
        search = page.get_by_label("Search names")
        search.fill(f"odd {part} level")
        page.get_by_role("option", name=f"odd.{part}.level", exact=True).click()
        graph = page.get_by_role("article", name=f"odd.{part}.level", exact=True)
        expect(graph.locator(".legend-value")).to_have_text("7")
        page.reload()
        expect(graph.locator(".legend-value")).to_have_text("7")


def test_a_branch_of_odd_names_is_one_graph_that_tells_them_apart(
    odd: Server, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{odd.url}/#/?at=odd")
    graph = page.get_by_role("article", name="odd · level", exact=True)
    expect(graph).to_have_attribute("data-series", str(len(PARTS)))
    graph.get_by_role("button", name=re.compile("more$")).click()
    assert sorted(graph.locator(".legend-name").all_inner_texts()) == sorted(PARTS)
    assert complaints == []


def test_tags_are_told_apart_by_the_values_that_differ(odd: Server, page: Page) -> None:
    page.goto(f"{odd.url}/#/?at=tagged")
    graph = page.get_by_role("article", name="tagged", exact=True)
    expect(graph.locator(".legend-name")).to_have_text(["status=200", "status=500"])
