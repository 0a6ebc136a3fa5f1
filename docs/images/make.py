"""The screenshots of README and docs, taken anew: `make screenshots` while `make demo` runs at the same PORT.

Each is one walk through the shop in Debian's Chromium, at a desktop's or a phone's size, in pixels of one per point so
that the files stay small.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

HERE = Path(__file__).resolve().parent
CHROMIUM = "/usr/bin/chromium"
SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
DESKTOP: dict[str, Any] = {"viewport": {"width": 1360, "height": 1000}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}


def become(tab: Page, user_id: str) -> None:
    """Log in as one of the ten."""
    tab.goto("/")
    tab.locator(".who summary").click()
    with tab.expect_navigation():
        tab.locator(f".who button[value={user_id}]").click()


def settled(tab: Page) -> None:
    """Wait until every list is there, and what is in sight was seen."""
    expect(tab.locator(".skeleton")).to_have_count(0, timeout=30_000)
    tab.wait_for_load_state("networkidle")
    tab.wait_for_timeout(2600)
    tab.evaluate("document.activeElement.blur()")


def front_page(tab: Page) -> None:
    """The front page of somebody whom the shop knows."""
    become(tab, "wanjiku-muthoni")
    settled(tab)


def x_ray(tab: Page) -> None:
    """A list with everything that stands behind it, after a look at a product."""
    become(tab, "chebet-jepkosgei")
    settled(tab)
    tab.locator("[data-reemio-product] a").first.click()
    settled(tab)
    tab.locator(".wordmark").click()
    settled(tab)
    tab.locator("[data-xray-toggle]").first.click()
    tab.evaluate("document.activeElement.blur()")
    tab.evaluate("document.querySelector('.tiles').scrollIntoView()")
    tab.wait_for_timeout(2600)


def stranger(tab: Page) -> None:
    """The front page of nobody."""
    tab.goto("/")
    settled(tab)


def account(tab: Page) -> None:
    """What Reemio knows about a shopper."""
    become(tab, "kipchoge-korir")
    settled(tab)
    tab.goto("/shop/account")
    settled(tab)


def cart(tab: Page) -> None:
    """A cart, and what goes with it."""
    tab.goto("/shop/search?q=tent")
    settled(tab)
    tab.locator("[data-found] .card-link").first.click()
    tab.get_by_role("button", name="Add to cart").click()
    expect(tab.locator("[data-cart-number]")).to_have_text("1")
    tab.goto("/shop/cart")
    settled(tab)


SHOTS: tuple[tuple[str, dict[str, Any], Callable[[Page], None]], ...] = (
    ("shop.png", DESKTOP, front_page),
    ("x-ray.png", DESKTOP, x_ray),
    ("account.png", DESKTOP, account),
    ("cart.png", DESKTOP, cart),
    ("dark.png", DESKTOP | {"color_scheme": "dark"}, front_page),
    ("phone.png", PHONE, stranger),
    ("phone-x-ray.png", PHONE, x_ray),
)


def main() -> None:
    """Take all of them, or those that are named."""
    wanted = set(sys.argv[1:])
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        for name, size, walk in SHOTS:
            if wanted and name not in wanted:
                continue
            context = chromium.new_context(base_url=address, **size)
            context.set_default_timeout(30_000)
            tab = context.new_page()
            walk(tab)
            tab.screenshot(path=HERE / name)
            context.close()
            sys.stdout.write(f"{name}\n")
        chromium.close()


if __name__ == "__main__":
    main()
