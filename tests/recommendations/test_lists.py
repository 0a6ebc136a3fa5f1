"""The four list endpoints, as api.md promises them."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.models import Product
from interactions.models import FreshInteraction
from recommendations.learning.folding import fold_fresh
from recommendations.learning.train import train
from recommendations.models import ServedList
from recommendations.recorder import recorder
from tests.recommendations.conftest import did, make_product

pytestmark = pytest.mark.django_db(transaction=True)

HOMEPAGE = "/api/v1/recommendations/homepage"


@pytest.fixture
def shop() -> None:
    """Ten garden things along one direction, ten sports things along another, twenty of ten other categories."""
    for number in range(10):
        make_product(f"garden-{number}", axis=0, tilt=number / 20, category="Garden")
        make_product(f"sports-{number}", axis=100, tilt=number / 20, category="Sports > Running")
    for number in range(20):
        make_product(f"other-{number}", axis=200 + number, category=f"Other {number % 10}")


@pytest.fixture
def trained(shop: None) -> None:
    """Orders in which sports-0 and sports-1 go together, and shoppers who look at many sports things."""
    for number in range(4):
        shopper = f"runner-{number}"
        for product in ("sports-0", "sports-1"):
            did("purchase", product, user=shopper, order=f"order-{number}", days_ago=3)
        did("view", f"sports-{number + 2}", user=shopper, days_ago=2)
    while fold_fresh():
        pass
    train()


def ids(answer: Any) -> list[str]:
    return [item["product_id"] for item in answer.json()["items"]]


def test_nobody_gets_what_is_popular(api: APIClient, trained: None) -> None:
    answer = api.get(HOMEPAGE)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["strategy"], body["context"], len(body["items"])) == ("popular", "homepage", 12)
    assert sorted(ids(answer)[:2]) == ["sports-0", "sports-1"]
    assert [item["position"] for item in body["items"]] == list(range(1, 13))
    assert body["items"][0]["reason"] == {"code": "popular", "text": "Popular right now", "product_id": None}
    assert body["items"][0]["product"] == {
        "title": ids(answer)[0].replace("-", " ").title(),
        "category": "Sports > Running", "brand": "", "price": "10.00", "currency": "USD",
        "image_url": "", "url": "", "in_stock": True,
    }  # fmt: skip


def test_an_unknown_user_is_no_error_and_gets_what_is_popular(api: APIClient, trained: None) -> None:
    assert api.get(HOMEPAGE, {"user_id": "nobody"}).json()["strategy"] == "popular"


def test_a_view_changes_the_next_homepage_at_once(api: APIClient, trained: None) -> None:
    before = api.get(HOMEPAGE, {"user_id": "amina"})
    assert [one for one in ids(before) if one.startswith("garden")][4:] == []
    did("view", "garden-3", user="amina")
    after = api.get(HOMEPAGE, {"user_id": "amina"})
    assert after.json()["strategy"] == "personalized"
    assert ids(after)[0] == "garden-4"
    assert all(one.startswith("garden") for one in ids(after)[:4])
    assert after.json()["items"][0]["signals"]["content"] > 0.99
    assert after.json()["items"][0]["reason"]["text"] == "Because you viewed Garden 3"


def test_the_list_is_the_same_before_and_after_folding(api: APIClient, trained: None) -> None:
    did("view", "garden-3", user="amina", days_ago=1)
    did("cart_add", "sports-4", user="amina", days_ago=5)
    fresh = api.get(HOMEPAGE, {"user_id": "amina"}).json()["items"]
    assert fold_fresh() == 2
    assert FreshInteraction.objects.count() == 0
    folded = api.get(HOMEPAGE, {"user_id": "amina"}).json()["items"]
    assert [item["product_id"] for item in folded] == [item["product_id"] for item in fresh]
    for left, right in zip(fresh, folded, strict=True):
        assert left["signals"]["content"] == pytest.approx(right["signals"]["content"], abs=1e-4)


def test_a_guests_session_has_a_taste_too(api: APIClient, trained: None) -> None:
    did("view", "garden-3", session="visit-1")
    answer = api.get(HOMEPAGE, {"session_id": "visit-1"})
    assert answer.json()["strategy"] == "session"
    assert ids(answer)[0] == "garden-4"


def test_what_was_bought_in_the_last_30_days_is_left_out_of_the_homepage(api: APIClient, trained: None) -> None:
    did("purchase", "garden-3", user="amina", days_ago=29)
    did("purchase", "garden-4", user="amina", days_ago=31)
    shown = ids(api.get(HOMEPAGE, {"user_id": "amina", "limit": 50}))
    assert "garden-3" not in shown
    assert "garden-4" in shown


def test_the_score_is_the_briefs_formula_and_orders_the_list(api: APIClient, trained: None) -> None:
    did("view", "sports-4", user="amina")
    did("view", "garden-4", user="amina", days_ago=3)
    for path in (
        HOMEPAGE,
        "/api/v1/recommendations/product/sports-0",
        "/api/v1/recommendations/cart?product_ids=sports-0",
    ):
        items = api.get(path, {"user_id": "amina"} if "?" not in path else None).json()["items"]
        for item in items:
            signals = item["signals"]
            blended = 0.5 * signals["content"] + 0.3 * signals["collaborative"] + 0.2 * signals["popularity"]
            assert item["score"] == pytest.approx(blended, abs=1e-5)
            assert signals["rerank"] is None


def test_similar_products_never_hold_the_product_itself(api: APIClient, trained: None) -> None:
    answer = api.get("/api/v1/recommendations/product/garden-5", {"limit": 50})
    assert answer.json()["strategy"] == "similar"
    assert answer.json()["context"] == "product_page"
    assert "garden-5" not in ids(answer)
    assert set(ids(answer)[:2]) == {"garden-4", "garden-6"}
    assert len(ids(answer)) == 39


def test_bought_together_begins_with_what_was_and_says_so_of_the_rest(api: APIClient, trained: None) -> None:
    items = api.get("/api/v1/recommendations/frequently-bought-together/sports-0").json()["items"]
    assert len(items) == 4
    assert items[0]["product_id"] == "sports-1"
    assert items[0]["signals"]["collaborative"] == 1.0
    assert items[0]["reason"]["text"] == "Bought together with Sports 0 in 4 orders"
    for item in items[1:]:
        assert item["signals"]["collaborative"] == 0
        assert item["reason"]["code"] == "complements"


def test_the_cart_recommends_what_goes_with_it_and_never_what_is_in_it(api: APIClient, trained: None) -> None:
    answer = api.get("/api/v1/recommendations/cart", {"product_ids": "sports-0,unknown"})
    assert answer.json()["strategy"] == "cart"
    assert ids(answer)[0] == "sports-1"
    assert "sports-0" not in ids(answer)
    repeated = api.get("/api/v1/recommendations/cart?product_ids=sports-0&product_ids=sports-1")
    assert not {"sports-0", "sports-1"} & set(ids(repeated))


def test_a_cart_of_only_unknown_products_gets_what_is_popular(api: APIClient, trained: None) -> None:
    answer = api.get("/api/v1/recommendations/cart", {"product_ids": "nope"})
    assert answer.json()["strategy"] == "popular"
    assert len(ids(answer)) == 8


@pytest.mark.parametrize("path", ["/api/v1/recommendations/cart", "/api/v1/recommendations/cart?product_ids=,"])
def test_a_cart_without_products_is_a_400(api: APIClient, trained: None, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "product_ids"


@pytest.mark.parametrize("kind", ["product", "frequently-bought-together"])
def test_an_unknown_product_in_the_path_is_a_404(api: APIClient, trained: None, kind: str) -> None:
    answer = api.get(f"/api/v1/recommendations/{kind}/nope")
    assert answer.status_code == 404
    assert answer.json()["type"] == "client_error"
    recorder.close()
    assert ServedList.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "51"), ("limit", "x"), ("min_price", "-1"), ("min_price", "NaN"), ("user_id", ""),
     ("user_id", "x" * 129), ("user_id", "a\x00b"), ("category", "\x00"), ("exclude", "x" * 129)],
)  # fmt: skip
def test_wrong_parameters_are_a_400_that_names_them(api: APIClient, trained: None, name: str, value: str) -> None:
    answer = api.get(HOMEPAGE, {name: value})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == name


def test_filters_narrow_the_list_and_never_leave_it_short(api: APIClient, trained: None) -> None:
    did("view", "garden-3", user="amina")
    answer = api.get(HOMEPAGE, {"user_id": "amina", "category": "Sports", "limit": 10})
    assert sorted(ids(answer)) == [f"sports-{number}" for number in range(10)]
    Product.objects.filter(product_id="garden-1").update(price=99)
    assert ids(api.get(HOMEPAGE, {"user_id": "amina", "min_price": "50"})) == ["garden-1"]
    assert "garden-1" not in ids(api.get(HOMEPAGE, {"user_id": "amina", "max_price": "98.99", "limit": 50}))


def test_nothing_excluded_inactive_or_out_of_stock_is_ever_shown(api: APIClient, trained: None) -> None:
    Product.objects.filter(product_id="sports-0").update(stock_quantity=0)
    Product.objects.filter(product_id="sports-1").update(is_active=False)
    for path in (
        HOMEPAGE,
        "/api/v1/recommendations/product/sports-2",
        "/api/v1/recommendations/frequently-bought-together/sports-2",
    ):
        shown = ids(api.get(path, {"limit": 50, "exclude": "sports-3,unknown"}))
        assert not {"sports-0", "sports-1", "sports-3"} & set(shown)
        assert len(shown) == len(set(shown)) >= 36
    Product.objects.filter(product_id="sports-0").update(stock_quantity=1)
    assert "sports-0" in ids(api.get(HOMEPAGE))


def test_a_shop_without_any_event_or_training_still_fills_its_lists(api: APIClient, shop: None) -> None:
    answer = api.get(HOMEPAGE)
    assert answer.json()["model_version"] is None
    assert len(ids(answer)) == 12
    assert answer.json()["items"][0]["reason"]["code"] == "new"
    assert len(ids(api.get("/api/v1/recommendations/product/garden-1"))) == 8
    assert len(ids(api.get("/api/v1/recommendations/frequently-bought-together/garden-1"))) == 4


def test_of_twelve_at_most_four_share_a_category(api: APIClient, trained: None) -> None:
    did("view", "garden-3", user="amina")
    shown = ids(api.get(HOMEPAGE, {"user_id": "amina"}))
    assert sum(one.startswith("garden") for one in shown) == 4


def test_every_list_is_remembered(api: APIClient, trained: None) -> None:
    body = api.get(HOMEPAGE, {"user_id": "amina", "session_id": "visit-1", "limit": 3}).json()
    recorder.close()
    served = ServedList.objects.get(request_id=uuid.UUID(body["request_id"]))
    assert served.products == [item["product_id"] for item in body["items"]]
    assert (served.placement, served.context, served.strategy) == ("homepage", "homepage", "popular")
    assert (served.user_id, served.session_id, served.model_version) == ("amina", "visit-1", body["model_version"])
    assert abs((datetime.now(UTC) - served.served_at).total_seconds()) < 60


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        (f"{HOMEPAGE}?", 1),  # which version answers, and whether a product has changed
        (f"{HOMEPAGE}?user_id=amina", 1),  # the same with all that is known of the shopper
        (f"{HOMEPAGE}?session_id=visit", 1),
        ("/api/v1/recommendations/product/sports-0?", 1),  # neighbours are kept from the request before
        ("/api/v1/recommendations/product/sports-0?user_id=amina", 1),
        ("/api/v1/recommendations/frequently-bought-together/sports-0?", 1),
        ("/api/v1/recommendations/cart?product_ids=sports-0,sports-1", 1),
    ],
)
@pytest.mark.parametrize("events", [2, 40])
def test_the_number_of_queries_does_not_grow(
    api: APIClient, trained: None, unhurried: None, path: str, queries: int, events: int
) -> None:
    for number in range(events):
        did("view", f"sports-{number % 10}", user="amina", days_ago=number)
        did("view", f"sports-{number % 10}", session="visit", days_ago=number)
    while fold_fresh():
        pass
    for limit in (4, 50):
        api.get(f"{path}&limit={limit}")
        recorder.close()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            api.get(f"{path}&limit={limit}")
        sent = [query["sql"] for query in captured if "served_lists" not in query["sql"]]
        assert len(sent) == queries, sent
