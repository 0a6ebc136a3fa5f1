"""New products, weekly digest and back in stock: whom they concern, when, and what they show."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from campaigns import planners
from campaigns.clock import zone_of
from campaigns.definitions import Kind
from campaigns.models import Campaign, OutboxMessage, StockAlert
from campaigns.planners.back_in_stock import Episode, places
from campaigns.sending.sender import send_due
from campaigns.services.ask import ask_to_be_told
from catalog.models import Product, Restock
from catalog.services.set_inventory import set_inventory
from recommendations.learning.folding import fold_fresh
from recommendations.models import Taste
from tests.campaigns.conftest import NOON, campaign, did, outbox, person
from tests.campaigns.mailserver import Inbox
from tests.recommendations.conftest import did as did_fresh
from tests.recommendations.conftest import direction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("inbox")]
SUNDAY = datetime(2026, 11, 29, 7, 0, tzinfo=UTC)  # 10:00 in Nairobi
MORNING = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # 09:00 in Nairobi, a Tuesday
DAY = timedelta(days=1)


def restock(product_id: str, *, at: datetime, stock: int = 5) -> None:
    set_inventory(product_id=product_id, stock_quantity=0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_soldout SET sold_out_at = %s", [at - DAY])
    set_inventory(product_id=product_id, stock_quantity=stock)
    Restock.objects.filter(pk=Restock.objects.latest("pk").pk).update(restocked_at=at)


def publish(*product_ids: str, at: datetime) -> None:
    Product.objects.filter(product_id__in=product_ids).update(created_at=at)


def taste(user: str, *categories: str) -> None:
    Taste.objects.create(
        subject=f"u:{user}", as_of=MORNING, vector=[0.0] * 384, weight=1.0, events=1,
        categories=dict.fromkeys(categories, 1.0),
    )  # fmt: skip


# --- Weekly digest ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "planned"),
    [
        (SUNDAY - timedelta(seconds=1), 0),
        (SUNDAY, 1),
        (SUNDAY + timedelta(hours=9, minutes=59), 1),
        (SUNDAY + timedelta(hours=10), 0),
        (SUNDAY + DAY, 0),
    ],
)
def test_the_digest_is_planned_on_sunday_from_ten_to_eight(shop: list[Product], at: datetime, planned: int) -> None:
    person()
    did("view", "p1", at=SUNDAY - 29 * DAY)
    assert planners.plan(Kind.WEEKLY_DIGEST, now=at) == planned


def test_whoever_was_not_active_within_30_days_gets_none(shop: list[Product]) -> None:
    person()
    did("view", "p1", at=SUNDAY - 31 * DAY)
    assert planners.plan(Kind.WEEKLY_DIGEST, now=SUNDAY) == 0


def test_picks_are_not_repeated_and_few_of_one_category(shop: list[Product], inbox: Inbox) -> None:
    person()
    shown: list[set[str]] = []
    for week in range(2):
        sunday = SUNDAY + 7 * week * DAY
        did("view", "p1", at=sunday - DAY)
        planners.plan(Kind.WEEKLY_DIGEST, now=sunday)
        send_due(clock=lambda at=sunday: at)
        row = OutboxMessage.objects.latest("pk")
        shown.append({one["product_id"] for one in row.content["products"]})
    assert len(shown[0]) == 8, "four categories, two of each"
    assert len(shown[1]) == 4, "what is left"
    assert shown[0] & shown[1] == set()
    assert inbox.counts == {"akinyi@example.com": 2}


def test_too_few_picks_are_no_digest(shop: list[Product]) -> None:
    person()
    did("view", "p1", at=SUNDAY - DAY)
    Product.objects.exclude(product_id__in=["p1", "p2", "p3"]).update(is_active=False)
    planners.plan(Kind.WEEKLY_DIGEST, now=SUNDAY)
    send_due(clock=lambda: SUNDAY)
    assert outbox() == [("akinyi", "skipped", "below_min_items")]


def test_whoever_has_two_profiles_in_one_zone_change_gets_one_a_week(shop: list[Product], inbox: Inbox) -> None:
    """Flying west on a Sunday makes it Sunday morning again; the week is the same."""
    shopper = person(timezone="Pacific/Kiritimati")
    did("view", "p1", at=SUNDAY - DAY)
    first = datetime(2026, 11, 28, 20, 0, tzinfo=UTC)
    second = datetime(2026, 11, 29, 22, 0, tzinfo=UTC)
    assert planners.plan(Kind.WEEKLY_DIGEST, now=first) == 1
    send_due(clock=lambda: first)
    shopper.timezone = "Etc/GMT+12"
    shopper.save()
    assert planners.plan(Kind.WEEKLY_DIGEST, now=second) == 0
    assert inbox.counts == {"akinyi@example.com": 1}


ENDURANCE = bool(os.environ.get("REEMIO_ENDURANCE"))
PLACES = ["Pacific/Kiritimati", "Etc/GMT+12", "America/New_York", "Australia/Lord_Howe"]
MORE_PLACES = ["Europe/Berlin", "America/Santiago", "Asia/Beirut", "Africa/Casablanca", "Asia/Kathmandu"]


@pytest.mark.slow
def test_sixty_weeks_make_sixty_digests_wherever_one_lives(shop: list[Product], inbox: Inbox) -> None:
    """Sixty Sundays around the world, with both changes of the clocks; nobody misses one, nobody gets two."""
    places, step = (PLACES + MORE_PLACES, 30) if ENDURANCE else (PLACES, 150)
    zones = {place.replace("/", "-").replace("+", "-"): place for place in places}
    for user, place in zones.items():
        person(user, timezone=place)
    Campaign.objects.filter(kind=Kind.WEEKLY_DIGEST).update(changed_numbers={"no_repeats": 0})
    first = datetime(2026, 9, 6, tzinfo=UTC)
    for week in range(60):
        sunday = first + 7 * week * DAY
        for user in zones:
            did("view", "p1", at=sunday - 2 * DAY, user=user)
        tick = sunday - timedelta(hours=5)
        while tick < sunday + timedelta(hours=35):
            if planners.plan(Kind.WEEKLY_DIGEST, now=tick):
                send_due(clock=lambda at=tick: at)
            tick += timedelta(minutes=step)
    assert set(inbox.counts.values()) == {60}
    assert len(inbox.counts) == len(zones)
    for row in OutboxMessage.objects.all():
        local = row.due_at.astimezone(zone_of(zones[row.user_id]))
        assert (local.weekday(), local.hour) == (6, 10)


# --- New products -------------------------------------------------------------------------------------------------


def test_new_products_in_a_category_one_likes(shop: list[Product], inbox: Inbox) -> None:
    person()
    person("otieno")
    taste("akinyi", "Things > Kind 1")
    taste("otieno", "Things > Kind 2")
    publish("p1", "p5", "p9", at=MORNING - DAY)
    assert planners.plan(Kind.NEW_PRODUCTS, now=MORNING - timedelta(seconds=1)) == 0
    assert planners.plan(Kind.NEW_PRODUCTS, now=MORNING) == 1
    send_due(clock=lambda: MORNING)
    assert {one["product_id"] for one in OutboxMessage.objects.get().content["products"]} == {"p1", "p5", "p9"}
    assert "New in Kind 1, where you have been looking" in inbox.only().get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_fewer_than_three_are_carried_over_and_none_is_shown_twice(shop: list[Product], inbox: Inbox) -> None:
    person()
    taste("akinyi", "Things > Kind 1")
    publish("p1", "p5", at=MORNING - DAY)
    for day in range(3):
        moment = MORNING + day * DAY
        if day == 1:
            publish("p9", at=moment - timedelta(hours=1))
        planners.plan(Kind.NEW_PRODUCTS, now=moment)
        send_due(clock=lambda at=moment: at)
    assert [row[1:] for row in outbox()] == [("skipped", "below_min_items"), ("sent", "")]
    assert sorted(one["product_id"] for one in OutboxMessage.objects.get(state="sent").content["products"]) == [
        "p1", "p5", "p9",
    ]  # fmt: skip
    assert planners.plan(Kind.NEW_PRODUCTS, now=MORNING + 4 * DAY) == 0


def test_a_product_is_new_for_fourteen_days(shop: list[Product]) -> None:
    person()
    taste("akinyi", "Things > Kind 1")
    publish("p1", "p5", "p9", at=MORNING - 14 * DAY)
    assert planners.plan(Kind.NEW_PRODUCTS, now=MORNING) == 0


def test_the_taste_vector_finds_what_no_category_does_and_what_was_bought_is_left_out(
    shop: list[Product], inbox: Inbox
) -> None:
    person()
    did_fresh("purchase", "p1", user="akinyi", at=datetime.now(UTC) - DAY)
    while fold_fresh():
        pass
    Taste.objects.filter(subject="u:akinyi").update(vector=direction(1))
    Product.objects.filter(product_id="p5").update(category="Elsewhere")
    publish("p1", "p5", "p9", "p2", at=MORNING - DAY)
    Campaign.objects.update(changed_numbers={"least_items": 1, "similarity_percent": 90})
    planners.plan(Kind.NEW_PRODUCTS, now=MORNING)
    send_due(clock=lambda: MORNING)
    assert sorted(one["product_id"] for one in OutboxMessage.objects.get().content["products"]) == ["p5", "p9"]


# --- Back in stock ------------------------------------------------------------------------------------------------


def test_a_stock_that_held_for_ten_minutes_is_told_to_those_who_care(shop: list[Product], inbox: Inbox) -> None:
    for user in ("asked", "wished", "carted", "viewed", "bought"):
        person(user)
    did("wishlist_add", "p1", at=NOON - 9 * DAY, user="wished")
    did("cart_add", "p1", at=NOON - 2 * DAY, user="carted")
    did("view", "p1", at=NOON - 2 * DAY, user="viewed")
    did("wishlist_add", "p1", at=NOON - 9 * DAY, user="bought")
    did("purchase", "p1", at=NOON - 3 * DAY, user="bought")
    ask_to_be_told(product_id="p1", user_id="asked")
    ask_to_be_told(product_id="p1", email="visitor@example.com")
    StockAlert.objects.update(created_at=NOON - DAY)
    restock("p1", at=NOON)
    assert planners.plan(Kind.BACK_IN_STOCK, now=NOON + timedelta(minutes=9, seconds=59)) == 0
    later = NOON + timedelta(minutes=10)
    assert planners.plan(Kind.BACK_IN_STOCK, now=later) == 4
    assert send_due(clock=lambda: later) == 4
    assert set(inbox.counts) == {f"{who}@example.com" for who in ("asked", "visitor", "wished", "carted")}
    assert not StockAlert.objects.filter(used_at=None).exists()
    interests = OutboxMessage.objects.order_by("priority", "user_id").values_list("priority", "trigger__interest")
    assert list(interests) == [(1, "asked"), (1, "asked"), (3, "cart"), (3, "wishlist")]


@pytest.mark.parametrize("stays", ["gone", "inactive"])
def test_what_is_gone_again_is_not_told(shop: list[Product], stays: str) -> None:
    person()
    did("wishlist_add", "p1", at=NOON - DAY)
    restock("p1", at=NOON)
    later = NOON + timedelta(minutes=10)
    planners.plan(Kind.BACK_IN_STOCK, now=later)
    Product.objects.filter(product_id="p1").update(
        **({"stock_quantity": 0} if stays == "gone" else {"is_active": False})
    )
    send_due(clock=lambda: later)
    assert outbox() == [("akinyi", "skipped", "stock_gone")]


def test_whoever_asked_needs_no_consent_and_is_told_once(shop: list[Product], inbox: Inbox) -> None:
    person(marketing_consent=False)
    ask_to_be_told(product_id="p1", user_id="akinyi")
    StockAlert.objects.update(created_at=NOON - DAY)
    for day in range(0, 40, 3):
        moment = NOON + day * DAY
        restock("p1", at=moment)
        planners.plan(Kind.BACK_IN_STOCK, now=moment + timedelta(minutes=10))
        send_due(clock=lambda at=moment: at + timedelta(minutes=10))
    assert inbox.counts == {"akinyi@example.com": 1}
    assert outbox() == [("akinyi", "sent", "")]


def test_unasked_it_is_told_again_after_fourteen_days(shop: list[Product], inbox: Inbox) -> None:
    person()
    did("wishlist_add", "p1", at=NOON - DAY)
    for day in (0, 5, 15):
        moment = NOON + day * DAY
        restock("p1", at=moment)
        planners.plan(Kind.BACK_IN_STOCK, now=moment + timedelta(minutes=10))
        send_due(clock=lambda at=moment: at + timedelta(minutes=10))
    assert [row[1:] for row in outbox()] == [("sent", ""), ("skipped", "cooldown"), ("sent", "")]


def test_many_are_told_in_waves_whoever_asked_first(shop: list[Product]) -> None:
    for number in range(30):
        person(f"u{number:02}")
        did("wishlist_add", "p1", at=NOON - DAY - timedelta(minutes=number), user=f"u{number:02}")
    person("asked")
    ask_to_be_told(product_id="p1", user_id="asked")
    StockAlert.objects.update(created_at=NOON - timedelta(minutes=1))
    restock("p1", at=NOON, stock=2)
    planned = [
        planners.plan(Kind.BACK_IN_STOCK, now=NOON + timedelta(minutes=minute)) for minute in (10, 20, 39, 40, 90)
    ]
    assert planned == [20, 0, 0, 11, 0]
    first_wave = {row.user_id for row in OutboxMessage.objects.order_by("planned_at")[:20]}
    assert first_wave == {"asked"} | {f"u{number:02}" for number in range(11, 30)}


def test_a_wave_is_twenty_or_five_times_the_stock() -> None:
    episode = Episode(1, 1, "p", 10, NOON, None)
    here = Campaign(kind=Kind.BACK_IN_STOCK)
    assert places(here, episode, planned=0, now=NOON + timedelta(minutes=10)) == 50
    assert places(here, episode, planned=50, now=NOON + timedelta(minutes=39)) == 0
    assert places(here, episode, planned=50, now=NOON + timedelta(minutes=40)) == 50
    assert places(here, Episode(1, 1, "p", None, NOON, None), planned=9, now=NOON) is None


# --- Caps across campaigns ----------------------------------------------------------------------------------------


def test_the_more_urgent_mail_goes_first_and_the_other_is_held_by_the_gap(shop: list[Product], inbox: Inbox) -> None:
    person()
    did("view", "p1", at=SUNDAY - DAY)
    did("wishlist_add", "p2", at=SUNDAY - DAY)
    restock("p2", at=SUNDAY - timedelta(minutes=10))
    planners.plan(Kind.WEEKLY_DIGEST, now=SUNDAY)
    planners.plan(Kind.BACK_IN_STOCK, now=SUNDAY)
    send_due(clock=lambda: SUNDAY)
    assert [(row.campaign.kind, row.state, row.reason) for row in OutboxMessage.objects.order_by("priority")] == [
        ("back_in_stock", "sent", ""),
        ("weekly_digest", "skipped", "frequency_cap"),
    ]


def test_a_mail_waits_for_no_more_urgent_one_that_another_sender_holds(shop: list[Product]) -> None:
    person()
    did("view", "p1", at=SUNDAY - DAY)
    did("wishlist_add", "p2", at=SUNDAY - DAY)
    restock("p2", at=SUNDAY - timedelta(minutes=10))
    planners.plan(Kind.BACK_IN_STOCK, now=SUNDAY)
    OutboxMessage.objects.update(
        state="claimed", claim_token="00000000-0000-0000-0000-000000000001", lease_until=SUNDAY + DAY
    )
    planners.plan(Kind.WEEKLY_DIGEST, now=SUNDAY)
    send_due(clock=lambda: SUNDAY)
    assert OutboxMessage.objects.get(campaign=campaign(Kind.WEEKLY_DIGEST)).reason == "higher_priority"
