"""The promise, over HTTP, with the real web server and worker: an event changes the next list, and nothing is lost."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from django.db import connection

from interactions.models import FreshInteraction, Interaction
from recommendations.learning.train import train
from recommendations.models import ServedList, Taste
from reemio.celery import app
from tests.conftest import free_port, running, wait_until
from tests.recommendations.conftest import _fresh_engine as fresh_engine
from tests.recommendations.conftest import did, make_product

HOMEPAGE = "/api/v1/recommendations/homepage"

__all__ = ["fresh_engine"]


@pytest.fixture
def shop(committed_database: None, fresh_engine: None) -> None:
    """Garden and office things, of which shoppers so far looked at office things only."""
    for number in range(8):
        make_product(f"garden-{number}", axis=0, tilt=number / 20, category=f"Garden > Shelf {number % 4}")
        make_product(f"office-{number}", axis=100, tilt=number / 20, category=f"Office > Shelf {number % 4}")
    did("view", "office-3", user="wanjiku", days_ago=2)
    did("view", "office-4", user="wanjiku", days_ago=2)
    train()


def shown(url: str, user: str) -> list[str]:
    answer = httpx.get(f"{url}{HOMEPAGE}", params={"user_id": user, "limit": 16}, timeout=30)
    assert answer.status_code == 200
    return [item["product_id"] for item in answer.json()["items"]]


def test_a_view_of_a_garden_product_changes_the_next_homepage_within_a_second(shop: None, granian_server: str) -> None:
    before = shown(granian_server, "wanjiku")
    assert before[0].startswith("office")
    event = {"user_id": "wanjiku", "product_id": "garden-3", "interaction_type": "VIEW", "event_id": "e1"}
    began = time.perf_counter()
    sent = httpx.post(f"{granian_server}/api/v1/interactions", json=event, timeout=30)
    after = shown(granian_server, "wanjiku")
    assert time.perf_counter() - began < 1.0
    assert sent.status_code == 201
    assert sorted(after) == sorted(before)
    assert places("garden", after) < places("garden", before)
    again = httpx.post(f"{granian_server}/api/v1/interactions", json=event, timeout=30)
    assert (again.status_code, again.json()) == (200, {"id": sent.json()["id"], "duplicate": True})
    assert Interaction.objects.filter(event_id="e1").count() == 1


def test_the_worker_folds_what_was_learned_and_the_list_keeps_to_it(
    shop: None, granian_server: str, celery_worker_process: Path
) -> None:
    before = shown(granian_server, "wanjiku")
    event = {"user_id": "wanjiku", "product_id": "garden-3", "interaction_type": "cart_add"}
    assert httpx.post(f"{granian_server}/api/v1/interactions", json=event, timeout=30).status_code == 201
    assert places("garden", shown(granian_server, "wanjiku")) < places("garden", before)
    app.send_task("recommendations.fold")
    wait_until(lambda: not FreshInteraction.objects.exists(), celery_worker_process.read_text)
    assert Taste.objects.get(subject="u:wanjiku").events == 3
    # Folding counts neighbours too, which may change the order within what is liked.
    folded = shown(granian_server, "wanjiku")
    assert sorted(folded) == sorted(before)
    assert places("garden", folded) < places("garden", before)


def test_a_web_server_that_is_stopped_has_written_every_list_it_served(shop: None, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["granian", "--interface", "wsgi", "--port", str(port), "--no-ws", "reemio.wsgi:application"]
    with running(command, tmp_path / "web.log", until=answers(f"{url}/healthz")):
        for _ in range(20):
            shown(url, "wanjiku")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM served_lists WHERE user_id = 'wanjiku'")
        assert cursor.fetchone() == (20,)
    assert ServedList.objects.filter(context="homepage", strategy="personalized").count() == 20


def places(department: str, products: list[str]) -> int:
    """Return the sum of the places that a department's products have in a list."""
    return sum(place for place, product in enumerate(products) if product.startswith(department))


def answers(url: str) -> Callable[[], bool]:
    """Return a condition: something answers at `url`."""

    def check() -> bool:
        try:
            return httpx.get(url, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    return check
