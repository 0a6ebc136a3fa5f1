"""What is older than its time goes, bite by bite; what was counted of it stays, whatever is written later."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import Settings

from analytics import models
from analytics.models import Conversion, Grain, RollupState, SearchDetailRollup, SearchRollup, TouchedPart
from analytics.rollups.run import recount_recent, roll_up, touch
from catalog.models import CatalogSync, Product
from interactions.models import FreshInteraction, InboxEvent, Interaction, OrderRefund
from recommendations.models import ServedList, Taste
from reemio.audit.models import AuditEntry
from reemio.people.services import erase_person, merge_person
from reemio.retention import clearing, kinds
from reemio.retention.models import Clearing
from tests.analytics.test_rollups_law import stored

pytestmark = pytest.mark.django_db
ROLLUPS = (
    models.RecommendationRollup, models.EarningsRollup, models.LatencyRollup, models.ProductRollup, models.SalesRollup,
    models.SearchRollup, models.SearchClickRollup, models.EventRollup, models.VisitRollup,
    models.ProductDetailRollup, models.SalesDetailRollup, models.SearchDetailRollup, models.SearchClickDetailRollup,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _short(settings: Settings) -> None:
    settings.REEMIO_KEEP_INTERACTIONS_DAYS = settings.REEMIO_KEEP_SERVED_LISTS_DAYS = 90


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def happen(kind: str = "view", *, days: float, **fields: Any) -> Interaction:
    at = ago(days)
    product = None if kind == "search" else "lamp"
    return Interaction.objects.create(
        **{"interaction_type": kind, "occurred_at": at, "received_at": at, "user_id": "ann", "product_id": product}
        | fields
    )


def serve(*, days: float, placement: str = "homepage", **fields: Any) -> ServedList:
    return ServedList.objects.create(
        served_at=ago(days), placement=placement, context="" if placement == "search" else placement,
        strategy="popular", products=["lamp", "desk"], scores=[2.0, 1.0], milliseconds=3.0, asked_for=2, **fields,
    )  # fmt: skip


def a_life(days: float, user: str = "ann") -> None:
    """A list, seen and clicked, an order because of it, part of which came back, and a search with a click."""
    shown, found = serve(days=days, user_id=user), serve(days=days, placement="search", anchors=["Lamp"])
    told = {"recommendation_request_id": shown.request_id, "user_id": user}
    happen("recommendation_view", days=days - 0.001, **told)
    happen("recommendation_click", days=days - 0.002, **told)
    happen("view", days=days - 0.003, user_id=user)
    order = {"order_id": f"o-{uuid.uuid4()}", "unit_price": Decimal("9.50"), "user_id": user}
    happen("purchase", days=days - 0.01, quantity=3, **order)
    happen("purchase", days=days - 0.01, product_id="desk", quantity=1, **order)
    OrderRefund.objects.create(
        order_id=order["order_id"], refund_id="r", products=["lamp"], quantities=[1], occurred_at=ago(days - 1)
    )
    OrderRefund.objects.filter(order_id=order["order_id"]).update(received_at=ago(days - 1))
    happen("search", days=days - 0.02, search_query="lamp", extra_data={"resultsCount": 0}, user_id=user)
    happen("recommendation_click", days=days - 0.021, recommendation_request_id=found.request_id, user_id=user)


def figures(grain: Grain = Grain.DAY, *, texts: bool = True) -> dict[str, Any]:
    """Return every roll-up of a grain; without texts, searches are summed up, whatever they were for."""
    found: dict[str, Any] = {model.__name__: stored(model, grain) for model in ROLLUPS}
    if not texts:
        del found["SearchClickRollup"], found["SearchClickDetailRollup"]
        for model in (SearchRollup, SearchDetailRollup):
            sums = found[model.__name__] = {}
            for day, *counts in QuerySet(model).filter(grain=grain).values_list("starts_at", "searches", "clicks"):
                before = sums.get(day, [0] * len(counts))
                sums[day] = [one + other for one, other in zip(before, counts, strict=True)]
    return found


def both(*, texts: bool = True) -> list[dict[str, Any]]:
    """Return what is kept for ever: days and weeks."""
    return [figures(grain, texts=texts) for grain in (Grain.DAY, Grain.WEEK)]


def test_raw_rows_go_and_every_figure_stays_whatever_is_counted_later() -> None:
    Product.objects.create(product_id="lamp", title="Lamp")
    for days in (500, 120, 95, 61, 2):
        a_life(days)
    roll_up()
    before, conversions = both(texts=False), Conversion.objects.count()
    assert all(one["EarningsRollup"] for one in before)
    cleared = clearing.clear_all()
    assert (cleared["interactions"], cleared["served lists"], cleared["refunds"]) == (21, 6, 3)
    assert Interaction.objects.filter(occurred_at__lt=ago(90)).count() == 0
    assert (Interaction.objects.count(), ServedList.objects.count(), OrderRefund.objects.count()) == (14, 4, 2)
    assert Conversion.objects.count() == conversions - 6
    assert both(texts=False) == before
    touch(since=None)
    roll_up()
    recount_recent()
    assert both(texts=False) == before, "counted anew, as far as it is counted at all"


def test_what_comes_late_for_a_closed_day_changes_nothing_and_what_comes_for_an_open_one_counts() -> None:
    a_life(120)
    a_life(2)
    roll_up()
    clearing.clear_all()
    before = both()
    happen(days=119)
    late = serve(days=119)
    happen("recommendation_click", days=118, recommendation_request_id=late.request_id)
    happen("purchase", days=118, order_id="late", unit_price=Decimal(5))
    roll_up()
    assert both() == before
    happen(days=2)
    roll_up()
    assert both() != before
    assert sum(row.get("views", 0) for row in figures()["ProductRollup"].values()) == 3


def test_what_a_person_bought_before_and_after_the_border_is_credited_as_it_was() -> None:
    click = serve(days=91.0, user_id="ann")
    happen("recommendation_click", days=91.0, recommendation_request_id=click.request_id)
    happen("purchase", days=86.0, order_id="o", quantity=2, unit_price=Decimal(10))
    roll_up()
    before = both()
    assert [row["conversions"] for row in before[0]["EarningsRollup"].values()] == [1]
    clearing.clear_all()
    assert not Interaction.objects.filter(interaction_type="recommendation_click").exists()
    merge_person(user_id="ann", session_id="s")
    Interaction.objects.update(quantity=2)
    OrderRefund.objects.create(order_id="o", refund_id="", occurred_at=timezone.now())
    roll_up()
    assert both() == before, "the purchase is still there, the click that it is credited to is not"


def test_nothing_goes_before_it_is_counted_and_folded(django_assert_num_queries: Any) -> None:
    old = happen(days=120)
    assert clearing.clear_all()["interactions"] == 0, "never counted at all"
    roll_up()
    happen(days=119)
    assert TouchedPart.objects.exists()
    assert clearing.clear_all()["interactions"] == 0, "a later day is due, which would be closed with it"
    roll_up()
    FreshInteraction.objects.create(interaction=old)
    assert clearing.clear_all()["interactions"] == 1
    assert list(Interaction.objects.all()) == [old], "it waits for the engine"
    assert RollupState.objects.get().closed_before is not None


def test_what_is_kept_for_ever_stays(settings: Settings) -> None:
    settings.REEMIO_KEEP_INTERACTIONS_DAYS = settings.REEMIO_KEEP_SERVED_LISTS_DAYS = 0
    settings.REEMIO_KEEP_SEARCH_TEXTS_DAYS = 0
    a_life(5000)
    roll_up()
    before = both()
    assert sum(clearing.clear_all().values()) == 0
    assert (Interaction.objects.count(), both()) == (7, before)
    assert RollupState.objects.get().closed_before is None


def test_search_texts_are_emptied_pooled_in_the_figures_and_the_searches_counted_as_before(settings: Settings) -> None:
    settings.REEMIO_KEEP_INTERACTIONS_DAYS = settings.REEMIO_KEEP_SERVED_LISTS_DAYS = 0
    settings.REEMIO_KEEP_SEARCH_TEXTS_DAYS = 30
    for _ in range(5):
        happen("search", days=40, search_query="Lamp")
    happen("search", days=40, search_query="gift for Wanjiku Muthoni", extra_data={"device": "mobile"})
    happen("search", days=3, search_query="gift for Otieno")
    serve(days=40, placement="search", anchors=["gift for Wanjiku Muthoni"])
    serve(days=3, placement="search", anchors=["gift for Otieno"])
    roll_up()
    events = figures()["EventRollup"]
    clearing.clear_all()
    assert list(Interaction.objects.exclude(search_query="").values_list("search_query", flat=True)) == [
        "gift for Otieno"
    ]
    assert sorted(ServedList.objects.values_list("anchors", flat=True)) == [[], ["gift for Otieno"]]
    assert not TouchedPart.objects.exists()
    for _ in range(2):
        days = SearchRollup.objects.filter(grain=Grain.DAY).order_by("starts_at", "query")
        assert list(days.values_list("query", "searches")) == [("", 1), ("lamp", 5), ("gift for otieno", 1)]
        details = SearchDetailRollup.objects.filter(grain=Grain.DAY).order_by("starts_at", "device", "query")
        assert list(details.values_list("device", "query", "searches")) == [
            ("", "lamp", 5), ("mobile", "", 1), ("", "gift for otieno", 1)
        ]  # fmt: skip
        assert figures()["EventRollup"] == events
        touch(since=None)
        roll_up()
    assert clearing.clear_all()["search texts"] == 0


def test_another_time_zone_leaves_closed_days_as_they_are(settings: Settings) -> None:
    a_life(200)
    a_life(2)
    roll_up()
    clearing.clear_all()
    closed = RollupState.objects.get().closed_before
    assert closed is not None
    before = {name: {key: row for key, row in rows.items() if key[0] < closed} for name, rows in figures().items()}
    settings.REEMIO_SHOP_TIME_ZONE = "Asia/Kolkata"
    roll_up()
    after = {name: {key: row for key, row in rows.items() if key[0] < closed} for name, rows in figures().items()}
    assert after == before
    assert sum(row.get("views", 0) for row in figures()["ProductRollup"].values()) == 2


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_killed_anywhere_is_gone_on_with_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "BITE", 2)
    for days in (200, 150):
        a_life(days)
    roll_up()
    before = both(texts=False)
    left = 1
    real = kinds.connection.cursor

    def dying() -> Any:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Killed
        return real()

    for steps in range(2, 40):
        left = steps
        with monkeypatch.context() as patch:
            patch.setattr(kinds.connection, "cursor", dying)
            try:
                clearing.clear_all()
            except Killed:
                connection.close()
                continue
        break
    clearing.clear_all()
    assert (Interaction.objects.count(), ServedList.objects.count(), OrderRefund.objects.count()) == (0, 0, 0)
    assert both(texts=False) == before
    assert Clearing.objects.get(kind="interactions").cleared == 14


@pytest.mark.django_db(transaction=True)
def test_two_runs_beside_each_other_clear_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "BITE", 3)
    for days in (200, 150, 120):
        a_life(days)
    InboxEvent.objects.bulk_create(
        InboxEvent(event_type="view", payload={}, processed_at=ago(100 + number)) for number in range(40)
    )
    roll_up()
    before = both(texts=False)
    done: list[int] = []
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        done.append(sum(clearing.clear_all().values()))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clearing.clear_all()
    assert not Interaction.objects.exists()
    assert not InboxEvent.objects.filter(processed_at__lt=ago(99)).exists()
    assert both(texts=False) == before
    assert Clearing.objects.get(kind="inbox").cleared == 40
    assert len(done) == 2


def test_a_backlog_is_worked_off_in_the_time_there_is_and_none_starves_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clearing, "BITE", 1)
    for days in (200, 199, 198):
        happen(days=days)
    InboxEvent.objects.create(event_type="view", payload={}, processed_at=ago(100))
    roll_up()
    cleared = clearing.clear_all(patience=timedelta(0))
    assert (cleared["interactions"], cleared["inbox"]) == (1, 1)
    assert Clearing.objects.get(kind="interactions").finished_at is None
    clearing.clear_all()
    assert Clearing.objects.get(kind="interactions").finished_at is not None
    assert not Interaction.objects.exists()


def test_the_other_kinds_go_after_their_time_and_not_before(settings: Settings) -> None:
    now = timezone.now()
    for days in (89, 91):
        InboxEvent.objects.create(event_type="view", payload={}, processed_at=ago(days))
        Taste.objects.create(subject=f"s:{days}", as_of=ago(days), vector=[0.0] * 384, weight=1)
        Taste.objects.create(subject=f"u:{days}", as_of=ago(days), vector=[0.0] * 384, weight=1)
        sync = CatalogSync.objects.create(source="http", location="x", state="failed")
        CatalogSync.objects.filter(pk=sync.pk).update(started_at=ago(days))
    InboxEvent.objects.create(event_type="view", payload={}, created_at=ago(500))
    last = CatalogSync.objects.create(source="http", location="x", state="succeeded")
    CatalogSync.objects.filter(pk=last.pk).update(started_at=ago(300))
    Session.objects.create(session_key="gone", session_data="", expire_date=ago(2))
    Session.objects.create(session_key="there", session_data="", expire_date=now + timedelta(days=1))
    Group.objects.create(name="Sales")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entries DISABLE TRIGGER audit_is_kept")
        AuditEntry.objects.filter(object_name="Sales").update(happened_at=ago(731))
        cursor.execute("ALTER TABLE audit_entries ENABLE TRIGGER audit_is_kept")
    entries = AuditEntry.objects.count()
    clearing.clear_all()
    assert sorted(row.processed_at is None for row in InboxEvent.objects.all()) == [False, True]
    assert set(Taste.objects.values_list("subject", flat=True)) == {"s:89", "u:89", "u:91"}
    assert sorted(CatalogSync.objects.values_list("state", flat=True)) == ["failed", "succeeded"]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["there"]
    assert (AuditEntry.objects.count(), AuditEntry.objects.filter(object_name="Sales").exists()) == (entries - 1, False)


def test_the_command_and_the_admin_tell_what_is_kept_and_what_went(
    client: Client, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.REEMIO_KEEP_SERVED_LISTS_DAYS = 0
    happen(days=200)
    roll_up()
    call_command("clear_old_data")
    told = capsys.readouterr().out
    assert "interactions       kept 90 days              1 cleared\n" in told
    assert "served lists       kept for ever             0 cleared\n" in told
    client.force_login(User.objects.create_superuser("boss"))
    page = client.get("/admin/retention/clearing/").content.decode()
    assert '<td class="field-kept_for">90 days</td><td class="field-cleared">1</td>' in page


MOMENTS = st.floats(0.01, 400).map(lambda days: round(days, 2))
WRITES = st.lists(
    st.tuples(st.sampled_from(["life", "late", "merge", "erase", "rebuild", "clear"]), MOMENTS), min_size=3, max_size=7
)


class RetentionLaw(TestCase):
    """Whatever is written, counted and cleared in whatever order: no figure of a closed day ever changes."""

    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(WRITES)
    def test_figures_of_closed_days_never_change(self, steps: list[tuple[str, float]]) -> None:
        with self.settings(REEMIO_KEEP_INTERACTIONS_DAYS=60, REEMIO_KEEP_SERVED_LISTS_DAYS=90):
            kept: dict[Any, Any] = {}
            for what, days in [("life", 200.0), ("clear", 0.0), *steps, ("rebuild", 0.0)]:
                _write(what, days)
                roll_up()
                now = {(name, key): row for name, rows in figures(texts=False).items() for key, row in rows.items()}
                assert {key: now.get(key) for key in kept} == kept
                closed = RollupState.objects.get().closed_before or datetime(1900, 1, 1, tzinfo=UTC)
                kept = {(name, key): row for (name, key), row in now.items() if _day(key) < closed}


def _day(key: Any) -> datetime:
    day: datetime = key[0] if isinstance(key, tuple) else key
    return day


def _write(what: str, days: float) -> None:
    doings: dict[str, Callable[[], object]] = {
        "life": lambda: a_life(days + 1, "bob"),
        "late": lambda: happen(days=days, session_id="s1", user_id=None),
        "merge": lambda: merge_person(user_id="ann", session_id="s1"),
        "erase": lambda: erase_person("bob"),
        "rebuild": lambda: touch(since=None),
        "clear": clearing.clear_all,
    }
    doings[what]()
