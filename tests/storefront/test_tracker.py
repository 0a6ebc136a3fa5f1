"""`reemio.js` on a shop of another origin, in a real browser: what it tells Reemio, when, and how often."""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from catalog.models import Product
from interactions.models import MergedSession
from recommendations.models import ServedList
from recommendations.recorder import recorder
from recommendations.shelf import shelf
from reemio.access.models import ApiKey, issue_key
from tests.browsing import MARKS, events, eventually, from_database
from tests.storefront.conftest import Gate, Serve

pytestmark = MARKS
LIST = '<h1>Lamps</h1><div style="height: 1500px"></div><section id="list"></section><footer>The end</footer>'
RENDER = """<script>(window.reemio ||= []).push((reemio) => {
  const show = () => { window.done = reemio.render("homepage", "#list", {limit: 8, heading: "For you"}); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
  else show();
});</script>"""


def loaded(tab: Page) -> None:
    tab.wait_for_function("window.reemio?.version")


def quiet(visit: BrowserContext) -> tuple[Page, list[str]]:
    """Open a tab, and listen to what it complains about."""
    tab, complaints = visit.new_page(), list[str]()
    tab.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    return tab, complaints


def test_only_what_was_half_in_sight_for_a_second_is_an_impression_and_a_click_leads_to_the_product(
    visit: BrowserContext, serve: Serve
) -> None:
    home = serve("/", LIST, head=RENDER)
    tab, complaints = quiet(visit)
    tab.goto(home)
    expect(tab.locator("#list .reemio-link")).to_have_count(8)
    tab.wait_for_timeout(1300)
    assert events() == []  # The list is below the fold.
    # Past it and back before a second is over, then to where most of its first row is in sight.
    row = tab.locator("#list .reemio-item").first.bounding_box()
    assert row is not None
    tab.evaluate("scrollTo(0, 9999)")
    tab.evaluate(f"scrollTo(0, {row['y'] - 900 + row['height'] * 0.8})")
    seen = tab.evaluate(
        """() => [...document.querySelectorAll("#list .reemio-item")].filter((item) => {
            const {top, bottom, height} = item.getBoundingClientRect();
            return Math.min(bottom, innerHeight) - Math.max(top, 0) >= height / 2;
        }).map((item) => [item.dataset.reemioProduct, Number(item.dataset.reemioPosition)])"""
    )
    assert 0 < len(seen) < 8
    assert eventually(tab, lambda: len(events("recommendation_view")) == len(seen))
    shown = events("recommendation_view")
    assert [(one.product_id, one.recommendation_position) for one in shown] == [tuple(pair) for pair in seen]
    assert {one.recommendation_context for one in shown} == {"homepage"}
    recorder.close()
    served = from_database(lambda: ServedList.objects.get())
    assert {one.recommendation_request_id for one in shown} == {served.request_id}
    # Out of sight and into it again: counted once all the same. The click has the request and the place.
    tab.evaluate("scrollTo(0, 0)")
    tab.evaluate(f"scrollTo(0, {row['y'] - 900 + row['height'] * 0.8})")
    tab.wait_for_timeout(1300)
    first = served.products[0]
    serve(f"/{first}", f'<article data-reemio-view="{first}" style="height: 3000px">')
    tab.locator("#list .reemio-link").first.click()
    loaded(tab)
    clicked = eventually(tab, lambda: events("recommendation_click"))[0]
    assert (clicked.product_id, clicked.recommendation_position) == (first, 1)
    assert clicked.recommendation_request_id == served.request_id
    assert len({one.product_id for one in events("recommendation_view")}) == len(events("recommendation_view"))
    # The view is told with the time that the product was looked at, when the shopper leaves.
    assert events("view") == []
    tab.mouse.wheel(0, 1050)
    tab.wait_for_timeout(1300)
    tab.goto(home)
    viewed = eventually(tab, lambda: events("view"))[0]
    assert (viewed.product_id, viewed.recommendation_request_id) == (first, served.request_id)
    assert viewed.extra_data["device"] == "desktop"
    assert 1 <= viewed.extra_data["timeOnPageSeconds"] <= 4
    assert 55 <= viewed.extra_data["scrollDepthPercent"] <= 75
    assert viewed.extra_data["sessionDurationSeconds"] >= viewed.extra_data["timeOnPageSeconds"]
    assert len({one.session_id for one in events()}) == 1
    assert {one.user_id for one in events()} == {None}
    assert complaints == []


def test_while_reemio_is_down_the_page_works_and_what_happened_arrives_later_once(
    visit: BrowserContext, serve: Serve, gate: Gate
) -> None:
    html = '<p id="above">Above</p><section id="list"></section><p id="below">Below</p>'
    page = serve("/", html, f'data-api="{gate.url}"', RENDER)
    tab = visit.new_page()
    broken: list[str] = []
    tab.on("pageerror", lambda error: broken.append(str(error)))
    tab.goto(page)
    loaded(tab)
    before = tab.locator("#below").bounding_box()
    assert tab.evaluate("window.done") is None
    expect(tab.locator("#list .reemio-item")).to_have_count(0)
    assert tab.locator("#below").bounding_box() == before  # An empty place, and no jump.
    tab.evaluate("reemio.addToCart('lamp-1', {quantity: 2, unit_price: '1.00', currency: 'EUR'})")
    tab.evaluate("reemio.search('lamps', {resultsCount: 12})")
    tab.evaluate("reemio.purchase({order_id: 'A1', currency: 'EUR', items: [{product_id: 'lamp-1', quantity: 2}]})")
    tab.wait_for_timeout(300)
    tab.reload()
    loaded(tab)
    # The thank-you page is opened twice: its order is one order.
    tab.evaluate("reemio.purchase({order_id: 'A1', currency: 'EUR', items: [{product_id: 'lamp-1', quantity: 2}]})")
    assert events() == []
    gate.open()
    tab.evaluate("dispatchEvent(new Event('online'))")
    kinds = eventually(tab, lambda: sorted(one.interaction_type for one in events()))
    assert kinds == ["cart_add", "purchase", "search"]
    bought = events("purchase")[0]
    assert (bought.order_id, bought.event_id, bought.quantity, bought.currency) == (
        "A1",
        "purchase:A1:lamp-1",
        2,
        "EUR",
    )
    assert eventually(
        tab, lambda: tab.evaluate("Object.keys(localStorage).filter((n) => n.includes(':q:')).length === 0")
    )
    tab.reload()
    loaded(tab)
    assert tab.evaluate("reemio.flush()") is True
    assert len(events()) == 3
    assert broken == []


def test_with_a_publishable_key_and_a_token_the_session_becomes_the_shoppers(
    visit: BrowserContext, serve: Serve, settings: Any
) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    settings.REEMIO_IDENTITY_SECRET = "of the shop"
    key = from_database(lambda: issue_key(name="shop", kind=ApiKey.Kind.PUBLISHABLE)[1])
    token = hmac.new(b"of the shop", b"wanjiku", hashlib.sha256).hexdigest()
    stranger = serve("/", LIST, f'data-key="{key}"', RENDER)
    member = serve("/account", "", f'data-key="{key}" data-user="wanjiku" data-user-token="{token}"')
    forged = serve("/forged", "", f'data-key="{key}" data-user="otieno" data-user-token="{token}"')
    logged_out = serve("/bye", "", f'data-key="{key}" data-user=""')
    tab = visit.new_page()
    tab.goto(stranger)
    expect(tab.locator("#list .reemio-link")).to_have_count(8)
    first = tab.evaluate("reemio.addToCart('lamp-1') && reemio.flush().then(() => reemio.session)")
    assert [(one.user_id, one.session_id) for one in events()] == [(None, first)]
    tab.goto(member)
    assert eventually(tab, lambda: events()[0].user_id == "wanjiku")
    tab.evaluate("reemio.addToCart('lamp-2') && reemio.flush()")
    assert [(one.user_id, one.session_id) for one in events()] == [("wanjiku", first)] * 2
    # Nobody is logged in: a new session, which stays when pages change.
    tab.goto(logged_out)
    loaded(tab)
    second = tab.evaluate("reemio.session")
    tab.goto(stranger)
    loaded(tab)
    assert tab.evaluate("reemio.session") == second != first
    tab.evaluate("reemio.addToCart('lamp-3') && reemio.flush()")
    # Another's token proves nothing: the page goes on, and the session stays nobody's.
    tab.goto(forged)
    loaded(tab)
    assert tab.evaluate("reemio.flush()") is True
    assert [one.user_id for one in events()] == ["wanjiku", "wanjiku", None]
    assert from_database(lambda: list(MergedSession.objects.values_list("session_id", "user_id"))) == [
        (first, "wanjiku")
    ]


def test_without_consent_nothing_is_stored_or_sent_and_lists_come_all_the_same(
    visit: BrowserContext, serve: Serve
) -> None:
    page = serve("/", '<section id="list"></section>', 'data-consent="required"', RENDER)
    tab = visit.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    tab.goto(page)
    expect(tab.locator("#list .reemio-link")).to_have_count(8)
    tab.evaluate("reemio.addToCart('lamp-1')")
    tab.wait_for_timeout(1300)
    assert tab.evaluate("[document.cookie, Object.keys(localStorage).length, reemio.session]") == ["", 0, None]
    assert [line for line in asked if line.startswith("POST") or "session_id" in line] == []
    # With consent, what happened on this page is told.
    tab.evaluate("reemio.consent(true)")
    assert eventually(tab, lambda: len(events("recommendation_view")) == 8 and len(events("cart_add")) == 1)
    assert tab.evaluate("document.cookie").startswith("reemio_session=")
    # Taken back, everything is forgotten.
    tab.evaluate("reemio.consent(false); reemio.addToCart('lamp-2')")
    tab.reload()
    loaded(tab)
    assert tab.evaluate("document.cookie") == ""
    assert tab.evaluate("Object.keys(localStorage)") == ["reemio:consent"]
    assert len(events("cart_add")) == 1


@pytest.mark.parametrize("sign", ["doNotTrack: {value: '1'}", "globalPrivacyControl: {value: true}"])
def test_do_not_track_is_heard(visit: BrowserContext, serve: Serve, sign: str) -> None:
    visit.add_init_script(f"Object.defineProperties(navigator, {{{sign}}})")
    tab = visit.new_page()
    tab.goto(serve("/"))
    loaded(tab)
    assert tab.evaluate("[reemio.addToCart('lamp-1'), reemio.session, document.cookie]") == [None, None, ""]
    tab.goto("about:blank")
    assert events() == []


def test_a_browser_whose_clock_is_days_ahead_is_put_right(visit: BrowserContext, serve: Serve) -> None:
    tab = visit.new_page()
    tab.clock.set_system_time(datetime.now(UTC) + timedelta(days=3))
    tab.goto(serve("/"))
    loaded(tab)
    tab.evaluate("reemio.addToCart('lamp-1') && reemio.flush()")
    assert eventually(tab, lambda: tab.evaluate("reemio.flush()") and events())
    assert abs(events()[0].occurred_at - timezone.now()) < timedelta(minutes=1)


def test_what_reemio_refuses_is_dropped_and_what_something_before_it_refuses_is_kept(
    visit: BrowserContext, serve: Serve
) -> None:
    tab = visit.new_page()
    tab.goto(serve("/"))
    loaded(tab)
    tab.route("**/interactions/batch", lambda route: route.fulfill(status=400, body="<h1>Bad gateway</h1>"))
    tab.evaluate("reemio.addToCart('lamp-1')")
    assert tab.evaluate("reemio.flush()") is False
    tab.unroute("**/interactions/batch")
    tab.evaluate("reemio.track('nonsense', {product_id: 'lamp-2'})")
    with tab.expect_console_message(lambda line: "refused" in line.text):
        assert tab.evaluate("reemio.flush()") is True
    assert [(one.interaction_type, one.product_id) for one in events()] == [("cart_add", "lamp-1")]
    assert tab.evaluate("Object.keys(localStorage).filter((name) => name.includes(':q:'))") == []


def test_the_shop_may_draw_as_it_likes_and_a_drawing_that_fails_breaks_nothing(
    visit: BrowserContext, serve: Serve
) -> None:
    for product_id, url in (("lamp-1", "javascript:alert(1)"), ("lamp-2", "http://[")):
        from_database(partial(Product.objects.filter(product_id=product_id).update, url=url))
    shelf.clear()
    html = """
      <section data-reemio-list="product" data-product-id="lamp-3" data-limit="3" data-heading="Alike"></section>
      <div id="own"></div><div id="broken"></div><div id="unknown"></div><p id="end">End</p>"""
    tab = visit.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(serve("/", html))
    loaded(tab)
    declared = tab.get_by_role("region", name="Alike")
    expect(declared.get_by_role("listitem")).to_have_count(3)
    expect(declared.get_by_role("link").first).to_have_attribute("href", re.compile("^/lamp-"))
    drawn = tab.evaluate(
        """async () => {
            const template = (item) => Object.assign(document.createElement("b"), {textContent: item.product.title});
            const list = await reemio.render("homepage", "#own", {limit: 2, template});
            const nothing = await reemio.render("homepage", "#nowhere");
            await reemio.render("homepage", "#broken", {limit: 2, template() { throw new Error("oops"); }});
            const unknown = await reemio.render("product", "#unknown", {product_id: "no such thing"});
            return [list.items.length, nothing, unknown, await reemio.render("sideways", "#unknown")];
        }"""
    )
    assert drawn == [2, None, None, None]
    expect(tab.locator("#own b")).to_have_count(2)
    expect(tab.locator("#broken li")).to_have_count(0)
    # An address of the catalogue's that is none, or a script in disguise, is no link; the list is there all the same.
    tab.evaluate("reemio.render('homepage', '#own', {limit: 12})")
    expect(tab.locator("#own .reemio-link")).to_have_count(12)
    expect(tab.locator("#own a[href]")).to_have_count(10)
    assert errors == []
