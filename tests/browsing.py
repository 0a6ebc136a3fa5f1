"""What tests in a real browser share: Debian's Chromium, two sizes, and a way to read the database beside it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.core.cache import cache
from django.db import connection
from playwright.sync_api import BrowserContext, Page, sync_playwright

from interactions.models import Interaction
from recommendations import merchandising, neighbours, popular, selectors
from recommendations.shelf import shelf
from recommendations.vectors import vectors

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
MARKS = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]
T = TypeVar("T")


@contextmanager
def browser(**options: Any) -> Iterator[BrowserContext]:
    """Open a browser that has never been anywhere.

    It is started for each test, and not by pytest-playwright for the session: while it lives, an event loop runs in
    this thread, in which Django would neither set a database up nor clear it.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        context = chromium.new_context(**options)
        context.set_default_timeout(10_000)
        yield context
        chromium.close()


def forget_engine() -> None:
    """Forget what this process keeps between requests: each test has a database of its own."""
    for forget in (
        shelf.clear,
        vectors.clear,
        neighbours.forget,
        popular.forget,
        selectors.forget,
        merchandising.forget,
    ):
        forget()
    cache.clear()


def from_database(read: Callable[[], T]) -> T:
    """Read in a thread of its own: the browser's loop is running in this one."""

    def in_thread() -> T:
        try:
            return read()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(in_thread).result()


def events(kind: str | None = None) -> list[Interaction]:
    """Return the stored events, of one kind or of all, in the order in which they came in."""
    wanted = Interaction.objects.filter(**({"interaction_type": kind} if kind else {}))
    return from_database(lambda: list(wanted.order_by("pk")))


def eventually(tab: Page, condition: Callable[[], Any], seconds: float = 10) -> Any:
    """Wait until `condition()` is truthy, while the browser goes on; return it, whatever it is, at the end."""
    outcome = condition()
    for _ in range(int(seconds * 20)):
        if outcome:
            break
        tab.wait_for_timeout(50)
        outcome = condition()
    return outcome
