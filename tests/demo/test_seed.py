"""Seeding: exactly the brief's ten shoppers, never twice, and the same for a seed."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from analytics.experiments import count_experiment, report
from analytics.performance import grouped, total
from analytics.periods import between
from analytics.rollups.run import roll_up
from analytics.searches import clicked_after_search, queries_without_result
from analytics.visits import funnels
from catalog.models import Product
from interactions.models import (
    FreshInteraction,
    InboxEvent,
    Interaction,
    OrderRefund,
    RewrittenHistory,
    Shopper,
)
from recommendations.models import Experiment, ServedList
from reemio.demo import seeding
from reemio.demo.catalogue import load_products
from reemio.demo.readback import read_back
from reemio.demo.seeding import Anchor, Seeded, SeededDifferentlyError, find_anchor, seed_demo

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
COUNTS = {
    "wanjiku-muthoni": 101,
    "otieno-ochieng": 101,
    "kipchoge-korir": 73,
    "chebet-jepkosgei": 68,
    "nyambura-wangari": 67,
    "mutua-kioko": 66,
    "kimani-njoroge": 54,
    "omondi-onyango": 54,
    "nafula-wekesa": 40,
    "akinyi-adhiambo": 36,
}


def load_catalogue() -> None:
    Product.objects.bulk_create(
        Product(
            product_id=one.product_id,
            title=one.title,
            description=one.description,
            category=one.category,
            brand=one.brand,
            price=one.price,
            currency=one.currency,
            stock_quantity=one.stock,
            image_url=one.image_url,
            url=one.url,
            is_active=one.is_active,
        )
        for one in load_products()
    )


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: Any) -> Iterator[Seeded]:
    """Seed once for all tests of this module, with a small crowd, and take it all back in the end."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(seeding, "BACKGROUND_SHOPPERS", 25)
        load_catalogue()
        yield seed_demo(now=NOON)
        transaction.set_rollback(True)


def everything() -> list[Any]:
    fields = ("event_id", "interaction_type", "user_id", "session_id", "product_id", "occurred_at", "extra_data")
    lists = ServedList.objects.order_by("request_id").values_list("request_id", "served_at", "products", "strategy")
    return [*Interaction.objects.order_by("event_id").values_list(*fields), *lists]


@pytest.mark.django_db
def test_the_ten_shoppers_did_exactly_as_much_as_the_brief_says(seeded: Seeded) -> None:
    named = Interaction.objects.filter(user_id__in=COUNTS).values_list("user_id", flat=True)
    assert Counter(named) == COUNTS


@pytest.mark.django_db
def test_their_top_categories_and_price_ranges_read_back_from_the_database_are_the_briefs(seeded: Seeded) -> None:
    found = read_back(until=NOON)
    assert [line.shopper.user_id for line in found] == list(COUNTS)
    assert [line for line in found if not line.as_described] == []


@pytest.mark.django_db
def test_a_shopper_who_does_something_more_is_not_as_described_any_more(seeded: Seeded) -> None:
    product = load_products()[0].product_id
    event = {"user_id": "akinyi-adhiambo", "product_id": product, "interaction_type": "view"}
    Interaction.objects.create(**event, occurred_at=NOON + timedelta(hours=1))
    assert all(line.as_described for line in read_back(until=NOON))
    off = [line for line in read_back(until=NOON + timedelta(days=1)) if not line.as_described]
    assert [(line.shopper.user_id, line.interactions) for line in off] == [("akinyi-adhiambo", 37)]


@pytest.mark.django_db
def test_the_shoppers_have_profiles_with_address_time_zone_and_consent(seeded: Seeded) -> None:
    assert seeded.shoppers == 10
    wanjiku = Shopper.objects.get(user_id="wanjiku-muthoni")
    assert (wanjiku.name, wanjiku.email) == ("Wanjiku Muthoni", "wanjiku.muthoni@example.com")
    assert (wanjiku.timezone, wanjiku.marketing_consent) == ("Africa/Nairobi", True)
    assert wanjiku.attributes["persona"] == "Power Shopper"


@pytest.mark.django_db
def test_the_inbox_holds_eighty_rows_and_more_and_all_of_them_became_interactions(seeded: Seeded) -> None:
    assert InboxEvent.objects.count() == seeded.inbox_rows == 96
    assert InboxEvent.objects.filter(processed_at=None).count() == 0
    assert list(InboxEvent.objects.exclude(error=None)) == []
    taken = InboxEvent.objects.values_list("payload__event_id", flat=True)
    assert Interaction.objects.filter(event_id__in=list(taken)).count() == 96


@pytest.mark.django_db
def test_the_engine_is_told_to_recount_everybody_and_to_fold_in_only_the_inbox(seeded: Seeded) -> None:
    subjects = set(RewrittenHistory.objects.values_list("subject", flat=True))
    assert {f"u:{user_id}" for user_id in COUNTS} <= subjects
    assert FreshInteraction.objects.count() == 96


@pytest.mark.django_db
def test_every_impression_and_click_names_a_list_that_was_served_with_the_product_there(seeded: Seeded) -> None:
    lists = ServedList.objects.in_bulk()
    assert len(lists) == seeded.served_lists
    events = Interaction.objects.filter(interaction_type__in=["recommendation_view", "recommendation_click"])
    assert events.count() > 500
    for event in events:
        served = lists[event.recommendation_request_id]
        assert served.products[event.recommendation_position - 1] == event.product_id
        assert served.context == event.recommendation_context
        assert (served.user_id or None) == event.user_id


@pytest.mark.django_db
def test_every_figure_of_analytics_has_something_to_count(seeded: Seeded) -> None:
    roll_up()
    period = between(NOON.date() - timedelta(days=59), NOON.date())
    figures = total(period)
    assert figures.click_through_rate.value is not None
    assert 0.01 < figures.click_through_rate.value < 0.1
    assert figures.conversions > 5
    assert figures.assisted_revenue > 0
    assert {placement for (placement,) in grouped(period, ["placement"])} >= {"homepage", "product", "cart", "search"}
    assert {device for (device,) in grouped(period, ["device"])} >= {"mobile", "desktop", "tablet"}
    assert all(funnel.visits > funnel.purchased > 0 for funnel in funnels(period).values())
    assert queries_without_result(period)
    assert clicked_after_search(period)
    assert OrderRefund.objects.exists()


@pytest.mark.django_db
def test_what_searches_showed_was_seen_and_what_mails_showed_was_not_told(seeded: Seeded) -> None:
    roll_up()
    by_placement = grouped(between(NOON.date() - timedelta(days=89), NOON.date()), ["placement"])
    searched, mailed = by_placement["search",], by_placement["email",]
    assert searched.impressions > 3 * searched.clicks > 0
    assert (searched.fill_rate.value or 0) > 0.9
    assert (mailed.impressions, mailed.click_through_rate.value) == (0, None)
    assert mailed.lists > 0


@pytest.mark.django_db
def test_the_experiment_splits_as_the_engine_does_and_its_report_finds_nothing_wrong(seeded: Seeded) -> None:
    experiment = Experiment.objects.get()
    labels = set(ServedList.objects.exclude(variant="").values_list("variant", flat=True))
    assert labels == {f"{experiment.key}:A", f"{experiment.key}:B"}
    roll_up()
    count_experiment(experiment.pk)
    found = report(experiment)
    assert all(arm.result.shoppers > 3 for arm in found.arms)
    assert found.warning == ""


@pytest.mark.django_db
def test_seeding_again_on_another_day_adds_nothing_and_moves_nothing(seeded: Seeded) -> None:
    before = everything()
    again = seed_demo(now=NOON + timedelta(days=1))
    assert again == Seeded(Anchor(42, NOON), shoppers=0, interactions=0, served_lists=0, inbox_rows=0)
    assert everything() == before
    assert InboxEvent.objects.count() == 96


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"seed": 7}, {"moment": NOON + timedelta(days=1)}])
def test_another_seed_or_moment_is_refused_and_changes_nothing(seeded: Seeded, other: dict[str, Any]) -> None:
    before = everything()
    with pytest.raises(SeededDifferentlyError, match="seed 42 and 2026-03-15T12:00:00"):
        seed_demo(now=NOON, **other)
    assert everything() == before
    assert find_anchor() == Anchor(42, NOON)


@pytest.mark.django_db
def test_the_same_seed_and_moment_make_the_same_data(seeded: Seeded) -> None:
    before = everything()
    for model in (FreshInteraction, Interaction, ServedList, Shopper, InboxEvent):
        model.objects.all().delete()
    assert find_anchor() is None
    seed_demo(now=datetime(2030, 1, 1, tzinfo=UTC), seed=42, moment=NOON)
    assert everything() == before


@pytest.mark.django_db
def test_the_command_shows_the_briefs_table_with_a_tick_for_each(seeded: Seeded) -> None:
    out = io.StringIO()
    call_command("seed_dummy_data", stdout=out)
    lines = [line for line in out.getvalue().splitlines() if "✓" in line and "│" in line]
    assert len(lines) == 10
    assert [cell.strip() for cell in lines[0].split("│")[1:-1]] == [
        "Wanjiku Muthoni", "Power Shopper", "Sports, Garden, Electronics", "$1.50 – $591.00", "101", "✓",
    ]  # fmt: skip


@pytest.mark.django_db
def test_without_the_whole_catalogue_the_command_says_what_to_run_first_and_adds_nothing(seeded: Seeded) -> None:
    Shopper.objects.all().delete()
    Interaction.objects.all().delete()
    Product.objects.filter(product_id=load_products()[-1].product_id).delete()
    with pytest.raises(CommandError, match=r"manage\.py sync_products --source file"):
        call_command("seed_dummy_data", stdout=io.StringIO())
    assert (Shopper.objects.count(), Interaction.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="'yesterday' is no time"):
        call_command("seed_dummy_data", "--now", "yesterday", stdout=io.StringIO())
