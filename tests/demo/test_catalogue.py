"""The bundled catalogue: believable, complete, and with the prices that the brief's table needs."""

import csv
import re
from collections import Counter, defaultdict
from decimal import Decimal
from importlib.resources import files

from reemio.demo.catalogue import load_products
from reemio.demo.complements import LASTING, PAIRS, RESTOCK_DAYS, SHELVES
from reemio.demo.personas import SHOPPERS

PRODUCTS = load_products()
DEPARTMENTS = {
    "Electronics",
    "Fashion",
    "Home & Kitchen",
    "Sports",
    "Garden",
    "Office",
    "Toys",
    "Beauty",
    "Grocery",
    "Pets",
}


def test_there_are_643_products_in_ten_departments() -> None:
    per_department = Counter(product.department for product in PRODUCTS)
    assert len(PRODUCTS) == 643
    assert set(per_department) == DEPARTMENTS
    assert min(per_department.values()) == 55


def test_every_department_has_five_to_eight_shelves_two_or_three_levels_deep() -> None:
    shelves = defaultdict(set)
    for product in PRODUCTS:
        shelves[product.department].add(product.category)
        assert len(product.category.split(" > ")) in (2, 3)
    assert {department: 5 <= len(paths) <= 8 for department, paths in shelves.items()} == dict.fromkeys(
        DEPARTMENTS, True
    )


def test_the_columns_are_those_that_sync_products_reads() -> None:
    header = next(csv.reader(files("reemio.demo").joinpath("catalogue.csv").read_text("utf-8").splitlines()))
    assert header == [
        "product_id",
        "title",
        "description",
        "category",
        "brand",
        "price",
        "currency",
        "stock_quantity",
        "image_url",
        "url",
        "is_active",
    ]


def test_no_two_products_share_an_id_a_title_or_a_description() -> None:
    for field in ("product_id", "title", "description"):
        assert len({getattr(product, field) for product in PRODUCTS}) == len(PRODUCTS), field


def test_ids_are_slugs_and_make_up_the_addresses() -> None:
    for product in PRODUCTS:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", product.product_id)
        assert len(product.product_id) <= 60
        assert product.image_url == f"/shop/pictures/{product.product_id}.svg"
        assert product.url == f"/shop/products/{product.product_id}"


def test_every_product_has_a_brand_and_a_description_of_a_few_sentences() -> None:
    for product in PRODUCTS:
        assert product.brand
        assert 2 <= len(re.findall(r"[.?!](?:\s|$)", product.description)) <= 4, product.product_id
        assert 50 <= len(product.description) <= 320, product.product_id


def test_no_way_of_putting_things_is_worn_out() -> None:
    openings = Counter(" ".join(product.description.split()[:3]) for product in PRODUCTS)
    endings = Counter(" ".join(product.description.split()[-4:]) for product in PRODUCTS)
    assert max(openings.values()) <= 4
    assert max(endings.values()) <= 3


def test_prices_run_from_1_40_to_1186_dollars_with_most_below_65() -> None:
    prices = sorted(product.price for product in PRODUCTS)
    assert (prices[0], prices[-1]) == (Decimal("1.40"), Decimal("1186.00"))
    assert {product.currency for product in PRODUCTS} == {"USD"}
    assert Decimal(20) <= prices[len(prices) // 2] <= Decimal(35)
    assert sum(price < 65 for price in prices) > 0.7 * len(prices)


def test_each_shopper_finds_their_cheapest_and_dearest_product_in_a_top_category() -> None:
    for shopper in SHOPPERS:
        for price in (shopper.price_min, shopper.price_max):
            found = {one.department for one in PRODUCTS if one.price == price and one.is_sellable}
            assert found & set(shopper.top_categories), (shopper.name, price)


def test_some_products_are_sold_out_some_untracked_and_three_inactive() -> None:
    assert sum(product.stock == 0 for product in PRODUCTS) == 26
    assert sum(product.stock is None for product in PRODUCTS) == 96
    assert sum(not product.is_active for product in PRODUCTS) == 3
    assert all(product.stock is None or 0 <= product.stock <= 400 for product in PRODUCTS)


def test_complements_and_staples_name_only_what_the_catalogue_has() -> None:
    sellable = {product.product_id for product in PRODUCTS if product.is_sellable}
    shelves = {product.category for product in PRODUCTS}
    assert {one for first, second, _ in PAIRS for one in (first, second)} <= sellable
    assert {one for shelf, others in SHELVES.items() for one in (shelf, *others)} <= shelves
    assert set(RESTOCK_DAYS) <= shelves
    assert {product.product_id for product in PRODUCTS} >= LASTING


def test_the_ten_shoppers_are_those_of_the_brief() -> None:
    assert [shopper.user_id for shopper in SHOPPERS] == [
        "wanjiku-muthoni",
        "otieno-ochieng",
        "kipchoge-korir",
        "chebet-jepkosgei",
        "nyambura-wangari",
        "mutua-kioko",
        "kimani-njoroge",
        "omondi-onyango",
        "nafula-wekesa",
        "akinyi-adhiambo",
    ]
    assert [shopper.interactions for shopper in SHOPPERS] == [101, 101, 73, 68, 67, 66, 54, 54, 40, 36]
    assert {shopper.timezone for shopper in SHOPPERS} == {"Africa/Nairobi"}
    assert all(shopper.email.endswith("@example.com") for shopper in SHOPPERS)
    assert len({shopper.email for shopper in SHOPPERS}) == 10
