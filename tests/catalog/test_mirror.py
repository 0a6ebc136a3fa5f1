"""Rows into the mirror: counts, restocks, and writers side by side."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import EmbeddingDue, Product, Restock
from catalog.rows import ProductRow
from catalog.services.deactivate import deactivate
from catalog.services.mirror_products import MirrorCounts, mirror_products
from catalog.services.set_inventory import set_inventory
from catalog.services.upsert_product import upsert_product

Row = Callable[..., ProductRow]


@pytest.mark.django_db
def test_new_changed_and_unchanged_are_counted(row: Row) -> None:
    assert mirror_products([row("a"), row("b")]) == MirrorCounts(new=2)
    assert mirror_products([row("a"), row("b", "Desk"), row("c")]) == MirrorCounts(new=1, changed=1, unchanged=1)
    assert list(Product.objects.order_by("product_id").values_list("product_id", "title")) == [
        ("a", "Lamp"),
        ("b", "Desk"),
        ("c", "Lamp"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Desk"},
        {"description": "Bright"},
        {"category": "Home"},
        {"brand": "Lux"},
        {"price": Decimal("1.50")},
        {"price": Decimal(1), "currency": "EUR"},
        {"image_url": "/a.png"},
        {"url": "/a"},
        {"stock_quantity": 0},
        {"is_active": False},
        {"attributes": {"colour": "red"}},
    ],
)
def test_every_field_is_mirrored_and_its_change_noticed(fields: dict[str, Any]) -> None:
    mirror_products([ProductRow("a", "Lamp")])
    changed = ProductRow(**{"product_id": "a", "title": "Lamp", **fields})
    assert mirror_products([changed]) == MirrorCounts(changed=1)
    product = Product.objects.get()
    assert {name: getattr(product, name) for name in fields} == fields
    assert mirror_products([changed]) == MirrorCounts(unchanged=1)


@pytest.mark.django_db
def test_an_unchanged_product_is_not_written(row: Row) -> None:
    mirror_products([row("a")])
    before = Product.objects.values_list("updated_at", "changed_in").get()
    mirror_products([row("a")])
    assert Product.objects.values_list("updated_at", "changed_in").get() == before


@pytest.mark.django_db
def test_of_a_product_that_comes_twice_the_last_row_holds(row: Row) -> None:
    assert mirror_products([row("a", "First"), row("a", "Last")]) == MirrorCounts(new=1, changed=1)
    assert Product.objects.get().title == "Last"


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_rows(row: Row) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        mirror_products([row("a")])
    with CaptureQueriesContext(connection) as many:
        mirror_products([row(str(number)) for number in range(500)])
    assert len(few) == len(many) == 3  # a savepoint, the upsert, its release


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "after", "noted"), [
    (0, 5, [5]), (0, None, [None]), (0, 0, []), (5, 0, []), (None, 5, []), (1, 5, []),
])  # fmt: skip
def test_only_a_rise_from_zero_is_a_restock(row: Row, before: int | None, after: int | None, noted: list[Any]) -> None:
    mirror_products([row("a", stock_quantity=before)])
    mirror_products([row("a", stock_quantity=after)])
    assert list(Restock.objects.values_list("stock_quantity", flat=True)) == noted


@pytest.mark.django_db
def test_a_new_product_with_stock_is_no_restock(row: Row) -> None:
    mirror_products([row("a", stock_quantity=5)])
    assert Restock.objects.count() == 0


@pytest.mark.django_db
def test_inventory_is_set_and_its_rise_noted_once(row: Row) -> None:
    mirror_products([row("a", stock_quantity=0)])
    assert set_inventory(product_id="a", stock_quantity=3).stock_quantity == 3
    set_inventory(product_id="a", stock_quantity=3)
    assert list(Restock.objects.values_list("stock_quantity", flat=True)) == [3]
    assert set_inventory(product_id="a", stock_quantity=None).stock_quantity is None


@pytest.mark.django_db
def test_a_sync_overrules_an_earlier_inventory_push(row: Row) -> None:
    mirror_products([row("a", stock_quantity=5)])
    set_inventory(product_id="a", stock_quantity=3)
    assert mirror_products([row("a", stock_quantity=5)]) == MirrorCounts(changed=1)


@pytest.mark.django_db
def test_deactivating_keeps_the_row_and_does_nothing_twice(row: Row) -> None:
    mirror_products([row("a")])
    deactivate(product_id="a")
    before = Product.objects.values_list("is_active", "updated_at").get()
    assert before[0] is False
    deactivate(product_id="a")
    assert Product.objects.values_list("is_active", "updated_at").get() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [lambda: deactivate(product_id="x"), lambda: set_inventory(product_id="x", stock_quantity=1)]
)
def test_an_unknown_product_is_not_made(change: Callable[[], object]) -> None:
    with pytest.raises(Product.DoesNotExist):
        change()
    assert Product.objects.count() == 0


@pytest.mark.django_db
def test_upsert_tells_new_from_known(row: Row) -> None:
    assert upsert_product(row=row("a"))[1] is True
    product, created = upsert_product(row=row("a", "Desk"))
    assert (product.title, created) == ("Desk", False)


@pytest.mark.django_db
def test_only_a_change_of_text_is_due_for_embedding(row: Row) -> None:
    mirror_products([row("a", stock_quantity=1)])
    EmbeddingDue.objects.all().delete()
    mirror_products([row("a", stock_quantity=2, price=Decimal(1), currency="USD")])
    assert EmbeddingDue.objects.count() == 0
    mirror_products([row("a", stock_quantity=2, brand="Lux")])
    assert EmbeddingDue.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_writers_of_the_same_products_in_other_orders_do_no_harm(row: Row) -> None:
    """Three writers, each with new and known products in an order of its own: nobody deadlocks, nothing is lost."""
    ids = [f"p{number}" for number in range(300)]
    mirror_products([row(product_id) for product_id in ids[::2]])
    failures: list[Exception] = []

    def write(order: list[str], title: str) -> None:
        try:
            for _ in range(5):
                mirror_products([row(product_id, title) for product_id in order], batch_size=100)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    orders = [(ids, "one"), (ids[::-1], "two"), (ids[150:] + ids[:150], "three")]
    threads = [threading.Thread(target=write, args=order) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Product.objects.count() == 300
    assert set(Product.objects.values_list("title", flat=True)) <= {"one", "two", "three"}
