"""The shop in a real browser: a visit from the first page to the order, and what the shop's owner sees of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from catalog import embedding
from catalog.models import Product
from interactions.models import MergedSession
from recommendations.models import ServedList
from recommendations.recorder import recorder
from reemio.access.models import ApiKey, issue_key
from reemio.demo.keys import ensure_key
from tests.browsing import DESKTOP, MARKS, PHONE, browser, events, eventually, forget_engine, from_database
from tests.demo.test_seed import load_catalogue

pytestmark = MARKS
LARGEST_PAGE = 300 * 1024


@pytest.fixture
def shop(live_server: LiveServer, committed_database: None) -> Iterator[str]:
    """The shop's address, with the bundled catalogue, and keys required: the shop has one of its own."""
    forget_engine()
    load_catalogue()
    ensure_key()
    yield live_server.url
    recorder.close()


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def visit(request: pytest.FixtureRequest, shop: str, settings: Any) -> Iterator[BrowserContext]:
    """A browser of either size that has never been here, and a Reemio that wants a key."""
    settings.REEMIO_REQUIRE_API_KEY = True
    with browser(base_url=shop, **request.param) as context:
        yield context


@pytest.fixture
def desktop(shop: str) -> Iterator[BrowserContext]:
    with browser(base_url=shop, **DESKTOP) as context:
        yield context


def listen(tab: Page) -> list[str]:
    """Collect what a page complains about in its console, and by exceptions."""
    complaints: list[str] = []
    tab.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def cards(tab: Page, placement: str = "homepage") -> Any:
    return tab.locator(f"[data-list={placement}] [data-reemio-product]")


def shown(tab: Page) -> list[str]:
    """Return the ids of the products on the first list of the page, once it is there."""
    expect(cards(tab).first).to_be_visible()
    return [str(one) for one in cards(tab).evaluate_all("all => all.map((one) => one.dataset.reemioProduct)")]


def test_from_the_first_visit_to_the_order_and_the_shops_figures_say_just_that(visit: BrowserContext) -> None:
    tab = visit.new_page()
    complaints = listen(tab)
    tab.goto("/")
    first_list = shown(tab)
    assert len(first_list) == 12
    # What was in sight for a second was seen, and nothing else.
    cards(tab).first.scroll_into_view_if_needed()
    in_sight = tab.evaluate(
        """() => [...document.querySelectorAll("[data-reemio-product]")].filter((card) => {
            const {top, bottom, height} = card.getBoundingClientRect();
            return Math.min(bottom, innerHeight) - Math.max(top, 0) >= height / 2;
        }).map((card) => card.dataset.reemioProduct)"""
    )
    assert 0 < len(in_sight) < 12
    assert eventually(tab, lambda: len(events("recommendation_view")) == len(in_sight))
    assert [one.product_id for one in events("recommendation_view")] == in_sight
    # A click leads to the product, which goes into the cart.
    cards(tab).first.get_by_role("link").click()
    expect(tab.get_by_role("button", name="Add to cart")).to_be_visible()
    clicked = eventually(tab, lambda: events("recommendation_click"))[0]
    assert (clicked.product_id, clicked.recommendation_position) == (first_list[0], 1)
    tab.get_by_role("button", name="Add to cart").click()
    expect(tab.locator("[data-cart-number]")).to_have_text("1")
    # Who logs in takes the session and the cart along.
    tab.locator(".who summary").click()
    tab.get_by_role("button", name="Kipchoge Korir").click()
    expect(tab.locator(".who-name b")).to_have_text("Kipchoge")
    assert eventually(tab, lambda: {one.user_id for one in events()} == {"kipchoge-korir"})
    session = from_database(lambda: MergedSession.objects.get())
    assert (session.session_id, session.user_id) == (clicked.session_id, "kipchoge-korir")
    # The order, of which the thank-you page may be opened twice.
    tab.goto("/shop/cart")
    tab.get_by_role("link", name="Go to checkout").click()
    tab.get_by_role("button", name="Place the order").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Thank you, Kipchoge.")
    tab.reload()
    bought = eventually(tab, lambda: events("purchase"))
    assert [(one.product_id, one.quantity, one.recommendation_request_id) for one in bought] == [
        (first_list[0], 1, clicked.recommendation_request_id)
    ]
    assert re.fullmatch(r"R-[0-9A-F]{10}", bought[0].order_id or "")
    # What was bought is gone from the homepage, and the order of the rest has moved.
    tab.goto("/")
    expect(tab.locator("[data-list=homepage] h2").first).not_to_have_text("Popular right now")
    second_list = shown(tab)
    assert first_list[0] not in second_list
    assert second_list != first_list
    tab.goto("about:blank")
    kinds = sorted(one.interaction_type for one in events() if one.interaction_type != "recommendation_view")
    # The product's page was opened twice: by the click, and again by logging in there.
    assert kinds == ["cart_add", "purchase", "recommendation_click", "view", "view"]
    _check_figures(str(clicked.recommendation_request_id), len(in_sight))
    assert complaints == []


def _check_figures(request_id: str, impressions: int) -> None:
    """The shop's owner sees of that list what the visit was, and nothing else."""
    recorder.close()
    served = from_database(lambda: ServedList.objects.get(request_id=request_id))
    assert (served.user_id, served.context, served.strategy) == ("kipchoge-korir", "homepage", "popular")
    rows = {row["strategy"]: row for row in from_database(lambda: performance("strategy"))}
    first = rows["popular"]
    assert (first["served"], first["impressions"], first["clicks"], first["conversions"]) == (1, impressions, 1, 1)
    assert first["attributed_revenue"] == str(events("purchase")[0].unit_price)
    assert [sum(row[name] for row in rows.values()) for name in ("clicks", "conversions")] == [1, 1]
    assert sum(row["impressions"] for row in rows.values()) == len(events("recommendation_view"))


def performance(group_by: str) -> list[dict[str, Any]]:
    """Ask the API what recommendations did, as the shop's server would."""
    _, key = issue_key(name="server", kind=ApiKey.Kind.SECRET)
    asked = APIClient().get(
        "/api/v1/analytics/recommendations/performance", {"group_by": group_by, "days": 2},
        headers={"Authorization": f"Api-Key {key}"},
    )  # fmt: skip
    return list(asked.json()["items"])


def test_the_x_ray_shows_what_stands_behind_a_list_and_the_events_as_they_go(desktop: BrowserContext) -> None:
    tab = desktop.new_page()
    complaints = listen(tab)
    tab.goto("/")
    first = shown(tab)[0]
    tab.get_by_role("button", name="X-ray").click()
    panel = tab.get_by_role("complementary", name="X-ray")
    expect(panel.get_by_role("heading", name="Homepage")).to_be_visible()
    facts = panel.locator(".xray-list .xray-facts").inner_text()
    assert re.search(r"Strategy\npopular", facts)
    assert re.search(r"Engine\n[\d.]+ ms", facts)
    assert re.search(r"Model\n(none yet|version \d+)", facts)
    expect(panel.locator(".xray-items li")).to_have_count(12)
    expect(panel.locator(".xray-items li").first).to_contain_text("popularity: 0.")
    cards(tab).first.scroll_into_view_if_needed()
    line = panel.locator(".xray-log li", has_text=f"was shown {first} (place 1)")
    expect(line).to_contain_text("stored")
    # It stays open over pages, and closes by Escape.
    tab.goto("/shop/cart")
    expect(panel).to_be_visible()
    expect(panel.locator(".xray-log li", has_text=f"was shown {first}")).to_have_count(1)
    tab.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert complaints == []


def test_a_search_is_narrowed_by_filters_and_told_with_them(desktop: BrowserContext) -> None:
    embedding.warm_up()  # The first search of a process loads the model, which takes its time.
    tab = desktop.new_page()
    complaints = listen(tab)
    tab.goto("/")
    tab.get_by_role("searchbox").fill("tea")
    tab.keyboard.press("Enter")
    expect(tab.locator("[data-found] .card-link").first).to_be_visible()
    tab.locator("select[name=category]").select_option("Grocery")
    tab.wait_for_url("**category=Grocery**")
    expect(tab.locator("[data-found] .card-link").first).to_be_visible()
    expect(tab.locator("[data-total]")).to_contain_text("product")
    asked = eventually(tab, lambda: len(events("search")) == 2 and events("search"))[1]
    assert asked.search_query == "tea"
    assert asked.extra_data["filters"] == {"category": "Grocery"}
    assert asked.extra_data["resultsCount"] == int(tab.locator("[data-total]").inner_text().split()[0])
    assert complaints == []


def test_without_reemio_the_shop_goes_on_and_an_order_is_told_later_once(desktop: BrowserContext, shop: str) -> None:
    product = from_database(lambda: Product.objects.available().first())
    assert product is not None
    tab = desktop.new_page()
    broken: list[str] = []
    tab.on("pageerror", lambda error: broken.append(str(error)))
    # A policy of the page's, and not the browser's wires: what leaves with a closing page is held back, too.
    desktop.add_init_script(
        "if (!sessionStorage.up) window.fetch = ((real) => (url, ...more) => "
        "String(url).includes('/api/v1/') ? Promise.reject(new TypeError('down')) : real(url, ...more))(fetch)"
    )
    tab.goto(f"/shop/products/{product.product_id}")
    expect(tab.locator(".skeleton")).to_have_count(0)
    tab.get_by_role("button", name="Add to cart").click()
    expect(tab.locator("[data-cart-number]")).to_have_text("1")
    tab.goto("/shop/checkout")
    tab.get_by_label("Name").fill("N")
    tab.get_by_label("Street").fill("S")
    tab.get_by_label("City").fill("C")
    tab.get_by_role("button", name="Place the order").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Thank you.")
    assert events() == []
    tab.evaluate("sessionStorage.up = 1")
    tab.goto("/")
    assert eventually(tab, lambda: len(events("purchase")) == 1)
    assert sorted(one.interaction_type for one in events()) == ["cart_add", "purchase", "view"]
    assert broken == []


def test_the_front_page_is_light_and_does_not_move(visit: BrowserContext) -> None:
    tab = visit.new_page()
    sizes: list[int] = []
    tab.on("requestfinished", lambda request: sizes.append(sum(request.sizes()[part] for part in PARTS)))
    tab.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => "
        "{ if (!entry.hadRecentInput) window.moved += entry.value; })).observe({type: 'layout-shift', buffered: true})"
    )
    tab.goto("/")
    shown(tab)
    tab.wait_for_load_state("networkidle")
    assert sum(sizes) < LARGEST_PAGE
    assert tab.evaluate("window.moved") == 0
    product_id = cards(tab).first.get_attribute("data-reemio-product")
    tab.goto(f"/shop/products/{product_id}")
    expect(cards(tab, "product").first).to_be_attached()
    expect(cards(tab, "frequently-bought-together").first).to_be_attached()
    assert tab.evaluate("window.moved") == 0
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


PARTS = ("responseBodySize", "responseHeadersSize")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_keeps_anybody_out(shop: str, colours: str) -> None:
    """Axe finds no serious violation, on any page, in either set of colours; the keyboard reaches a product."""
    size = PHONE if colours == "dark" else DESKTOP
    with browser(base_url=shop, color_scheme=colours, **size) as context:
        tab = context.new_page()
        tab.goto("/")
        product_id = shown(tab)[0]
        found = {"/": serious(tab)}
        tab.locator("[data-xray-toggle]").first.click()
        found["x-ray"] = serious(tab)
        tab.keyboard.press("Escape")
        for page in (f"/shop/products/{product_id}", "/shop/categories/Garden", "/shop/search", "/shop/account"):
            tab.goto(page)
            expect(tab.locator(".skeleton")).to_have_count(0)
            found[page] = serious(tab)
        tab.goto(f"/shop/products/{product_id}")
        tab.get_by_role("button", name="Add to cart").click()
        expect(tab.locator("[data-cart-number]")).to_have_text("1")
        for page in ("/shop/cart", "/shop/checkout"):
            tab.goto(page)
            expect(tab.locator(".skeleton")).to_have_count(0)
            found[page] = serious(tab)
        assert {page: faults for page, faults in found.items() if faults} == {}
        tab.goto("/")
        shown(tab)
        tab.keyboard.press("Tab")
        expect(tab.get_by_role("link", name="Skip to content")).to_be_focused()
        tab.keyboard.press("Enter")
        for _ in range(40):
            tab.keyboard.press("Tab")
            if tab.evaluate("document.activeElement.matches('[data-reemio-product] a')"):
                break
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("button", name="Add to cart")).to_be_visible()
        assert eventually(tab, lambda: len(events("recommendation_click")) == 1)


def serious(tab: Page) -> list[str]:
    """Return what axe calls serious or critical: the rule, and where."""
    report = Axe().run(tab).response
    return [
        f"{fault['id']}: {json.dumps([node['target'] for node in fault['nodes']])[:300]}"
        for fault in report["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_without_scripts_the_shop_is_all_there(shop: str) -> None:
    with browser(base_url=shop, java_script_enabled=False, **DESKTOP) as context:
        tab = context.new_page()
        tab.goto("/shop/categories/Garden")
        tab.wait_for_url("**/shop/categories/Garden")
        expect(tab.locator("[data-reemio-request] [data-reemio-product]")).to_have_count(4)
        tab.locator(".shelf .card-link").first.click()
        expect(tab.locator("[data-reemio-context=product_page]")).to_have_count(2)
        tab.get_by_role("button", name="Add to cart").click()
        tab.get_by_role("link", name="Go to checkout").click()
        tab.get_by_label("Name").fill("N")
        tab.get_by_label("Street").fill("S")
        tab.get_by_label("City").fill("C")
        tab.get_by_role("button", name="Place the order").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Thank you.")
    assert [one.interaction_type for one in events()] == ["view", "cart_add", "purchase"]
