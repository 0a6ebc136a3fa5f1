"""Makes the pictures of docs/dashboard.md anew, from a running demo: `.venv/bin/python docs/screenshots.py`.

Start the demo first (`make demo`), and let it run for a minute, so that everything is counted. Another address or
account: `docs/screenshots.py http://localhost:8000 admin PASSWORD`.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images" / "admin"
PASSWORD = Path(os.environ.get("REEMIO_STATE_DIR", ROOT / ".reemio")) / "admin-password"
SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MOST_BYTES = 200_000


@dataclass(frozen=True)
class Picture:
    """One picture: its file's name, the page, and how it is looked at."""

    name: str
    path: str
    width: int = 1280
    height: int = 860
    dark: bool = False


SHOPPER = "wanjiku-muthoni"
TAKEN = [
    Picture("overview", "/admin/"),
    Picture("overview-dark", "/admin/", dark=True),
    Picture("overview-phone", "/admin/", width=390, height=1200),
    Picture("recommendations", "/admin/analytics/recommendations/"),
    Picture("products", "/admin/analytics/products/"),
    Picture("products-phone", "/admin/analytics/products/", width=390, height=1200),
    Picture("funnel", "/admin/analytics/funnel/"),
    Picture("search", "/admin/analytics/search/"),
    Picture("email", "/admin/analytics/email/"),
    Picture("shopper", f"/admin/analytics/shopper/?user={SHOPPER}"),
    Picture("explain", f"/admin/analytics/explain/?placement=homepage&user={SHOPPER}"),
    Picture("explain-dark", f"/admin/analytics/explain/?placement=homepage&user={SHOPPER}", dark=True),
    Picture("health", "/admin/analytics/health/"),
    Picture("experiments", "/admin/analytics/experiments/"),
    Picture("engine", "/admin/analytics/engine/"),
    Picture("audit", "/admin/analytics/audit/"),
]


def take(browser: Browser, address: str, user: str, password: str) -> None:
    """Sign in once, and take every picture."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/admin/login/?next=/admin/")
    page.fill("#id_username", user)
    page.fill("#id_password", password)
    page.keyboard.press("Enter")
    page.wait_for_selector("#user-tools")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for picture in TAKEN:
        page.set_viewport_size({"width": picture.width, "height": picture.height})
        page.emulate_media(color_scheme="dark" if picture.dark else "light", reduced_motion="reduce")
        answer = page.goto(picture.path, wait_until="networkidle")
        file = PICTURES / f"{picture.name}.png"
        page.screenshot(path=file)
        if answer is None or answer.status != 200 or file.stat().st_size > MOST_BYTES:
            sys.exit(f"{picture.path}: status {answer and answer.status}, {file.stat().st_size:,} bytes")
        sys.stdout.write(f"{file.relative_to(ROOT)}  {file.stat().st_size:,} bytes\n")


def main() -> None:
    """Read the arguments and go."""
    address, user, password = (*sys.argv[1:], *["http://localhost:8000", "admin", ""][len(sys.argv) - 1 :])[:3]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=SWITCHES)
        take(browser, address, user, password or PASSWORD.read_text().strip())
        browser.close()


if __name__ == "__main__":
    main()
