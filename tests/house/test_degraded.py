"""What the service can do without: Redis goes, or the model cannot be loaded, and shoppers are served all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from catalog.models import Product
from reemio.embedded import redis
from tests.conftest import free_port, running, wait_until

HOMEPAGE = "/api/v1/recommendations/homepage?user_id=wanjiku"


@contextmanager
def serving(log: Path, *, ready: str = "/readyz", **environment: str) -> Iterator[httpx.Client]:
    """The real web server with this environment, once it says that it is ready."""
    port = free_port()
    command = ["granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "2", "--no-ws"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

        def is_up() -> bool:
            try:
                return client.get(ready).status_code == 200
            except httpx.TransportError:
                return False

        with running([*command, "reemio.wsgi:application"], log, until=is_up, more=environment):
            yield client


@pytest.fixture
def shop(committed_database: None) -> None:
    for number in range(8):
        Product.objects.create(product_id=f"p{number}", title=f"Trail shoe {number}", stock_quantity=3)


def page_of(client: httpx.Client) -> tuple[int, str]:
    """Look at the page of the admin that tells how everything is."""
    boss, _ = User.objects.get_or_create(username="boss", is_staff=True, is_superuser=True)
    signed_in = Client()
    signed_in.force_login(boss)
    cookie = f"{settings.SESSION_COOKIE_NAME}={signed_in.cookies[settings.SESSION_COOKIE_NAME].value}"
    answer = client.get("/admin/analytics/health/", headers={"Cookie": cookie})
    return answer.status_code, answer.text


def told(answer: httpx.Response) -> tuple[int, str, Any]:
    body = answer.json()
    return answer.status_code, body["status"], {name: text for name, text in body["checks"].items() if text != "ok"}


def test_without_redis_lists_are_served_events_taken_and_everybody_is_told(shop: None, tmp_path: Path) -> None:
    data = tmp_path / "redis"
    address = redis.ensure_running(data)
    try:
        with serving(tmp_path / "web.log", REDIS_URL=address) as client:
            assert told(client.get("/readyz")) == (200, "ok", {})
            assert len(client.get(HOMEPAGE).json()["items"]) == 8
            assert redis.stop(data)
            for number in range(3):
                listed = client.get(HOMEPAGE)
                assert (listed.status_code, len(listed.json()["items"])) == (200, 8)
                event = {"user_id": "u", "product_id": "p1", "interaction_type": "view", "event_id": f"e{number}"}
                assert client.post("/api/v1/interactions", json=event).status_code == 201
            assert client.get("/api/v1/search?q=trail").json()["total"] == 8
            assert told(client.get("/readyz")) == (503, "degraded", {"cache": "not reachable"})
            assert told(client.get("/readyz?degraded=ok")) == (200, "degraded", {"cache": "not reachable"})
            assert 'reemio_unread_gauges{gauge="reemio_queue_waiting"} 1.0' in client.get("/metrics").text
            status, page = page_of(client)
            assert (status, "Redis is away" in page) == (200, True)
            redis.ensure_running(data)
            wait_until(lambda: client.get("/readyz").status_code == 200, lambda: client.get("/readyz").text)
            assert "Redis is away" not in page_of(client)[1]
    finally:
        redis.stop(data)


def test_without_the_model_lists_are_served_search_goes_by_words_and_everybody_is_told(
    shop: None, tmp_path: Path
) -> None:
    empty = tmp_path / "model"
    empty.mkdir()
    with serving(tmp_path / "web.log", ready="/readyz?degraded=ok", EMBEDDING_MODEL=str(empty)) as client:
        assert told(client.get("/readyz")) == (503, "degraded", {"embedding_model": "cannot be loaded"})
        assert len(client.get(HOMEPAGE).json()["items"]) == 8
        found = client.get("/api/v1/search?q=trail+shoe+3").json()
        assert found["items"][0]["product_id"] == "p3"
        assert "reemio_embedding_model_loaded 0.0" in client.get("/metrics").text
        status, page = page_of(client)
        assert (status, "The embedding model cannot be loaded" in page) == (200, True)
    log = (tmp_path / "web.log").read_text()
    assert log.count("warm_up_failed") == 1
