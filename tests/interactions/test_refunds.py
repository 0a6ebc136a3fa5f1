"""`POST /orders/{order_id}/refunds`, and refunds in the inbox."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from interactions.models import InboxEvent, IntakeCount, OrderRefund
from interactions.services.inbox import take_in_inbox
from reemio.access.models import ApiKey, issue_key

URL = "/api/v1/orders/o%2F1/refunds"
LINE = {"product_id": "a", "quantity": 1}


def kept() -> list[tuple[Any, ...]]:
    return list(OrderRefund.objects.order_by("pk").values_list("order_id", "refund_id", "products", "quantities"))


@pytest.mark.django_db
def test_an_order_is_cancelled_once_however_often_it_is_told(api: APIClient) -> None:
    assert api.post(URL, {}).status_code == 201
    again = api.post(URL, {})
    assert (again.status_code, again.json()) == (200, {"order_id": "o/1", "refund_id": "", "duplicate": True})
    assert kept() == [("o/1", "", [], [])]


@pytest.mark.django_db
def test_lines_about_one_product_are_added_up_and_one_without_a_quantity_is_all_of_it(api: APIClient) -> None:
    lines = [LINE, {"product_id": "a", "quantity": 2}, {"product_id": "b"}, {"product_id": "b", "quantity": 1}]
    assert api.post(URL, {"refund_id": "r1", "lines": lines}).status_code == 201
    assert kept() == [("o/1", "r1", ["a", "b"], [3, 0])]


@pytest.mark.django_db
def test_the_first_refund_of_an_id_stays(api: APIClient) -> None:
    api.post(URL, {"refund_id": "r1", "lines": [LINE]})
    assert api.post(URL, {"refund_id": "r1", "lines": [{"product_id": "b"}]}).json()["duplicate"] is True
    assert kept() == [("o/1", "r1", ["a"], [1])]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"lines": [LINE]}, "refund_id"),
        ({"refund_id": "", "lines": [LINE]}, "refund_id"),
        ({"refund_id": "x" * 65}, "refund_id"),
        ({"refund_id": 7}, "refund_id"),
        ({"refund_id": "r", "lines": []}, "lines"),
        ({"refund_id": "r", "lines": {}}, "lines"),
        ({"refund_id": "r", "lines": [1]}, "lines.0"),
        ({"refund_id": "r", "lines": [LINE, {"quantity": 1}]}, "lines.1.product_id"),
        ({"refund_id": "r", "lines": [{"product_id": "a", "quantity": 0}]}, "lines.0.quantity"),
        ({"refund_id": "r", "lines": [{"product_id": "a", "quantity": True}]}, "lines.0.quantity"),
        ({"refund_id": "r", "lines": [{"product_id": "a\x00"}]}, "lines.0.product_id"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ([], None),
    ],
)
def test_a_wrong_refund_is_400_and_nothing_is_kept(api: APIClient, body: Any, attr: str | None) -> None:
    answer = api.post(URL, body)
    assert answer.status_code == 400
    assert [error["attr"] for error in answer.json()["errors"]] == [attr]
    assert kept() == []


@pytest.mark.django_db
def test_only_a_secret_key_may(api: APIClient, settings: Any) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    assert api.post(URL, {}).status_code == 401
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {issue_key(name='t', kind=ApiKey.Kind.PUBLISHABLE)[1]}")
    assert api.post(URL, {}).status_code == 403
    assert kept() == []


@pytest.mark.django_db
def test_the_inbox_takes_cancellations_and_refunds_and_keeps_what_it_cannot_read() -> None:
    lines = [{"productId": 7, "quantity": 2}]
    InboxEvent.objects.create(event_type="ORDER_CANCELLED", payload={"orderId": "o1"})
    InboxEvent.objects.create(event_type="order_cancelled", payload={"order_id": "o1"})
    partly = InboxEvent.objects.create(event_type="order_refunded", payload={"orderId": 2, "lines": lines})
    wrong = InboxEvent.objects.create(event_type="order_refunded", payload={"lines": lines})
    taken = take_in_inbox()
    assert (taken.stored, taken.duplicates, taken.refused) == (2, 1, 1)
    assert kept() == [("o1", "", [], []), ("2", f"inbox:{partly.pk}", ["7"], [2])]
    wrong.refresh_from_db()
    assert wrong.error == "order_id: This field is required."


@pytest.mark.django_db
def test_what_is_not_stored_is_counted_by_the_hour(api: APIClient) -> None:
    event = {"interaction_type": "view", "user_id": "ann", "product_id": "a", "event_id": "e1"}
    for _ in range(3):
        api.post("/api/v1/interactions", event)
    api.post("/api/v1/interactions", {})
    api.post("/api/v1/interactions/batch", {"interactions": [event, {}, {}]})
    counts = {row.outcome: row.events for row in IntakeCount.objects.filter(door="http")}
    assert counts == {"duplicate": 3, "rejected": 3}
