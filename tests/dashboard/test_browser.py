"""The dashboard in a real browser: every page, light and dark, phone and desktop, by keyboard, and by axe's rules."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from analytics.pages.registry import PAGES
from recommendations.recorder import recorder
from tests.dashboard.scene import paint

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture
def cookie(live_server: LiveServer, committed_database: None) -> Iterator[dict[str, str]]:
    """The session of an admin of a shop in which something happened on each page."""
    paint()
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    yield {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    recorder.close()


@pytest.fixture
def browser(cookie: dict[str, str]) -> Iterator[Browser]:
    """One browser for all pages; while it lives, Django is asked nothing in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        yield browser
        browser.close()


def visit(browser: Browser, cookie: dict[str, str], size: dict[str, int], scheme: str) -> BrowserContext:
    context = browser.new_context(viewport=size, color_scheme=scheme, base_url=cookie["url"])  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie
    return context


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """Return a tab, and what it complains about: errors of scripts, of the policy, of loading."""
    tab, complaints = context.new_page(), []
    tab.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    return tab, complaints


ADDRESSES = [
    *(reverse(page.url_name) for page in PAGES),
    reverse("admin:analytics_shopper") + "?user=ada-lovelace",
    reverse("admin:analytics_explain") + "?placement=product&products=p1&missing=p2",
]


def test_every_page_renders_without_complaint_at_each_size_in_each_theme(
    browser: Browser, cookie: dict[str, str]
) -> None:
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark"), (PHONE, "light"), (DESKTOP, "dark")):
        context = visit(browser, cookie, size, scheme)
        tab, complaints = watched(context)
        for address in ADDRESSES:
            response = tab.goto(address)
            assert response is not None
            assert (address, response.status) == (address, 200)
            assert (address, complaints) == (address, [])
            fits = tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert fits, f"{address} scrolls sideways at {size['width']} px"
            drawn = tab.evaluate("[...document.querySelectorAll('canvas')].every((one) => one.width > 0)")
            assert drawn, address
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(scheme: str, browser: Browser, cookie: dict[str, str]) -> None:
    context = visit(browser, cookie, DESKTOP, scheme)
    tab, _ = watched(context)
    found = []
    for address in ADDRESSES:
        tab.goto(address)
        for violation in Axe().run(tab).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                places = [node["target"] for node in violation["nodes"][:3]]
                found.append(f"{address}: {violation['id']} at {places}")
    assert found == []


def test_the_overview_works_by_keyboard(browser: Browser, cookie: dict[str, str]) -> None:
    tab, _ = watched(visit(browser, cookie, DESKTOP, "light"))
    tab.goto("/admin/")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to main content")).to_be_focused()
    mark = tab.get_by_role("button", name="What click-through rate means").first
    mark.focus()
    note = mark.locator("xpath=following-sibling::*")
    expect(note).to_be_visible()
    expect(note).to_contain_text("clicked")
    tab.keyboard.press("Escape")
    expect(note).to_be_hidden()
    tab.get_by_text("The figures").first.focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("region", name=re.compile("Figures of")).first).to_be_visible()


def test_a_filter_goes_into_the_address_and_a_head_sorts(browser: Browser, cookie: dict[str, str]) -> None:
    tab, complaints = watched(visit(browser, cookie, DESKTOP, "light"))
    tab.goto(reverse("admin:analytics_recommendations"))
    tab.locator("form.filters select[name=placement]").select_option("homepage")
    tab.get_by_role("button", name="Show", exact=True).click()
    tab.wait_for_url(re.compile("placement=homepage"))
    assert "from=" not in tab.url
    tab.locator("#table-kinds").get_by_role("link", name="Clicks").click()
    tab.wait_for_url(re.compile("sort-kinds=-clicks"))
    assert "placement=homepage" in tab.url
    expect(tab.locator("#table-kinds th[aria-sort=descending]")).to_contain_text("Clicks")
    assert complaints == []


def test_on_a_phone_filters_are_folded_away_until_they_are_wanted(browser: Browser, cookie: dict[str, str]) -> None:
    tab, complaints = watched(visit(browser, cookie, PHONE, "light"))
    tab.goto("/admin/")
    button, choice = tab.get_by_role("button", name="Filters"), tab.locator("form.filters select[name=placement]")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(choice).to_be_hidden()
    button.click()
    choice.select_option("homepage")
    tab.get_by_role("button", name="Show", exact=True).click()
    tab.wait_for_url(re.compile("placement=homepage"))
    expect(choice).to_be_visible()
    assert complaints == []


def test_charts_are_drawn_again_in_the_other_theme(browser: Browser, cookie: dict[str, str]) -> None:
    tab, complaints = watched(visit(browser, cookie, DESKTOP, "light"))
    tab.goto("/admin/")
    before = tab.evaluate("document.querySelector('canvas').toDataURL()")
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    tab.wait_for_function("(before) => document.querySelector('canvas').toDataURL() !== before", arg=before)
    assert complaints == []
