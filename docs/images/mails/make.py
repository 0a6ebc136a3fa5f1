"""Makes the pictures beside it, while the demo runs: `.venv/bin/python docs/images/mails/make.py`.

It takes the latest mail of each campaign out of the local mailbox, as the SMTP server got it, and photographs it in
Debian's Chromium at the width of a phone and of a desktop, the weekly digest in dark, too. Needs the development
dependencies.
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from reemio.bootstrap import prepare  # noqa: E402  the checkout has to be importable first

prepare()

import django  # noqa: E402  settings need the prepared environment

django.setup()

from playwright.sync_api import sync_playwright  # noqa: E402  the rest needs Django

from campaigns.admin.mailbox import parsed_of, part_of  # noqa: E402  needs Django
from campaigns.definitions import Kind  # noqa: E402  needs Django
from campaigns.models import ReceivedMail  # noqa: E402  needs Django

HERE = Path(__file__).resolve().parent
WIDTHS = {"phone": 375, "desktop": 700}
# Smaller than they are sent: a page of twelve products stays within the bound, and can be read.
SCALES = {"phone": 0.8, "desktop": 0.65}
LARGEST = 200 * 1024


def latest(kind: str) -> str:
    """Return the HTML of the latest mail of a campaign."""
    mark = kind.replace("_", "-") + "."
    for mail in ReceivedMail.objects.order_by("-pk")[:500]:
        parsed = parsed_of(mail)
        if mark in str(parsed["List-ID"]):
            return part_of(parsed, "html")
    sys.exit(f"No mail of {kind} in the mailbox: start the demo and wait a minute.")


def main() -> None:
    """Photograph all four, at both widths."""
    mails = {kind: latest(kind) for kind in Kind.values}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for kind in Kind.values:
            page_file = Path(folder) / f"{kind}.html"
            page_file.write_text(mails[kind])
            schemes = [("", "light"), ("-dark", "dark")] if kind == Kind.WEEKLY_DIGEST else [("", "light")]
            for suffix, scheme in schemes:
                for name, width in WIDTHS.items():
                    page = browser.new_page(
                        viewport={"width": width, "height": 800},
                        device_scale_factor=SCALES[name],
                        color_scheme=scheme,  # type: ignore[arg-type]
                    )
                    page.goto(f"file://{page_file}")
                    page.wait_for_function("[...document.images].every(image => image.complete)")
                    target = HERE / f"{kind}-{name}{suffix}.png"
                    page.screenshot(path=target, full_page=True)
                    page.close()
                    if target.stat().st_size > LARGEST:
                        sys.exit(f"{target.name} is larger than {LARGEST} bytes.")
        browser.close()
    print(*sorted(path.name for path in HERE.glob("*.png")))  # noqa: T201  it is a script


if __name__ == "__main__":
    main()
