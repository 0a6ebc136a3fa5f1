"""The shop's API as a source: paging, retries, resumption, increments, and what it must not be talked into."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from catalog import tasks
from catalog.models import CatalogSync, Product
from catalog.services.sync_catalog import sync_catalog
from catalog.sources import PageRefusedError, SourceError
from catalog.sources.http import LARGEST_PAGE, HttpSource


@pytest.fixture
def naps() -> list[float]:
    """The seconds that the source would have waited."""
    return []


@pytest.fixture
def source(httpserver: HTTPServer, settings: Any, naps: list[float]) -> Callable[[], HttpSource]:
    settings.ECOMMERCE_API_URL = httpserver.url_for("/products?size=2")
    settings.ECOMMERCE_API_TOKEN = "the-token"
    settings.ECOMMERCE_TIMEOUT_SECONDS = 2.0
    settings.ECOMMERCE_MAX_RETRIES = 2
    return lambda: HttpSource(sleep=naps.append)


def product(product_id: str, title: str = "Lamp") -> dict[str, str]:
    return {"product_id": product_id, "title": title}


def titles() -> dict[str, str]:
    return dict(Product.objects.values_list("product_id", "title"))


@pytest.mark.django_db
def test_pages_are_followed_with_the_token(httpserver: HTTPServer, source: Callable[[], HttpSource]) -> None:
    headers = {"Authorization": "Bearer the-token"}
    httpserver.expect_ordered_request("/products", query_string="size=2", headers=headers).respond_with_json(
        {"results": [product("a"), product("b")], "next": "/products?page=2"}
    )
    httpserver.expect_ordered_request("/products", query_string="page=2", headers=headers).respond_with_json(
        {"results": [product("c"), "junk"], "next": None}
    )
    sync = sync_catalog(source(), full=True)
    assert (sync.state, sync.new, sync.refused, sync.resume_at) == ("succeeded", 3, 1, "")
    assert sync.location == httpserver.url_for("/products")
    assert sync.refusals[0]["reason"] == "not a JSON object"
    assert set(titles()) == {"a", "b", "c"}


@pytest.mark.django_db
def test_fields_are_found_where_the_map_says(
    httpserver: HTTPServer, source: Callable[[], HttpSource], settings: Any
) -> None:
    settings.ECOMMERCE_FIELD_MAP = {"product_id": "sku", "stock_quantity": "inventory.available", "category": "path"}
    item = {"sku": 17, "title": "Lamp", "inventory": {"available": 4}, "path": ["Home", "Light"], "price": 19.9}
    httpserver.expect_request("/products").respond_with_json({"results": [item], "next": None})
    sync_catalog(source(), full=True)
    found = Product.objects.get()
    assert (found.product_id, found.stock_quantity, found.category, str(found.price)) == (
        "17", 4, "Home > Light", "19.90",
    )  # fmt: skip


@pytest.mark.django_db
def test_a_busy_shop_is_asked_again_when_it_said(
    httpserver: HTTPServer, source: Callable[[], HttpSource], naps: list[float]
) -> None:
    httpserver.expect_ordered_request("/products").respond_with_data(status=429, headers={"Retry-After": "7"})
    httpserver.expect_ordered_request("/products").respond_with_data(status=503)
    httpserver.expect_ordered_request("/products").respond_with_json({"results": [product("a")], "next": None})
    assert sync_catalog(source(), full=True).state == "succeeded"
    assert naps[0] == 7.0
    assert 2 <= naps[1] <= 3
    assert set(titles()) == {"a"}


def test_a_wait_is_understood_as_a_date_and_kept_within_reason(
    httpserver: HTTPServer, source: Callable[[], HttpSource], naps: list[float]
) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    httpserver.expect_ordered_request("/products").respond_with_data(status=503, headers={"Retry-After": soon})
    httpserver.expect_ordered_request("/products").respond_with_data(status=503, headers={"Retry-After": "99999"})
    httpserver.expect_ordered_request("/products").respond_with_json({"results": [], "next": None})
    list(source().pages(updated_since=None, resume_at=""))
    assert 25 <= naps[0] <= 30
    assert naps[1] == 120.0


@pytest.mark.django_db
def test_a_shop_that_stays_away_fails_the_run(
    httpserver: HTTPServer, source: Callable[[], HttpSource], naps: list[float]
) -> None:
    httpserver.expect_request("/products").respond_with_data(status=500)
    with pytest.raises(SourceError, match="status 500"):
        sync_catalog(source(), full=True)
    assert (len(naps), len(httpserver.log)) == (2, 3)
    assert CatalogSync.objects.get().state == "failed"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "elsewhere", ["http://169.254.169.254/latest", "//other.example/x", "https://localhost/", "file:///etc/passwd"]
)
def test_a_next_page_on_another_server_is_not_asked(
    httpserver: HTTPServer, source: Callable[[], HttpSource], elsewhere: str
) -> None:
    httpserver.expect_request("/products").respond_with_json({"results": [product("a")], "next": elsewhere})
    with pytest.raises(SourceError, match="on another server"):
        sync_catalog(source(), full=True)
    assert len(httpserver.log) == 1
    assert titles() == {}


def test_a_redirect_is_not_followed(httpserver: HTTPServer, source: Callable[[], HttpSource]) -> None:
    httpserver.expect_request("/products").respond_with_data(status=302, headers={"Location": "/other"})
    with pytest.raises(PageRefusedError, match="status 302"):
        list(source().pages(updated_since=None, resume_at=""))
    assert len(httpserver.log) == 1


def test_pages_in_a_circle_come_to_an_end(httpserver: HTTPServer, source: Callable[[], HttpSource]) -> None:
    httpserver.expect_request("/products").respond_with_json({"results": [], "next": "/products?size=2"})
    with pytest.raises(SourceError, match="in a circle"):
        list(source().pages(updated_since=None, resume_at=""))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<html>", "not JSON"),
        ("[]", 'not {"results"'),
        ('{"results": 1}', 'not {"results"'),
        ('{"results": [], "next": 5}', 'not {"results"'),
    ],
)
def test_another_answer_is_refused(
    httpserver: HTTPServer, source: Callable[[], HttpSource], body: str, sentence: str
) -> None:
    httpserver.expect_request("/products").respond_with_data(body)
    with pytest.raises(SourceError, match=sentence):
        list(source().pages(updated_since=None, resume_at=""))


def test_a_page_too_large_for_the_memory_is_given_up(
    httpserver: HTTPServer, source: Callable[[], HttpSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.sources.http.LARGEST_PAGE", 1000)
    assert LARGEST_PAGE == 32 * 1024 * 1024
    httpserver.expect_request("/products").respond_with_data(json.dumps({"results": ["x" * 2000], "next": None}))
    with pytest.raises(SourceError, match="larger than 1000 bytes"):
        list(source().pages(updated_since=None, resume_at=""))


@pytest.mark.django_db
def test_a_broken_run_goes_on_at_the_page_it_had_reached(
    httpserver: HTTPServer, source: Callable[[], HttpSource]
) -> None:
    up = False

    def answer(request: Request) -> Response:
        page = int(request.args.get("page", 1))
        if page == 2 and not up:
            return Response(status=500)
        following = f"/products?page={page + 1}" if page < 3 else None
        return Response(json.dumps({"results": [product(f"p{page}")], "next": following}))

    httpserver.expect_request("/products").respond_with_handler(answer)
    with pytest.raises(SourceError):
        sync_catalog(source(), full=True)
    broken = CatalogSync.objects.get()
    assert (broken.state, broken.new, broken.resume_at) == ("failed", 1, httpserver.url_for("/products?page=2"))
    up = True
    httpserver.clear_log()
    sync = sync_catalog(source(), full=True)
    assert [request.query_string for request, _ in httpserver.log] == [b"page=2", b"page=3"]
    assert (sync.pk, sync.state, sync.new, sync.vanished) == (broken.pk, "succeeded", 3, 0)
    assert set(Product.objects.filter(is_active=True).values_list("product_id", flat=True)) == {"p1", "p2", "p3"}


@pytest.mark.django_db
def test_a_page_that_is_gone_for_good_is_not_resumed_at(
    httpserver: HTTPServer, source: Callable[[], HttpSource]
) -> None:
    first = httpserver.expect_oneshot_request("/products", query_string="size=2")
    first.respond_with_json({"results": [product("a")], "next": "/products?page=2"})
    httpserver.expect_request("/products", query_string="page=2").respond_with_data(status=410)
    with pytest.raises(PageRefusedError, match="status 410"):
        sync_catalog(source(), full=True)
    assert CatalogSync.objects.get().resume_at == ""


@pytest.mark.django_db
def test_after_a_good_run_only_changes_are_asked_for_and_nothing_vanishes(
    httpserver: HTTPServer, source: Callable[[], HttpSource]
) -> None:
    everything = {"results": [product("a"), product("b")], "next": None}
    httpserver.expect_oneshot_request("/products", query_string="size=2").respond_with_json(everything)
    first = sync_catalog(source(), full=False)
    httpserver.expect_request("/products").respond_with_json({"results": [product("b", "Desk")], "next": None})
    second = sync_catalog(source(), full=False)
    assert (first.updated_since, second.changed, second.vanished) == (None, 1, 0)
    assert second.updated_since == first.started_at - timedelta(minutes=10)
    asked = httpserver.log[1][0].args["updated_since"]
    assert datetime.fromisoformat(asked) == second.updated_since
    assert Product.objects.filter(is_active=True).count() == 2


@pytest.mark.django_db
def test_the_nightly_run_acts_only_where_an_address_is_configured(
    httpserver: HTTPServer, source: Callable[[], HttpSource], encoded: list[list[str]], settings: Any
) -> None:
    httpserver.expect_request("/products").respond_with_json({"results": [product("a")], "next": None})
    tasks.sync_products_nightly()
    assert (CatalogSync.objects.get().state, encoded) == ("succeeded", [["Lamp"]])
    settings.ECOMMERCE_API_URL = ""
    tasks.sync_products_nightly()
    assert CatalogSync.objects.count() == 1


@pytest.mark.parametrize("address", ["", "ftp://shop.example/", "no address", "http://"])
def test_an_address_that_is_none_is_refused(settings: Any, address: str) -> None:
    settings.ECOMMERCE_API_URL = address
    with pytest.raises(SourceError, match="ECOMMERCE_API_URL"):
        HttpSource()
