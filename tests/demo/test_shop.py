"""The shop's pages: facts from the catalogue, a bounded number of queries, and nothing that their policy forbids."""

import re
from decimal import Decimal
from html import unescape

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from catalog.models import Product
from reemio.demo.templatetags.shop import money, stock_note
from reemio.demo.visitors import MOST_LINES, MOST_PIECES, Cart, Visitor


@pytest.fixture
def products(db: None) -> list[Product]:
    facts = [
        ("tulip", "Tulip Bulbs, 10", "Garden > Seeds & Bulbs", "4.20", 50),
        ("can", "Watering Can 9 L", "Garden > Watering > Cans", "1044.00", 3),
        ("spade", "Spade", "Garden > Tools", "30.00", 0),
        ("odd/id &?", "Odd <b>One</b>", "Office", "7.00", None),
    ]
    return Product.objects.bulk_create(
        Product(product_id=key, title=title, category=path, price=Decimal(price), currency="USD", stock_quantity=stock)
        for key, title, path, price, stock in facts
    )


def add(client: Client, product_id: str, quantity: int = 1) -> None:
    client.post("/shop/cart/change", {"product_id": product_id, "quantity": quantity})


PAGES = ["/", "/shop/categories/Garden", "/shop/search?q=can", "/shop/products/can", "/shop/cart", "/shop/thanks"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers_and_asks_the_database_at_most_four_times(
    client: Client, products: list[Product], page: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add(client, "can")
    add(client, "tulip")
    cache.clear()
    with django_assert_max_num_queries(4):
        response = client.get(page)
    assert response.status_code == 200


def test_the_cart_asks_as_often_for_one_line_as_for_many(
    client: Client, products: list[Product], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for product_id in ("can", "tulip", "odd/id &?"):
        add(client, product_id)
    with django_assert_num_queries(2):
        assert client.get("/shop/cart").content.count(b"data-line=") == 3


@pytest.mark.parametrize("page", [*PAGES, "/shop/products/nothing"])
def test_no_page_holds_what_its_own_content_security_policy_forbids(
    client: Client, products: list[Product], page: str
) -> None:
    response = client.get(page)
    policy = response["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    html = response.content.decode()
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html) == []
    assert re.findall(r"<script(?![^>]*\ssrc=\"/static/)", html) == []
    assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//", html) == []


def test_the_front_page_lists_the_departments_with_their_products(client: Client, products: list[Product]) -> None:
    html = client.get("/").content.decode()
    assert "<b>Garden</b><small>3 products</small>" in html
    assert "<b>Office</b><small>1 product</small>" in html


def test_an_empty_shop_says_how_to_fill_it(client: Client, db: None) -> None:
    assert "manage.py sync_products" in client.get("/").content.decode()


def test_a_category_shows_what_is_in_and_below_it_with_its_stock(client: Client, products: list[Product]) -> None:
    html = client.get("/shop/categories/Garden").content.decode()
    assert re.findall(r'class="card-link" href="([^"]+)"', html) == [
        "/shop/products/tulip", "/shop/products/can", "/shop/products/spade",
    ]  # fmt: skip
    assert re.findall(r'card-note stock-(\w+)">([^<]+)', html) == [
        ("good", "In stock"), ("few", "Only 3 left"), ("none", "Out of stock"),
    ]  # fmt: skip
    assert client.get("/shop/categories/Garden%20%3E%20Tools").content.decode().count('class="card-link"') == 1


def test_a_category_can_be_sorted_and_an_unknown_order_is_the_usual_one(
    client: Client, products: list[Product]
) -> None:
    def first(query: str) -> str:
        html = client.get(f"/shop/categories/Garden?{query}").content.decode()
        return re.findall(r'class="card-link" href="([^"]+)"', html)[0]

    assert first("sort=-price") == "/shop/products/can"
    assert first("sort=price") == first("sort=%27;drop") == first("page=99") == "/shop/products/tulip"


def test_a_product_page_shows_title_price_stock_and_a_way_to_buy(client: Client, products: list[Product]) -> None:
    html = client.get("/shop/products/can").content.decode()
    assert "<h1>Watering Can 9 L</h1>" in html
    assert "$1,044.00" in html
    assert "Only 3 left" in html
    assert ">Add to cart</button>" in html


def test_a_product_out_of_stock_cannot_be_bought(client: Client, products: list[Product]) -> None:
    html = client.get("/shop/products/spade").content.decode()
    assert ">Out of stock</button>" in html
    assert "Add to cart" not in html
    add(client, "spade")
    assert "Nothing in it yet" in client.get("/shop/cart").content.decode()


def test_an_id_with_slashes_and_a_title_with_tags_are_only_text(client: Client, products: list[Product]) -> None:
    html = client.get("/shop/products/odd/id%20&%3F").content.decode()
    assert "<h1>Odd &lt;b&gt;One&lt;/b&gt;</h1>" in html
    source = unescape(re.findall(r'product-picture"><img src="([^"]+)"', html)[0])
    assert client.get(source).status_code == 200


@pytest.mark.parametrize("product_id", ["nothing", "gone", "%00", "x" * 3000])
def test_an_unknown_or_inactive_product_is_a_friendly_404(
    client: Client, products: list[Product], product_id: str
) -> None:
    Product.objects.create(product_id="gone", title="Gone", is_active=False)
    response = client.get(f"/shop/products/{product_id}")
    assert response.status_code == 404
    assert "Not on our shelves" in response.content.decode()


def test_a_picture_is_drawn_and_may_be_kept_for_a_week(client: Client, products: list[Product]) -> None:
    response = client.get("/shop/pictures/can.svg")
    assert response["Content-Type"] == "image/svg+xml"
    assert "max-age=604800" in response["Cache-Control"]
    assert response.content.startswith(b"<svg")
    assert client.get("/shop/pictures/nothing.svg").status_code == 404


def test_the_cart_adds_up_and_a_removed_line_is_gone(client: Client, products: list[Product]) -> None:
    add(client, "can", 2)
    add(client, "tulip")
    add(client, "tulip")
    html = client.get("/shop/cart").content.decode()
    assert "2 × $1,044.00" in html
    assert '<p class="sum-amount">$2,096.40</p>' in html
    client.post("/shop/cart/change", {"action": "remove", "product_id": "can"})
    assert '<p class="sum-amount">$8.40</p>' in client.get("/shop/cart").content.decode()


def test_the_script_is_answered_in_json(client: Client, products: list[Product]) -> None:
    answer = client.post(
        "/shop/cart/change", {"product_id": "can", "quantity": "2"}, headers={"Accept": "application/json"}
    )
    assert answer.json() == {"changed": True, "pieces": 2, "message": "Watering Can 9 L is in your cart."}
    answer = client.post("/shop/cart/change", {"product_id": "spade"}, headers={"Accept": "application/json"})
    assert (answer.json()["changed"], answer.json()["pieces"]) == (False, 2)


def test_a_line_that_sold_out_meanwhile_is_left_out_of_the_order_and_stays(
    client: Client, products: list[Product]
) -> None:
    add(client, "can")
    add(client, "tulip")
    Product.objects.filter(product_id="can").update(stock_quantity=0)
    assert '<p class="sum-amount">$4.20</p>' in client.get("/shop/cart").content.decode()
    response = client.post("/shop/checkout", {"order_id": "abc-1"})
    assert response["Location"] == "/shop/thanks?order=abc-1"
    assert re.findall(r'data-line="([^"]+)"', client.get("/shop/cart").content.decode()) == ["can"]


def test_each_shopper_has_a_cart_and_a_visit_of_their_own(client: Client, products: list[Product]) -> None:
    add(client, "can")
    first = re.findall(r'data-session="(\w+)"', client.get("/").content.decode())
    client.post("/shop/shopper", {"user_id": "wanjiku-muthoni", "next": "/shop/cart"})
    html = client.get("/shop/cart").content.decode()
    assert 'data-user="wanjiku-muthoni"' in html
    assert "Nothing in it yet" in html
    assert re.findall(r'data-session="(\w+)"', html) != first
    client.post("/shop/shopper", {"user_id": ""})
    html = client.get("/shop/cart").content.decode()
    assert 'data-user=""' in html
    assert 'data-line="can"' in html


def test_the_front_page_says_who_the_chosen_shopper_is(client: Client, products: list[Product]) -> None:
    client.post("/shop/shopper", {"user_id": "otieno-ochieng"})
    html = client.get("/").content.decode()
    for fact in (
        "Good to see you again, Otieno.",
        "Browser",
        "Electronics, Office, Garden",
        "$1.40 to $1,186.00",
        "101",
    ):
        assert fact in html


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_choosing_a_shopper_leads_nowhere_else(client: Client, db: None, target: str) -> None:
    response = client.post("/shop/shopper", {"user_id": "mutua-kioko", "next": target})
    assert response["Location"] == "/"


@pytest.mark.parametrize("page", ["/shop/cart/change", "/shop/checkout", "/shop/shopper"])
def test_what_changes_something_needs_a_token_and_a_post(db: None, page: str) -> None:
    careful = Client(enforce_csrf_checks=True)
    assert careful.post(page).status_code == 403
    assert careful.get(page).status_code == 405


def test_a_page_is_kept_by_no_shared_cache(client: Client, db: None) -> None:
    assert client.get("/")["Cache-Control"] == "private, no-cache"


@given(st.text())
def test_any_cookie_is_a_cart_within_its_limits(value: str) -> None:
    cart = Cart.from_cookie(value)
    assert len(cart.lines) <= MOST_LINES
    assert all(0 < quantity <= MOST_PIECES for _, quantity in cart.lines)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=30).filter(lambda key: "\0" not in key), st.integers(1, 99), max_size=6
    )
)
def test_a_cart_survives_its_cookie(lines: dict[str, int]) -> None:
    storable = {key.encode("utf-8", "ignore").decode(): quantity for key, quantity in lines.items()}
    storable.pop("", None)
    cart = Cart(tuple(storable.items()))
    assert Cart.from_cookie(cart.as_cookie()) == cart


def test_a_full_cart_takes_no_other_product() -> None:
    cart = Cart(tuple((f"p{number}", 1) for number in range(MOST_LINES)))
    assert cart.with_more("another", 1) == cart
    assert cart.with_more("p0", 500).lines[0] == ("p0", MOST_PIECES)
    assert Cart().with_more("x" * 5000, 1) == Cart()


def test_a_forged_visit_gets_a_new_one(client: Client, rf: object, db: None) -> None:
    client.cookies["shop_visit"] = "<script>"
    html = client.get("/").content.decode()
    assert re.search(r'data-session="[0-9a-f]{32}"', html)


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [("1186.00", "USD", "$1,186.00"), ("1.4", "EUR", "€1.40"), ("1200", "KES", "KES 1,200.00"), ("3", "", "3.00")],
)
def test_money_is_written_with_its_currency(amount: str, currency: str, written: str) -> None:
    assert money(Decimal(amount), currency) == written


def test_an_unknown_price_is_not_written_and_an_uncounted_stock_is_in_stock() -> None:
    assert money(None, "USD") == ""
    assert [stock_note(stock) for stock in (None, 11, 10, 1, 0)] == [
        "In stock", "In stock", "Only 10 left", "Only 1 left", "Out of stock",
    ]  # fmt: skip


def test_a_visitor_is_nobody_without_cookies(rf: object) -> None:
    visitor = Visitor.of(rf.get("/"))  # type: ignore[attr-defined]
    assert (visitor.user_id, visitor.first_name, visitor.cart) == ("", "", Cart())
