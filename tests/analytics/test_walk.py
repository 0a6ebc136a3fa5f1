"""One purchase, walked from the served list to the revenue it earns: through HTTP, the worker and the roll-up."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from django_celery_beat.models import PeriodicTask

from analytics.models import RollupState, TouchedPart
from recommendations.learning.train import train
from recommendations.models import ServedList
from reemio.celery import app
from tests.conftest import wait_until
from tests.recommendations.conftest import _fresh_engine as fresh_engine
from tests.recommendations.conftest import did, make_product

__all__ = ["fresh_engine"]
API = "/api/v1"


@pytest.fixture
def shop(committed_database: None, fresh_engine: None) -> None:
    for number in range(6):
        make_product(f"lamp-{number}", tilt=number / 20, category=f"Light > {number % 3}")
    did("view", "lamp-0", user="wanjiku", days_ago=2)
    train()


def group(url: str, name: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{url}{API}/analytics/recommendations/performance?days=1&group_by={name}", timeout=30)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_one_purchase_is_walked_from_its_list_to_its_revenue(
    shop: None, granian_server: str, celery_worker_process: Path
) -> None:
    url = granian_server
    served = httpx.get(f"{url}{API}/recommendations/homepage?session_id=s1&limit=4", timeout=30).json()
    first, second, *_ = served["items"]
    shown = {"session_id": "s1", "recommendation_request_id": served["request_id"], "extra_data": {"device": "mobile"}}
    bought = {"user_id": "wanjiku", "order_id": "o1", "interaction_type": "purchase", "currency": "USD"}
    told = [
        {"interaction_type": "recommendation_view", "product_id": first["product_id"], **shown},
        {"interaction_type": "recommendation_view", "product_id": first["product_id"], **shown},
        {"interaction_type": "recommendation_view", "product_id": second["product_id"], **shown},
        {"interaction_type": "recommendation_click", "product_id": second["product_id"], **shown},
        {**bought, "product_id": second["product_id"], "quantity": 2, "unit_price": "12.50"},
        {**bought, "product_id": "lamp-5", "unit_price": 3},
    ]
    sent = httpx.post(f"{url}{API}/interactions/batch", json={"interactions": told}, timeout=30)
    assert (sent.status_code, sent.json()["accepted"]) == (201, 6)
    merged = httpx.post(f"{url}{API}/users/wanjiku/merge", json={"session_id": "s1"}, timeout=30)
    assert merged.json()["moved"] == 4
    wait_until(lambda: ServedList.objects.exists(), celery_worker_process.read_text)

    app.send_task(PeriodicTask.objects.get(name="Count what happened").task)
    wait_until(lambda: RollupState.objects.filter(as_of__isnull=False).exists(), celery_worker_process.read_text)
    wait_until(lambda: not TouchedPart.objects.exists(), celery_worker_process.read_text)

    figures = {
        "impressions": 2, "clicks": 1, "click_through_rate": 0.5, "conversions": 1, "conversion_rate": 1.0,
        "attributed_revenue": "25.00", "assisted_revenue": "3.00", "currency": "USD",
    }  # fmt: skip
    nothing = {
        "impressions": 1, "clicks": 0, "click_through_rate": 0.0, "conversions": 0, "conversion_rate": None,
        "attributed_revenue": "0.00", "assisted_revenue": "0.00", "currency": "USD",
    }  # fmt: skip
    assert group(url, "context") == [{"context": "homepage", "served": 1, **figures}]
    assert group(url, "strategy") == [{"strategy": served["strategy"], "served": 1, **figures}]
    assert group(url, "variant") == [{"variant": None, "served": 1, **figures}]
    assert group(url, "device") == [{"device": "mobile", "served": None, **figures}]
    assert [item["served"] for item in group(url, "day")] == [1]
    assert group(url, "position")[:2] == [
        {"position": 1, "served": 1, **nothing},
        {"position": 2, "served": 1, **figures, "impressions": 1, "click_through_rate": 1.0},
    ]

    assert httpx.post(f"{url}{API}/orders/o1/refunds", json={}, timeout=30).status_code == 201
    after = group(url, "context")[0]
    assert (after["clicks"], after["conversions"], after["attributed_revenue"]) == (1, 0, "0.00")
