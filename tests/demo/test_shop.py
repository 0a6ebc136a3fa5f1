"""The shop's pages: facts from the catalogue, a bounded number of queries, and nothing that their policy forbids."""

import re
from collections.abc import Iterator
from decimal import Decimal
from html import escape, unescape

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from catalog.models import Product
from interactions.models import Interaction
from recommendations.models import ServedList
from recommendations.recorder import recorder
from reemio.access.identity import token_for
from reemio.access.models import ApiKey, digest_of
from reemio.demo.keys import ensure_key
from reemio.demo.templatetags.shop import money, stock_note
from reemio.demo.visitors import MOST_LINES, MOST_PIECES, Cart, Visitor
from tests.browsing import forget_engine


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


PAGES = [
    "/", "/shop/categories/Garden", "/shop/search?q=can&category=Garden&min_price=1", "/shop/products/can",
    "/shop/cart",    "/shop/checkout", "/shop/thanks", "/shop/account",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_and_asks_the_database_at_most_four_times(
    client: Client, products: list[Product], path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add(client, "can")
    add(client, "tulip")
    cache.clear()
    with django_assert_max_num_queries(4):
        response = client.get(path)
    assert response.status_code == 200


def test_the_cart_asks_as_often_for_one_line_as_for_many(
    client: Client, products: list[Product], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for product_id in ("can", "tulip", "odd/id &?"):
        add(client, product_id)
    cache.clear()
    with django_assert_num_queries(3):
        assert client.get("/shop/cart").content.count(b"data-line=") == 3


@pytest.mark.parametrize("path", [*PAGES, "/shop/products/nothing"])
def test_no_page_holds_what_its_own_content_security_policy_forbids(
    client: Client, products: list[Product], path: str
) -> None:
    response = client.get(path)
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
    response = client.post("/shop/checkout")
    assert response["Location"] == "/shop/thanks"
    html = client.get("/shop/thanks").content.decode()
    assert re.findall(r'data-line="([^"]+)" data-quantity="(\d+)" data-price="([^"]+)"', html) == [
        ("tulip", "1", "4.20")
    ]
    assert re.findall(r'data-line="([^"]+)"', client.get("/shop/cart").content.decode()) == ["can"]


def test_whoever_logs_in_brings_the_cart_and_keeps_the_session_and_another_has_their_own(
    client: Client, products: list[Product]
) -> None:
    client.cookies["reemio_session"] = "0123456789abcdef"
    add(client, "can")
    client.post("/shop/shopper", {"user_id": "wanjiku-muthoni", "next": "/shop/cart"})
    html = client.get("/shop/cart").content.decode()
    assert 'data-user="wanjiku-muthoni"' in html
    assert f'data-user-token="{token_for("wanjiku-muthoni")}"' in html
    assert 'data-line="can"' in html
    assert client.cookies["reemio_session"].value == "0123456789abcdef"
    client.post("/shop/shopper", {"user_id": "otieno-ochieng"})
    assert "Nothing in it yet" in client.get("/shop/cart").content.decode()
    assert client.cookies["reemio_session"].value == ""
    client.post("/shop/shopper", {"user_id": ""})
    html = client.get("/shop/cart").content.decode()
    assert 'data-user=""' in html
    assert "Nothing in it yet" in html
    client.post("/shop/shopper", {"user_id": "wanjiku-muthoni"})
    assert 'data-line="can"' in client.get("/shop/cart").content.decode()


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


@pytest.mark.parametrize("path", ["/shop/cart/change", "/shop/account/erase", "/shop/shopper"])
def test_what_changes_something_needs_a_token_and_a_post(db: None, path: str) -> None:
    careful = Client(enforce_csrf_checks=True)
    assert careful.post(path).status_code == 403
    assert careful.get(path).status_code == 405


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


def test_an_order_is_told_by_the_thank_you_page_and_a_forged_one_is_none(
    client: Client, products: list[Product]
) -> None:
    add(client, "can", 2)
    add(client, "odd/id &?")
    assert client.get("/shop/checkout").status_code == 200
    client.post("/shop/checkout")
    assert client.get("/shop/checkout")["Location"] == "/shop/cart"
    html = client.get("/shop/thanks").content.decode()
    assert re.search(r'data-order="R-[0-9A-F]{10}"', html)
    assert html.count("data-line=") == 2
    client.cookies["shop_order"] = client.cookies["shop_order"].value[:-1] + "x"
    assert "data-order" not in client.get("/shop/thanks").content.decode()


@pytest.mark.parametrize("price", ["free", "-1", "NaN", "1e400", "100000", ""])
def test_a_price_that_is_none_does_not_narrow_a_search(client: Client, products: list[Product], price: str) -> None:
    html = client.get("/shop/search", {"q": "can", "min_price": price}).content.decode()
    assert 'data-min=""' in html


# --- Without scripts ---------------------------------------------------------------------------------------------


@pytest.fixture
def plain(client: Client, committed_database: None, products: list[Product]) -> Iterator[Client]:
    """A browser that runs no scripts, after its first page. What is served is written by a thread of its own."""
    forget_engine()
    client.get("/shop/plain", {"next": "/"})
    yield client
    recorder.close()


def test_a_browser_without_scripts_is_sent_once_to_say_so(client: Client, products: list[Product]) -> None:
    html = client.get("/shop/products/can?a=1&b=2").content.decode()
    sent_to = unescape(re.findall(r'<noscript><meta http-equiv="refresh" content="0; url=([^"]+)"', html)[0])
    assert client.get(sent_to)["Location"] == "/shop/products/can?a=1&b=2"
    assert "noscript" not in client.get("/shop/products/can").content.decode()
    assert client.get("/shop/plain?next=https://elsewhere.example/")["Location"] == "/"


def test_its_lists_are_drawn_on_the_server_and_say_which_they_are(plain: Client) -> None:
    html = plain.get("/").content.decode()
    assert "skeleton" not in html
    request_id = re.findall(r'data-reemio-request="([^"]+)" data-reemio-context="homepage"', html)[0]
    recorder.close()
    served = ServedList.objects.get(request_id=request_id)
    assert served.session_id == plain.cookies["reemio_session"].value != ""
    assert re.findall(r'data-reemio-product="([^"]+)" data-reemio-position="(\d+)"', html) == [
        (escape(product_id), str(position)) for position, product_id in enumerate(served.products, 1)
    ]
    assert len(served.products) == 3


def test_what_it_does_is_told_by_the_server_each_once(plain: Client) -> None:
    plain.get("/shop/products/can")
    add(plain, "can", 2)
    add(plain, "tulip")
    plain.post("/shop/cart/change", {"action": "remove", "product_id": "tulip"})
    plain.post("/shop/checkout")
    plain.get("/shop/thanks")
    told = Interaction.objects.order_by("pk").values_list("interaction_type", "product_id", "quantity")
    assert list(told) == [
        ("view", "can", None), ("cart_add", "can", 2), ("cart_add", "tulip", 1), ("cart_remove", "tulip", 1),
        ("purchase", "can", 2),
    ]  # fmt: skip
    assert len(set(Interaction.objects.values_list("session_id", flat=True))) == 1


# --- The account -------------------------------------------------------------------------------------------------


def test_the_account_shows_downloads_and_erases_all_that_is_known(client: Client, products: list[Product]) -> None:
    Interaction.objects.create(
        interaction_type="view", product_id="can", user_id="mutua-kioko", session_id="s", occurred_at=timezone.now()
    )
    client.post("/shop/shopper", {"user_id": "mutua-kioko"})
    html = client.get("/shop/account").content.decode()
    for fact in ("Light User", "Sports, Home &amp; Kitchen, Electronics", "$1.90 to $1,017.00", "66 when", "1 now",
                 "Watering Can 9 L", "Garden"):  # fmt: skip
        assert fact in html
    download = client.get("/shop/account/export")
    assert download["Content-Disposition"] == 'attachment; filename="mutua-kioko.json"'
    assert [event["product_id"] for event in download.json()["interactions"]] == ["can"]
    client.post("/shop/account/erase")
    assert Interaction.objects.filter(user_id="mutua-kioko").exists()  # not without saying that one is sure
    client.post("/shop/account/erase", {"sure": "yes"})
    assert not Interaction.objects.filter(user_id="mutua-kioko").exists()
    assert Interaction.objects.count() == 1
    html = client.get("/shop/account?erased=mutua-kioko").content.decode()
    assert "Mutua Kioko is erased" in html
    assert 'data-user=""' in html


def test_nobody_sees_their_own_session_and_can_neither_download_nor_erase(
    client: Client, products: list[Product]
) -> None:
    for session in ("0123456789abcdef", "somebody-elses"):
        Interaction.objects.create(
            interaction_type="view", product_id="can" if session[0] == "0" else "tulip", session_id=session,
            occurred_at=timezone.now(),
        )  # fmt: skip
    client.cookies["reemio_session"] = "0123456789abcdef"
    html = client.get("/shop/account").content.decode()
    assert "Watering Can 9 L" in html
    assert "Tulip Bulbs" not in html
    assert client.get("/shop/account/export").status_code == 404
    client.post("/shop/account/erase", {"sure": "yes"})
    assert Interaction.objects.count() == 2


# --- The key -----------------------------------------------------------------------------------------------------


def test_the_shop_sends_its_own_publishable_key_until_it_is_revoked(client: Client, products: list[Product]) -> None:
    assert "data-key" not in client.get("/").content.decode()
    ensure_key()
    ensure_key()
    row = ApiKey.objects.get()
    assert (row.name, row.kind) == ("Demo shop", ApiKey.Kind.PUBLISHABLE)
    key = re.findall(r'data-key="([^"]+)"', client.get("/").content.decode())[0]
    assert row.digest == digest_of(key)
    ApiKey.objects.update(revoked_at=timezone.now())
    ensure_key()
    assert "data-key" not in client.get("/").content.decode()


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
