"""`POST /products/{product_id}/notify-me`."""

import pytest
from rest_framework.test import APIClient

from campaigns.identities import address_hash
from campaigns.models import StockAlert
from catalog.models import Product

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/products/p1/notify-me"


def test_a_user_asks_and_asking_twice_is_asking_once(api: APIClient, shop: list[Product]) -> None:
    first, second = api.post(ADDRESS, {"user_id": "akinyi"}), api.post(ADDRESS, {"user_id": "akinyi"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json() == {"product_id": "p1", "in_stock": True}
    assert list(StockAlert.objects.values_list("product__product_id", "user_id", "email")) == [("p1", "akinyi", "")]


def test_a_visitor_leaves_an_address(api: APIClient, shop: list[Product]) -> None:
    assert api.post(ADDRESS, {"email": "guest@example.com"}).status_code == 201
    assert api.post(ADDRESS, {"email": "Guest@Example.com"}).status_code == 200
    alert = StockAlert.objects.get()
    assert (alert.user_id, alert.email, alert.address_hash) == (
        "",
        "guest@example.com",
        address_hash("GUEST@example.com"),
    )


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({}, "required", "user_id"),
        ({"user_id": None, "email": None}, "required", "user_id"),
        ({"user_id": "a", "email": "a@example.com"}, "not_allowed", "email"),
        ({"email": "nobody"}, "invalid", "email"),
        ({"user_id": 7}, "invalid", "user_id"),
        ({"user_id": "x" * 129}, "max_length", "user_id"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_kept(
    api: APIClient, shop: list[Product], body: dict[str, object], code: str, attr: str
) -> None:
    answer = api.post(ADDRESS, body)
    assert answer.status_code == 400
    assert (answer.json()["errors"][0]["code"], answer.json()["errors"][0]["attr"]) == (code, attr)
    assert not StockAlert.objects.exists()


def test_an_unknown_product_is_not_found(api: APIClient, shop: list[Product]) -> None:
    assert api.post("/api/v1/products/nothing/notify-me", {"user_id": "akinyi"}).status_code == 404
    assert not StockAlert.objects.exists()
