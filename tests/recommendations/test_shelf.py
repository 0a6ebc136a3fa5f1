"""The shelf holds what the database holds, at each refresh, and reads only what changed."""

import threading

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from recommendations.contracts import Filters
from recommendations.shelf import CATCH_UP, Shelf
from tests.recommendations.conftest import make_product

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refresh_reads_exactly_what_changed() -> None:
    for number in range(5):
        make_product(f"p{number}")
    shelf = Shelf()
    shelf.refresh()
    assert len(shelf) == 5
    Product.objects.filter(product_id="p3").update(title="New name", stock_quantity=0)
    shelf.refresh()
    assert shelf.facts(shelf.ids_of(["p3"])[0]).title == "New name"
    assert shelf.eligible(Filters()).tolist().count(False) == 1
    with CaptureQueriesContext(connection) as captured:
        shelf.refresh()
    assert len(captured) == 1
    with connection.cursor() as cursor:
        cursor.execute(captured[0]["sql"])
        assert [row[4] for row in cursor.fetchall()] == [None]
    assert "pg_visible_in_snapshot" in CATCH_UP


def test_a_change_that_commits_after_a_later_one_is_not_missed() -> None:
    """Transaction ids are given at the first write, not at the commit: the lower id may commit last."""
    make_product("early")
    make_product("late")
    shelf = Shelf()
    shelf.refresh()
    written, go_on = threading.Event(), threading.Event()

    def slow_writer() -> None:
        try:
            with transaction.atomic():
                Product.objects.filter(product_id="early").update(title="Slow")
                written.set()
                assert go_on.wait(30)
        finally:
            connections.close_all()

    writer = threading.Thread(target=slow_writer)
    writer.start()
    assert written.wait(30)
    Product.objects.filter(product_id="late").update(title="Quick")
    shelf.refresh()
    titles = [shelf.facts(one).title for one in shelf.ids_of(["early", "late"])]
    assert titles == ["Early", "Quick"]
    go_on.set()
    writer.join(30)
    shelf.refresh()
    assert [shelf.facts(one).title for one in shelf.ids_of(["early", "late"])] == ["Slow", "Quick"]


def test_a_restored_backup_with_ids_of_the_future_does_not_look_changed_for_ever() -> None:
    make_product("p0")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_product DISABLE TRIGGER USER")
        cursor.execute("UPDATE catalog_product SET changed_in = 4000000000000")
        cursor.execute("ALTER TABLE catalog_product ENABLE TRIGGER USER")
    shelf = Shelf()
    shelf.refresh()
    assert Product.objects.get().changed_in < 4_000_000_000_000
    with CaptureQueriesContext(connection) as captured:
        shelf.refresh()
    with connection.cursor() as cursor:
        cursor.execute(captured[0]["sql"])
        assert [row[4] for row in cursor.fetchall()] == [None]


def test_eligible_is_the_querysets_available() -> None:
    make_product("in-stock", stock_quantity=3)
    make_product("untracked")
    make_product("gone", stock_quantity=0)
    make_product("inactive", is_active=False)
    shelf = Shelf()
    shelf.refresh()
    shown = {shelf.facts(int(one)).product_id for one in shelf.ids[shelf.eligible(Filters())]}
    assert shown == set(Product.objects.available().values_list("product_id", flat=True)) == {"in-stock", "untracked"}
