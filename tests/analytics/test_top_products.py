"""The three top lists: what counts, when, and in which order."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from analytics.definitions import MEASURES
from analytics.periods import Period
from analytics.rollups.run import roll_up
from analytics.serializers import PurchasedProductSerializer, RecommendedProductSerializer, ViewedProductSerializer
from analytics.top_products import top_purchased
from catalog.models import Product
from catalog.rows import ProductRow
from catalog.services.mirror_products import mirror_products
from interactions.models import Interaction, OrderRefund
from recommendations.models import ServedList
from reemio.access.models import ApiKey, issue_key

ROOT = "/api/v1/analytics/products"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = "from=2026-03-01&to=2026-03-31"


@pytest.fixture
def shop(db: None) -> None:
    mirror_products([
        ProductRow("a", "Lamp", category="Home > Light", price=Decimal(10), currency="EUR"),
        ProductRow("b", "Rake", category="Garden", price=Decimal(20), currency="USD"),
        ProductRow("c", "Chair", category="Home", is_active=False),
    ])  # fmt: skip


def event(kind: str, product_id: str, at: datetime = NOON, **fields: Any) -> Interaction:
    fields = {"user_id": "ann", **fields}
    return Interaction.objects.create(interaction_type=kind, product_id=product_id, occurred_at=at, **fields)


def items(api: APIClient, name: str, query: str = MARCH) -> list[dict[str, Any]]:
    answer = api.get(f"{ROOT}/top-{name}?{query}")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["items"])


def test_views_and_people_are_counted(api: APIClient, shop: None) -> None:
    for user_id in ("ann", "ann", "bob"):
        event("view", "b", user_id=user_id)
    event("view", "b", user_id=None, session_id="ann")
    event("view", "a")
    event("view", "c")
    event("view", "unknown")
    event("cart_add", "a")
    assert items(api, "viewed") == [
        {"rank": 1, "product_id": "b", "title": "Rake", "category": "Garden", "views": 4, "unique_users": 3},
        {"rank": 2, "product_id": "a", "title": "Lamp", "category": "Home > Light", "views": 1, "unique_users": 1},
        {"rank": 3, "product_id": "c", "title": "Chair", "category": "Home", "views": 1, "unique_users": 1},
    ]


def test_a_known_shoppers_sessions_are_one_person(api: APIClient, shop: None) -> None:
    event("view", "a", session_id="s1")
    event("view", "a", session_id="s2")
    assert items(api, "viewed")[0]["unique_users"] == 1


def test_a_category_holds_what_is_below_it(api: APIClient, shop: None) -> None:
    for product_id in ("a", "b", "c"):
        event("view", product_id)
    assert [item["product_id"] for item in items(api, "viewed", f"{MARCH}&category=Home")] == ["a", "c"]
    assert items(api, "viewed", f"{MARCH}&category=Hom") == []
    assert items(api, "viewed", f"{MARCH}&category=%25") == []


def test_the_limit_cuts_after_the_ties_are_ordered(api: APIClient, shop: None) -> None:
    for product_id in ("c", "b", "a"):
        event("view", product_id)
    assert [item["product_id"] for item in items(api, "viewed", f"{MARCH}&limit=2")] == ["a", "b"]


def test_days_are_cut_in_the_shops_time_zone(api: APIClient, shop: None, settings: Any) -> None:
    settings.REEMIO_SHOP_TIME_ZONE = "America/New_York"
    event("view", "a", datetime(2026, 3, 10, 3, 59, tzinfo=UTC))  # the 9th, 23:59 there
    event("view", "b", datetime(2026, 3, 10, 4, 0, tzinfo=UTC))  # the 10th, 00:00
    event("view", "c", datetime(2026, 3, 11, 3, 59, tzinfo=UTC))  # the 10th, 23:59
    event("view", "c", datetime(2026, 3, 11, 4, 0, tzinfo=UTC), user_id="bob")  # the 11th, 00:00
    found = items(api, "viewed", "from=2026-03-10&to=2026-03-10")
    assert [(item["product_id"], item["views"], item["unique_users"]) for item in found] == [("b", 1, 1), ("c", 1, 1)]


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2026-02-09", "2026-03-10"),
        ("days=1", "2026-03-10", "2026-03-10"),
        ("from=2026-03-01&to=2026-03-05", "2026-03-01", "2026-03-05"),
        ("from=2026-03-01", "2026-03-01", "2026-03-10"),
        ("to=2026-03-05&days=5", "2026-03-01", "2026-03-05"),
        ("from=0001-01-01&to=9999-12-31", "0001-01-01", "9999-12-31"),
        ("from=9999-12-31", "9999-12-31", "9999-12-31"),
    ],
)
def test_the_period_is_told(api: APIClient, shop: None, query: str, first: str, last: str) -> None:
    with time_machine.travel(NOON, tick=False):
        for name in ("viewed", "recommended", "purchased"):
            answer = api.get(f"{ROOT}/top-{name}?{query}").json()
            assert answer == {"period": {"from": first, "to": last}, "items": []}


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ("days=0", "days"),
        ("days=366", "days"),
        ("days=x", "days"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("category=%00", "category"),
    ],
)
@pytest.mark.django_db
def test_a_wrong_parameter_is_400(api: APIClient, query: str, attr: str) -> None:
    for name in ("viewed", "recommended", "purchased"):
        answer = api.get(f"{ROOT}/top-{name}?{query}")
        assert answer.status_code == 400
        assert [error["attr"] for error in answer.json()["errors"]] == [attr]


def served(*products: str, at: datetime = NOON) -> uuid.UUID:
    return ServedList.objects.create(
        served_at=at, placement="homepage", context="homepage", strategy="popular", products=list(products),
        scores=[1.0] * len(products), milliseconds=1,
    ).request_id  # fmt: skip


def test_recommendations_impressions_and_clicks(api: APIClient, shop: None) -> None:
    one, two = served("a", "b"), served("b", "gone")
    served("a", at=datetime(2026, 2, 1, tzinfo=UTC))
    for request_id in (one, one, two):
        event("recommendation_view", "b", recommendation_request_id=request_id)
    for _ in range(2):
        event("recommendation_click", "b", recommendation_request_id=one)
    event("recommendation_click", "a", recommendation_request_id=one)
    found = items(api, "recommended")
    assert [
        (item["product_id"], item["recommendations"], item["impressions"], item["clicks"], item["click_through_rate"])
        for item in found
    ] == [("b", 2, 2, 1, 0.5), ("a", 1, 0, 1, None)]
    assert [item["rank"] for item in found] == [1, 2]
    assert items(api, "recommended", f"{MARCH}&category=Garden")[0]["product_id"] == "b"


def test_what_came_back_is_taken_off_and_what_came_back_whole_is_not_listed(api: APIClient, shop: None) -> None:
    event("purchase", "a", quantity=3, unit_price=Decimal(10), currency="EUR", order_id="o1")
    event("purchase", "b", order_id="o1")
    OrderRefund.objects.create(order_id="o1", refund_id="r1", products=["a", "b"], quantities=[1, 0], occurred_at=NOON)
    found = items(api, "purchased")
    assert [(item["product_id"], item["purchases"], item["units"], item["revenue"]) for item in found] == [
        ("a", 1, 2, "20.00")
    ]


def test_purchases_units_and_revenue(api: APIClient, shop: None) -> None:
    event("purchase", "a", quantity=3, unit_price=Decimal("9.50"), currency="EUR")
    event("purchase", "a", user_id="bob")
    event("purchase", "b", quantity=2)
    assert items(api, "purchased") == [
        {
            "rank": 1, "product_id": "a", "title": "Lamp", "category": "Home > Light", "purchases": 2, "units": 4,
            "revenue": "38.50", "currency": "EUR", "unique_users": 2,
        },
        {
            "rank": 2, "product_id": "b", "title": "Rake", "category": "Garden", "purchases": 1, "units": 2,
            "revenue": "40.00", "currency": "USD", "unique_users": 1,
        },
    ]  # fmt: skip


def test_of_two_currencies_the_one_that_earned_more_is_told(api: APIClient, shop: None) -> None:
    event("purchase", "a", unit_price=Decimal(5), currency="EUR")
    event("purchase", "a", unit_price=Decimal(100), currency="GBP")
    event("purchase", "a", unit_price=Decimal(7), currency="GBP")
    found = items(api, "purchased")[0]
    assert (found["purchases"], found["units"], found["revenue"], found["currency"]) == (3, 3, "107.00", "GBP")


def test_a_purchase_without_any_price_earns_nothing(api: APIClient, shop: None) -> None:
    event("purchase", "c")
    found = items(api, "purchased")[0]
    assert (found["revenue"], found["currency"]) == ("0.00", "USD")


def test_where_nothing_is_due_a_list_is_three_queries_and_one_more_for_its_people(api: APIClient, shop: None) -> None:
    event("view", "a")
    event("purchase", "a")
    served("a")
    for name, expected in (("viewed", 4), ("recommended", 3), ("purchased", 4)):
        items(api, name)
        with CaptureQueriesContext(connection) as queries:
            items(api, name)
        assert len(queries) == expected


def test_what_is_due_in_masses_is_left_to_the_worker(
    api: APIClient, shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    event("view", "a")
    monkeypatch.setattr("analytics.freshening.MOST_PARTS", 0)
    assert items(api, "viewed") == []
    roll_up()
    assert items(api, "viewed")[0]["views"] == 1


def test_every_measure_is_described_by_its_definition() -> None:
    for serializer in (ViewedProductSerializer, RecommendedProductSerializer, PurchasedProductSerializer):
        for name, field in serializer().fields.items():
            if name not in ("rank", "product_id", "title", "category"):
                assert field.help_text == MEASURES[name].text


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "code"), [(None, 401), ("publishable", 403), ("secret", 200)])
def test_only_a_secret_key_may(api: APIClient, settings: Any, kind: str | None, code: int) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    if kind:
        api.credentials(HTTP_AUTHORIZATION=f"Api-Key {issue_key(name='test', kind=ApiKey.Kind(kind))[1]}")
    for name in ("viewed", "recommended", "purchased"):
        assert api.get(f"{ROOT}/top-{name}").status_code == code


def test_a_signed_in_admin_may_read(admin_client: Any, settings: Any) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    assert admin_client.get(f"{ROOT}/top-viewed").status_code == 200


LINE = st.tuples(st.sampled_from("ab"), st.sampled_from(["EUR", "USD", ""]), st.integers(1, 3), st.integers(0, 9))


class RevenueLaw(TestCase):
    """Counted by the database and by hand, the figures agree."""

    @settings(max_examples=40, deadline=None)
    @given(st.lists(LINE, max_size=12))
    def test_the_database_counts_as_one_does_by_hand(self, lines: list[tuple[str, str, int, int]]) -> None:
        mirror_products([ProductRow(name, "Lamp", currency="EUR", price=Decimal(1)) for name in "ab"])
        for name, currency, quantity, price in lines:
            event("purchase", name, quantity=quantity, unit_price=Decimal(price), currency=currency)
        roll_up()
        found = top_purchased(period=Period(NOON.date(), NOON.date()), limit=10)
        by_hand = []
        for name in "ab":
            mine = [line for line in lines if line[0] == name]
            earned: dict[str, int] = {}
            for _, currency, quantity, price in mine:
                earned[currency or "EUR"] = earned.get(currency or "EUR", 0) + quantity * price
            if mine:
                currency, revenue = min(earned.items(), key=lambda pair: (-pair[1], pair[0]))
                by_hand.append((name, len(mine), sum(line[2] for line in mine), Decimal(revenue), currency))
        by_hand.sort(key=lambda entry: (-entry[1], entry[0]))
        names = ("product_id", "purchases", "units", "revenue", "currency")
        assert [tuple(item[name] for name in names) for item in found] == by_hand
        assert Product.objects.count() == 2
