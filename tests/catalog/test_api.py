"""The catalogue's endpoints, as a shop's server meets them."""

from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog import tasks
from catalog.models import EmbeddingDue, Product, Restock
from catalog.rows import ProductRow
from catalog.services.mirror_products import mirror_products
from reemio.access.models import ApiKey, issue_key

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/catalog/products"
LAMP = {
    "title": "Lamp",
    "description": "Bright.",
    "category": "Home > Light",
    "brand": "Lux",
    "price": "19.90",
    "currency": "EUR",
    "image_url": "https://shop.example/lamp.png",
    "url": "https://shop.example/lamp",
    "stock_quantity": 5,
    "is_active": True,
    "attributes": {"colour": "red"},
}


def url(product_id: str, rest: str = "") -> str:
    return f"{ROOT}/{quote(product_id, safe='')}{rest}"


def shelf(*products: ProductRow) -> None:
    mirror_products(products)


def test_a_put_inserts_then_replaces(api: APIClient) -> None:
    first = api.put(url("a"), LAMP)
    assert first.status_code == 201
    answer = first.json()
    assert answer.pop("updated_at").endswith("Z")
    assert answer == {"product_id": "a", **LAMP}
    second = api.put(url("a"), {"title": "Desk"})
    assert second.status_code == 200
    assert Product.objects.values("title", "brand", "price", "stock_quantity", "attributes").get() == {
        "title": "Desk", "brand": "", "price": None, "stock_quantity": None, "attributes": {},
    }  # fmt: skip
    assert api.get(url("a")).json() == second.json()


def test_null_means_not_given(api: APIClient) -> None:
    nulls = {name: None for name in LAMP if name not in ("title", "is_active")}
    assert api.put(url("a"), {"title": "Lamp", **nulls}).status_code == 201
    assert Product.objects.values_list("brand", "price", "stock_quantity", "attributes").get() == ("", None, None, {})


@pytest.mark.parametrize("product_id", ["a.b", "a b", "ü", "a%2Fb", "?#", "batch", "💡", "x" * 128, " "])
def test_ids_are_opaque(api: APIClient, product_id: str) -> None:
    assert api.put(url(product_id), {"title": "Lamp"}).json()["product_id"] == product_id
    assert api.get(url(product_id)).json()["product_id"] == product_id
    assert api.patch(url(product_id, "/inventory"), {"stock_quantity": 1}).status_code == 200
    assert api.delete(url(product_id)).status_code == 204


@pytest.mark.parametrize("product_id", ["a\x00b", "x" * 129])
@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("get", "", None),
        ("put", "", {"title": "Lamp"}),
        ("delete", "", None),
        ("patch", "/inventory", {"stock_quantity": 1}),
    ],
)
def test_an_id_that_no_product_can_have_is_400(
    api: APIClient, product_id: str, method: str, rest: str, body: Any
) -> None:
    answer = getattr(api, method)(url(product_id, rest), body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "product_id"
    assert Product.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"title": 5}, "title"),
        ({"title": "a\x00"}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"description": "x" * 20_001}, "description"),
        ({"category": ["a"]}, "category"),
        ({"price": "-1"}, "price"),
        ({"price": "1.999"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": True}, "price"),
        ({"price": 10**30}, "price"),
        ({"currency": "EURO"}, "currency"),
        ({"stock_quantity": -1}, "stock_quantity"),
        ({"stock_quantity": 2**31}, "stock_quantity"),
        ({"stock_quantity": "5"}, "stock_quantity"),
        ({"stock_quantity": 1.5}, "stock_quantity"),
        ({"is_active": "yes"}, "is_active"),
        ({"is_active": "true"}, "is_active"),
        ({"is_active": None}, "is_active"),
        ({"attributes": []}, "attributes"),
        ({"attributes": {"a": "\x00"}}, "attributes"),
        ({"attributes": {"a": "x" * 17_000}}, "attributes"),
    ],
)
def test_a_wrong_field_is_400_and_nothing_changes(api: APIClient, fields: dict[str, Any], attr: str) -> None:
    api.put(url("a"), LAMP)
    before = Product.objects.values().get()
    answer = api.put(url("a"), {**LAMP, **fields})
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"
    assert {error["attr"] for error in answer.json()["errors"]} == {attr}
    assert Product.objects.values().get() == before


@pytest.mark.parametrize(
    "body", ['{"title": "\\ud800"}', '{"title": NaN}', "{", '{"title": "a", "attributes": {"n": 1e999}}', "[]"]
)
def test_a_body_that_is_no_storable_json_is_400(api: APIClient, body: str) -> None:
    assert api.put(url("a"), body, content_type="application/json").status_code == 400
    assert Product.objects.count() == 0


def test_unknown_products_are_404(api: APIClient) -> None:
    assert api.get(url("a")).status_code == 404
    assert api.delete(url("a")).status_code == 404
    assert api.patch(url("a", "/inventory"), {"stock_quantity": 1}).status_code == 404
    assert Product.objects.count() == 0


def test_a_delete_deactivates_and_may_be_repeated(api: APIClient) -> None:
    api.put(url("a"), LAMP)
    assert [api.delete(url("a")).status_code for _ in range(2)] == [204, 204]
    assert api.get(url("a")).json()["is_active"] is False


def test_a_rise_from_zero_is_remembered(api: APIClient) -> None:
    api.put(url("a"), {**LAMP, "stock_quantity": 0})
    answer = api.patch(url("a", "/inventory"), {"stock_quantity": 5})
    assert (answer.status_code, answer.json()["stock_quantity"]) == (200, 5)
    assert Restock.objects.values_list("product__product_id", "stock_quantity").get() == ("a", 5)
    assert api.patch(url("a", "/inventory"), {"stock_quantity": None}).json()["stock_quantity"] is None


@pytest.mark.parametrize("body", [{}, {"stock_quantity": -1}, {"stock_quantity": "1"}, {"stock_quantity": True}])
def test_a_wrong_stock_is_400(api: APIClient, body: Any) -> None:
    api.put(url("a"), LAMP)
    assert api.patch(url("a", "/inventory"), body).status_code == 400
    assert Product.objects.get().stock_quantity == 5


def test_a_batch_of_good_products_is_200(api: APIClient) -> None:
    answer = api.post(
        f"{ROOT}/batch", {"products": [{"product_id": "a", **LAMP}, {"product_id": "b", "title": "Desk"}]}
    )
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2, "rejected": 0, "errors": []})
    assert Product.objects.count() == 2


def test_the_good_ones_of_a_batch_are_stored(api: APIClient) -> None:
    products = [{"product_id": "a", "title": "Lamp"}, {"product_id": "b", "price": "x"}, 5]
    answer = api.post(f"{ROOT}/batch", {"products": products})
    assert answer.status_code == 207
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (1, 2)
    assert [entry["index"] for entry in body["errors"]] == [1, 2]
    attrs = {error["attr"] for error in body["errors"][0]["errors"]}
    assert attrs == {"products.1.title", "products.1.price"}
    assert body["errors"][1]["errors"][0]["attr"] == "products.2"
    assert Product.objects.get().product_id == "a"


def test_a_batch_without_a_good_product_is_400(api: APIClient) -> None:
    answer = api.post(f"{ROOT}/batch", {"products": [{"product_id": "a"}]})
    assert answer.status_code == 400
    error = {"code": "required", "detail": "This field is required.", "attr": "products.0.title"}
    assert answer.json() == {
        "type": "validation_error", "accepted": 0, "rejected": 1,
        "errors": [{**error, "index": 0, "errors": [error]}],
    }  # fmt: skip
    assert Product.objects.count() == 0


@pytest.mark.parametrize(
    "body", [{}, [], {"products": []}, {"products": {}}, {"products": [{"product_id": "a", "title": "L"}] * 501}]
)
def test_what_is_no_batch_is_400(api: APIClient, body: Any) -> None:
    assert api.post(f"{ROOT}/batch", body).status_code == 400
    assert Product.objects.count() == 0


def test_of_a_product_twice_in_a_batch_the_last_holds(api: APIClient) -> None:
    products = [{"product_id": "a", "title": title} for title in ("First", "Last")]
    assert api.post(f"{ROOT}/batch", {"products": products}).json()["accepted"] == 2
    assert Product.objects.get().title == "Last"


def test_pages_hold_every_product_once(api: APIClient) -> None:
    shelf(*(ProductRow(f"p{number}", "Lamp") for number in range(7)))
    found: list[str] = []
    address: str | None = f"{ROOT}?limit=3"
    pages = 0
    while address:
        page = api.get(address).json()
        found += [product["product_id"] for product in page["results"]]
        address, pages = page["next"], pages + 1
    assert found == [f"p{number}" for number in range(7)]
    assert pages == 3


def test_a_full_last_page_has_no_next(api: APIClient) -> None:
    shelf(ProductRow("a", "Lamp"), ProductRow("b", "Lamp"))
    assert api.get(f"{ROOT}?limit=2").json()["next"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=lamps", ["a", "b"]),
        ("q=c", ["c"]),
        ("q=lamp -red", ["b"]),
        ("category=Home", ["a", "c"]),
        ("category=Home > Light", ["a"]),
        ("category=Hom", []),
        ("brand=Lux", ["a"]),
        ("in_stock=true", ["a", "c"]),
        ("in_stock=false", ["b"]),
        ("q=lamp&in_stock=true", ["a"]),
    ],
)
def test_filters(api: APIClient, query: str, expected: list[str]) -> None:
    shelf(
        ProductRow("a", "Red lamp", category="Home > Light", brand="Lux", stock_quantity=1),
        ProductRow("b", "Blue lamp", category="Homely", stock_quantity=0),
        ProductRow("c", "Chair", category="Home"),
    )
    assert [product["product_id"] for product in api.get(f"{ROOT}?{query}").json()["results"]] == expected


@pytest.mark.parametrize("query", [
    "limit=0", "limit=101", "limit=x", "limit=" + "9" * 40, "in_stock=maybe", "in_stock=1", "cursor=x", "cursor=",
    "cursor=cffffffffffffffff", "q=%00", "category=%00", "q=" + "x" * 501,
])  # fmt: skip
def test_a_wrong_filter_is_400(api: APIClient, query: str) -> None:
    answer = api.get(f"{ROOT}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == query.split("=")[0]


def test_the_number_of_queries_does_not_grow_with_the_page(api: APIClient) -> None:
    shelf(*(ProductRow(f"p{number}", "Lamp") for number in range(60)))
    with CaptureQueriesContext(connection) as queries:
        assert len(api.get(f"{ROOT}?limit=50").json()["results"]) == 50
    assert len(queries) == 1


def test_a_push_asks_a_worker_to_embed_and_does_not_wait(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.embed_missing_products, "apply_async", lambda **how: asked.append(how))
    api.put(url("a"), LAMP)
    api.post(f"{ROOT}/batch", {"products": [{"product_id": "b", "title": "Desk"}]})
    assert asked == [{"retry": False}, {"retry": False}]
    assert EmbeddingDue.objects.count() == 2


def test_a_push_is_taken_without_a_broker(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**how: Any) -> None:
        raise tasks.OperationalError("no broker")

    monkeypatch.setattr(tasks.embed_missing_products, "apply_async", broken)
    assert api.put(url("a"), LAMP).status_code == 201
    assert EmbeddingDue.objects.count() == 1


@pytest.mark.parametrize(("kind", "code"), [(None, 401), ("publishable", 403), ("secret", 200)])
def test_only_a_secret_key_may(api: APIClient, settings: Any, kind: str | None, code: int) -> None:
    shelf(ProductRow("a", "Lamp"))
    settings.REEMIO_REQUIRE_API_KEY = True
    if kind:
        api.credentials(HTTP_AUTHORIZATION=f"Api-Key {issue_key(name='test', kind=ApiKey.Kind(kind))[1]}")
    assert api.get(url("a")).status_code == code
    assert api.get(ROOT).status_code == code
    assert api.patch(url("a", "/inventory"), {"stock_quantity": 1}).status_code == code
    assert Product.objects.get().stock_quantity == (1 if code == 200 else None)
