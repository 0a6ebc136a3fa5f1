"""A run of a synchronisation: counts, what vanishes, guards, crashes, and runs at once."""

import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog.models import CatalogSync, Product, SeenProduct
from catalog.rows import ProductRow
from catalog.services.mirror_products import mirror_products
from catalog.services.sync_catalog import LOCK, SyncRunningError, sync_catalog
from tests.catalog.sources import MemorySource

Fields = Mapping[str, Any]


def fields(product_id: str, title: str = "Lamp", **more: Any) -> Fields:
    return {"product_id": product_id, "title": title, **more}


def active() -> set[str]:
    return set(Product.objects.filter(is_active=True).values_list("product_id", flat=True))


def counts(sync: CatalogSync) -> tuple[int, int, int, int, int]:
    return sync.new, sync.changed, sync.unchanged, sync.vanished, sync.refused


@pytest.mark.django_db
def test_a_run_counts_what_became_of_each_row() -> None:
    sync_catalog(MemorySource([fields("a"), fields("b")], [fields("c"), fields("d")]), full=True)
    source = MemorySource([fields("a"), fields("b", "Desk")], [fields("e"), {"product_id": "x"}, fields("d")])
    sync = sync_catalog(source, full=True)
    assert counts(sync) == (1, 1, 2, 1, 1)
    sync.refresh_from_db()
    assert (sync.state, counts(sync), sync.active_before) == ("succeeded", (1, 1, 2, 1, 1), 4)
    assert sync.refusals == [{"place": "page 1 row 1", "product_id": "x", "reason": "title: missing"}]
    assert active() == {"a", "b", "d", "e"}
    assert Product.objects.count() == 5
    assert SeenProduct.objects.count() == 0


@pytest.mark.django_db
def test_a_product_that_comes_back_is_active_again() -> None:
    everything = MemorySource([fields("a"), fields("b"), fields("c")])
    sync_catalog(everything, full=True)
    sync_catalog(MemorySource([fields("a"), fields("b")]), full=True)
    assert active() == {"a", "b"}
    assert counts(sync_catalog(everything, full=True)) == (0, 1, 2, 0, 0)
    assert active() == {"a", "b", "c"}


@pytest.mark.django_db
def test_a_badly_described_product_has_not_vanished() -> None:
    sync_catalog(MemorySource([fields("a"), fields("b")]), full=True)
    assert counts(sync_catalog(MemorySource([fields("a"), fields("b", price="x")]), full=True)) == (0, 0, 1, 0, 1)
    assert active() == {"a", "b"}


@pytest.mark.django_db
def test_half_may_vanish_and_more_stops_before_anything_is_deactivated() -> None:
    sync_catalog(MemorySource([fields(name) for name in "abcd"]), full=True)
    assert counts(sync_catalog(MemorySource([fields("a"), fields("b")]), full=True))[3] == 2
    stopped = sync_catalog(MemorySource([fields(name) for name in "efgh"]), full=True)
    assert (stopped.state, stopped.new, stopped.vanished) == ("stopped", 4, 0)
    assert stopped.message.startswith("Stopped: 2 of 2 active products are not in the source.")
    assert active() == set("abefgh")
    forced = sync_catalog(MemorySource([fields(name) for name in "efgh"]), full=True, force=True)
    assert (forced.state, forced.vanished) == ("succeeded", 2)
    assert active() == set("efgh")


@pytest.mark.django_db
def test_an_empty_source_takes_nothing_away() -> None:
    sync_catalog(MemorySource([fields("a")]), full=True)
    assert sync_catalog(MemorySource(), full=True).state == "stopped"
    assert active() == {"a"}


@pytest.mark.django_db
def test_a_crash_half_way_keeps_whole_pages_and_deactivates_nothing() -> None:
    sync_catalog(MemorySource([fields("a"), fields("b"), fields("c")]), full=True)
    source = MemorySource([fields("a", "Desk")], [fields("b", "Desk")], breaks_after=1)
    with pytest.raises(RuntimeError, match="the power went"):
        sync_catalog(source, full=True)
    assert dict(Product.objects.values_list("product_id", "title")) == {"a": "Desk", "b": "Lamp", "c": "Lamp"}
    assert active() == {"a", "b", "c"}
    crashed = CatalogSync.objects.first()
    assert crashed is not None
    assert (crashed.state, crashed.changed, crashed.message) == ("failed", 1, "Crashed: RuntimeError.")
    assert counts(sync_catalog(MemorySource([fields("a", "Desk"), fields("b", "Desk")]), full=True)) == (0, 1, 1, 1, 0)


@pytest.mark.django_db
def test_a_run_that_was_killed_is_closed_by_the_next() -> None:
    killed = CatalogSync.objects.create(source="file", location="memory")
    sync_catalog(MemorySource([fields("a")]), full=True)
    killed.refresh_from_db()
    assert (killed.state, killed.message) == ("failed", "Interrupted.")


@pytest.mark.django_db
def test_what_is_pushed_while_a_run_goes_on_has_not_vanished() -> None:
    sync_catalog(MemorySource([fields("a"), fields("b"), fields("c")]), full=True)

    def push(sync: CatalogSync, fraction: float | None) -> None:
        mirror_products([ProductRow("new", "Pushed"), ProductRow("c", "Pushed")])

    sync_catalog(MemorySource([fields("a"), fields("b")]), full=True, on_page=push)
    assert active() == {"a", "b", "c", "new"}


@pytest.mark.django_db
def test_the_first_hundred_refusals_are_kept_and_all_are_told() -> None:
    told: list[dict[str, str]] = []
    sync = sync_catalog(MemorySource([{"product_id": str(n)} for n in range(150)]), full=True, on_refusal=told.append)
    assert (len(sync.refusals), sync.refused, len(told)) == (100, 150, 150)


@pytest.mark.django_db(transaction=True)
def test_a_second_run_steps_back_or_waits() -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            entered.set()
            leave.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(20)
    with pytest.raises(SyncRunningError):
        sync_catalog(MemorySource([fields("a")]), full=True, wait=False)
    assert (Product.objects.count(), CatalogSync.objects.count()) == (0, 0)
    leave.set()
    assert sync_catalog(MemorySource([fields("a")]), full=True, wait=True).state == "succeeded"
    holder.join()


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_leave_the_mirror_as_the_later_source_says() -> None:
    sources = [
        MemorySource(*[[fields(f"p{page}-{n}", title) for n in range(20)] for page in range(5)])
        for title in ("one", "two")
    ]
    done: list[str] = []

    def run(source: MemorySource, title: str) -> None:
        sync_catalog(source, full=True, force=True)
        done.append(title)
        connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(sources, ("one", "two"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Product.objects.count() == 100
    assert set(Product.objects.values_list("title", flat=True)) == {done[-1]}
    assert [sync.state for sync in CatalogSync.objects.all()] == ["succeeded", "succeeded"]


CATALOGUE = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e"]),
    st.fixed_dictionaries(
        {"title": st.sampled_from(["Lamp", "Desk"]), "price": st.sampled_from([None, "1.5", 2])},
        optional={"stock_quantity": st.integers(0, 2), "is_active": st.booleans()},
    ),
)


class MirrorLaw(TestCase):
    """After any series of runs, whole or broken off, the mirror is what the last whole source said."""

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(CATALOGUE, st.booleans()), min_size=1, max_size=4), CATALOGUE)
    def test_the_mirror_is_the_source(self, series: list[tuple[dict[str, Any], bool]], last: dict[str, Any]) -> None:
        for catalogue, breaks in series:
            pages = [[{"product_id": key, **value}] for key, value in catalogue.items()]
            source = MemorySource(*pages, [], breaks_after=len(pages) // 2 if breaks else None)
            try:
                sync_catalog(source, full=True, force=True)
            except RuntimeError:
                assert breaks
        sync_catalog(MemorySource([{"product_id": key, **value} for key, value in last.items()]), full=True, force=True)
        expected = {
            (key, value["title"], value["price"] and Decimal(value["price"]), value.get("stock_quantity"))
            for key, value in last.items()
            if value.get("is_active", True)
        }
        found = Product.objects.filter(is_active=True).values_list("product_id", "title", "price", "stock_quantity")
        assert set(found) == expected

    def test_a_run_inside_a_callers_transaction_is_part_of_it(self) -> None:
        with transaction.atomic():
            sync_catalog(MemorySource([fields("a")]), full=True)
            transaction.set_rollback(True)
        assert Product.objects.count() == 0


@pytest.mark.django_db
def test_pages_cost_a_fixed_number_of_queries(django_assert_max_num_queries: Callable[[int], Any]) -> None:
    with django_assert_max_num_queries(26):
        sync_catalog(MemorySource([fields(str(number)) for number in range(300)]), full=True)
