"""The shop in a real browser, at a phone's and at a desktop's size: what is done there reaches the API's tables."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import BrowserContext, Page, Response, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from catalog.models import Product
from interactions.models import Interaction
from recommendations import neighbours, popular, selectors
from recommendations.recorder import recorder
from recommendations.shelf import shelf
from tests.demo.test_seed import load_catalogue

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE = {"width": 360, "height": 780}
DESKTOP = {"width": 1280, "height": 900}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture
def shop(live_server: LiveServer, committed_database: None) -> Iterator[str]:
    """The shop's address, with the bundled catalogue."""
    for forget in (shelf.clear, neighbours.forget, popular.forget, selectors.forget):
        forget()
    load_catalogue()
    yield live_server.url
    recorder.close()


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def visit(request: pytest.FixtureRequest, shop: str) -> Iterator[BrowserContext]:
    """A browser of either size that has never been here.

    It is started for each test, and not by pytest-playwright for the session: while it lives, an event loop runs in
    this thread, in which Django would neither set a database up nor clear it.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        context = browser.new_context(viewport=request.param, base_url=shop)
        context.set_default_timeout(10_000)
        yield context
        browser.close()


@pytest.fixture
def tab(visit: BrowserContext) -> Iterator[Page]:
    """A page that must not complain: neither in its console, nor by an exception, nor by scrolling sideways."""
    tab = visit.new_page()
    complaints: list[str] = []
    tab.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    assert complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def posted(kind: str) -> Any:
    """Match the response to a post of events of this kind."""

    def matches(response: Response) -> bool:
        request = response.request
        return request.method == "POST" and "/interactions" in request.url and f'"{kind}"' in (request.post_data or "")

    return matches


def session_of(tab: Page) -> str:
    return tab.locator("body").get_attribute("data-session") or ""


def events(kind: str) -> list[Interaction]:
    """Read the stored events of a kind, in a thread of its own: the browser's loop is running in this one."""

    def read() -> list[Interaction]:
        try:
            return list(Interaction.objects.filter(interaction_type=kind).order_by("pk"))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(read).result()


@pytest.fixture
def garden(shop: str) -> list[Product]:
    return list(Product.objects.available().filter(category__startswith="Garden > Watering").order_by("pk")[:2])


@pytest.fixture
def a_product(garden: list[Product]) -> Product:
    return garden[0]


def test_the_front_page_fills_its_list_with_cards_that_say_why(tab: Page) -> None:
    tab.goto("/")
    cards = tab.locator("[data-list=homepage] .card:not(.skeleton)")
    expect(cards).to_have_count(12)
    expect(cards.first.locator(".card-reason")).not_to_be_empty()
    cards.first.locator("summary").click()
    expect(cards.first.locator(".why-body")).to_contain_text("Score")
    tab.keyboard.press("Escape")
    expect(cards.first.locator(".why-body")).to_be_hidden()


def test_a_view_is_posted_with_the_visits_session(a_product: Product, tab: Page) -> None:
    with tab.expect_response(posted("view")) as answer:
        tab.goto(f"/shop/products/{a_product.product_id}")
    assert answer.value.status == 201
    assert [(one.product_id, one.session_id, one.user_id) for one in events("view")] == [
        (a_product.product_id, session_of(tab), None)
    ]


def test_what_is_put_in_the_cart_is_counted_announced_and_posted(a_product: Product, tab: Page) -> None:
    tab.goto(f"/shop/products/{a_product.product_id}")
    tab.get_by_label("Quantity").select_option("2")
    with tab.expect_response(posted("cart_add")) as answer:
        tab.get_by_role("button", name="Add to cart").click()
    assert answer.value.status == 201
    expect(tab.get_by_role("status")).to_have_text(f"{a_product.title} is in your cart.")
    expect(tab.locator("[data-cart-number]")).to_have_text("2")
    assert [(one.product_id, one.quantity, one.unit_price) for one in events("cart_add")] == [
        (a_product.product_id, 2, a_product.price)
    ]


def test_an_order_is_posted_once_with_all_its_lines_and_empties_the_cart(garden: list[Product], tab: Page) -> None:
    for product in garden:
        tab.goto(f"/shop/products/{product.product_id}")
        with tab.expect_response(posted("cart_add")):
            tab.get_by_role("button", name="Add to cart").click()
    tab.goto("/shop/cart")
    with tab.expect_response(posted("purchase")) as answer:
        tab.get_by_role("button", name="Place the order").click()
    assert answer.value.status == 201
    tab.wait_for_url(re.compile("/shop/thanks"))
    bought = events("purchase")
    assert [(one.product_id, one.quantity, one.unit_price) for one in bought] == [
        (product.product_id, 1, product.price) for product in garden
    ]
    assert len({one.order_id for one in bought}) == 1
    expect(tab.locator("[data-cart-count]")).to_be_hidden()


def test_a_removed_line_is_posted_and_gone(a_product: Product, tab: Page) -> None:
    tab.goto(f"/shop/products/{a_product.product_id}")
    with tab.expect_response(posted("cart_add")):
        tab.get_by_role("button", name="Add to cart").click()
    tab.goto("/shop/cart")
    with tab.expect_response(posted("cart_remove")):
        tab.get_by_role("button", name=f"Remove {a_product.title}").click()
    expect(tab.get_by_text("Nothing in it yet.")).to_be_visible()
    assert [one.product_id for one in events("cart_remove")] == [a_product.product_id]


def test_what_was_seen_and_clicked_is_posted_with_its_list_and_credited(tab: Page) -> None:
    tab.goto("/")
    first = tab.locator("[data-list=homepage] .card:not(.skeleton)").first
    first.scroll_into_view_if_needed()
    with tab.expect_response(posted("recommendation_view")):
        first.hover()
    seen = {one.recommendation_position: one for one in events("recommendation_view")}
    assert seen[1].recommendation_context == "homepage"
    with tab.expect_response(posted("view")):
        first.locator(".card-link").click()
    clicked, viewed = events("recommendation_click")[0], events("view")[0]
    assert clicked.product_id == seen[1].product_id == viewed.product_id
    assert clicked.recommendation_request_id == seen[1].recommendation_request_id
    assert (viewed.recommendation_request_id, viewed.recommendation_position) == (clicked.recommendation_request_id, 1)


def test_a_chosen_shopper_is_greeted_and_their_events_carry_their_name(a_product: Product, tab: Page) -> None:
    tab.goto("/")
    tab.locator(".who summary").click()
    tab.get_by_role("button", name="Kipchoge Korir").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Good to see you again, Kipchoge.")
    with tab.expect_response(posted("view")):
        tab.goto(f"/shop/products/{a_product.product_id}")
    assert events("view")[0].user_id == "kipchoge-korir"


def test_a_search_shows_results_and_is_posted_with_their_number(tab: Page) -> None:
    tab.goto("/")
    tab.get_by_role("searchbox").fill("tea")
    # The first search of a process loads the embedding model.
    with tab.expect_response(posted("search"), timeout=90_000):
        tab.keyboard.press("Enter")
    expect(tab.locator(".results .card:not(.skeleton)").first).to_be_visible()
    asked = events("search")[0]
    assert asked.search_query == "tea"
    assert asked.extra_data["resultsCount"] > 0


def test_a_saved_product_is_posted_and_stays_saved(a_product: Product, tab: Page) -> None:
    tab.goto(f"/shop/products/{a_product.product_id}")
    with tab.expect_response(posted("wishlist_add")):
        tab.get_by_role("button", name="Save").click()
    tab.reload()
    expect(tab.get_by_role("button", name="Saved")).to_have_attribute("aria-pressed", "true")
    assert len(events("wishlist_add")) == 1


def test_without_the_api_the_lists_leave_and_the_shop_goes_on(a_product: Product, visit: BrowserContext) -> None:
    tab = visit.new_page()
    broken: list[str] = []
    tab.on("pageerror", lambda error: broken.append(str(error)))
    tab.route("**/api/v1/**", lambda route: route.abort())
    tab.goto(f"/shop/products/{a_product.product_id}")
    expect(tab.locator("[data-list=product]")).to_be_hidden()
    expect(tab.locator("[data-list=frequently-bought-together]")).to_be_hidden()
    tab.get_by_role("button", name="Add to cart").click()
    expect(tab.locator("[data-cart-number]")).to_have_text("1")
    tab.goto("/shop/cart")
    tab.get_by_role("button", name="Place the order").click()
    expect(tab.get_by_role("alert")).to_contain_text("could not be placed")
    assert events("view") == events("cart_add") == events("purchase") == []
    assert broken == []
