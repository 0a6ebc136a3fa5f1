"""Abandoned carts: whom it concerns, when, and what the mail shows."""

from datetime import timedelta
from decimal import Decimal

import pytest

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.models import Campaign, OutboxMessage
from campaigns.sending.sender import send_due
from catalog.models import Product
from tests.campaigns.conftest import NOON, abandoned, did, outbox, person
from tests.campaigns.mailserver import Inbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("inbox")]
HOUR = timedelta(hours=1)


def plan(at: object = NOON) -> int:
    return planners.plan(Kind.CART_ABANDONMENT, now=at)  # type: ignore[arg-type]


@pytest.mark.parametrize(("hours", "planned"), [(1.99, 0), (2.0, 1), (25.9, 1), (26.1, 0)])
def test_the_person_was_last_seen_between_two_and_26_hours_ago(shop: list[Product], hours: float, planned: int) -> None:
    person()
    abandoned(hours=hours)
    assert plan() == planned


def test_any_kind_of_activity_counts(shop: list[Product]) -> None:
    person()
    abandoned()
    did("view", "p5", at=NOON - HOUR)
    assert plan() == 0


def test_what_was_emptied_is_no_cart(shop: list[Product]) -> None:
    person()
    abandoned()
    did("cart_remove", "p1", at=NOON - 2.5 * HOUR)
    assert plan() == 0


def test_a_cart_that_was_bought_is_none_and_a_new_one_is(shop: list[Product]) -> None:
    person()
    did("cart_add", "p1", at=NOON - 5 * HOUR)
    did("purchase", "p1", at=NOON - 4 * HOUR)
    assert plan() == 0
    did("cart_add", "p2", at=NOON - 3 * HOUR)
    assert plan() == 1


def test_what_happened_before_the_campaign_went_live_sets_nothing_off(shop: list[Product]) -> None:
    person()
    abandoned(hours=3)
    Campaign.objects.update(live_since=NOON - 2.9 * HOUR)
    assert plan() == 0


@pytest.mark.parametrize("mode", ["draft", "paused"])
def test_a_campaign_that_is_off_plans_nothing(shop: list[Product], mode: str) -> None:
    person()
    abandoned()
    Campaign.objects.update(mode=mode)
    assert plan() == 0


def test_a_dry_run_keeps_the_reasons_and_takes_nothing_from_the_live_campaign(
    shop: list[Product], inbox: Inbox
) -> None:
    person()
    person("otieno", marketing_consent=False)
    abandoned("akinyi")
    abandoned("otieno")
    Campaign.objects.update(mode="dry_run")
    assert (plan(), send_due(clock=lambda: NOON)) == (2, 0)
    assert outbox() == [("akinyi", "would_send", ""), ("otieno", "skipped", "no_consent")]
    assert inbox.counts == {}
    Campaign.objects.update(mode="live")
    assert (plan(), send_due(clock=lambda: NOON)) == (2, 1)
    assert inbox.counts == {"akinyi@example.com": 1}


def test_the_same_cart_is_reminded_of_once_and_a_new_one_not_within_a_week(shop: list[Product], inbox: Inbox) -> None:
    person()
    abandoned()
    plan()
    send_due(clock=lambda: NOON)
    for day in (1, 3, 8):
        later = NOON + timedelta(days=day)
        abandoned("akinyi", f"p{day}", now=later)
        assert plan(later) == 1
        send_due(clock=lambda at=later: at)
    assert [row[1:] for row in outbox()] == [
        ("sent", ""), ("skipped", "cooldown"), ("skipped", "cooldown"), ("sent", ""),
    ]  # fmt: skip
    assert inbox.counts == {"akinyi@example.com": 2}


def test_in_the_night_it_waits_for_the_morning_and_asks_again(shop: list[Product], inbox: Inbox) -> None:
    person()
    night = NOON + 11 * HOUR  # 23:00 in Nairobi
    abandoned(now=night)
    plan(night)
    assert send_due(clock=lambda: night) == 0
    row = OutboxMessage.objects.get()
    assert (row.state, row.due_at) == ("planned", NOON + 20 * HOUR)  # 08:00
    did("view", "p2", at=night + HOUR)
    assert send_due(clock=lambda: row.due_at) == 0
    assert outbox() == [("akinyi", "skipped", "cart_active_again")]


def test_a_mail_that_would_come_too_late_after_the_night_is_skipped(shop: list[Product]) -> None:
    person()
    night = NOON + 11 * HOUR
    abandoned(now=night)
    plan(night)
    OutboxMessage.objects.update(expires_at=NOON + 20 * HOUR)
    send_due(clock=lambda: night)
    assert outbox() == [("akinyi", "skipped", "quiet_hours_expired")]


def test_the_mail_shows_the_cart_at_todays_price_and_what_goes_with_it(shop: list[Product], inbox: Inbox) -> None:
    person()
    did("cart_add", "p1", at=NOON - 4 * HOUR, unit_price=Decimal("12.50"), quantity=2)
    did("cart_add", "p2", at=NOON - 3 * HOUR, unit_price=Decimal("8.00"))
    did("cart_add", "p3", at=NOON - 3 * HOUR)
    Product.objects.filter(product_id="p3").update(stock_quantity=0)
    plan()
    send_due(clock=lambda: NOON)
    text = inbox.only().get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "* P1, $10.00 (was $12.50) × 2" in text
    assert "* P2, $10.00\r\n" in text, "a price that rose is no bargain"
    products = OutboxMessage.objects.get().content["products"]
    assert [(one["product_id"], one["recommended"]) for one in products[:2]] == [("p2", False), ("p1", False)]
    assert len(products) == 6
    assert all(one["recommended"] and one["product_id"] not in ("p1", "p2", "p3") for one in products[2:])


def test_a_cart_of_which_nothing_can_be_bought_is_not_mentioned(shop: list[Product]) -> None:
    person()
    abandoned()
    plan()
    Product.objects.filter(product_id="p1").update(is_active=False)
    send_due(clock=lambda: NOON)
    assert outbox() == [("akinyi", "skipped", "no_available_items")]


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ({"email": ""}, "no_email"),
        ({"email": "akinyi@elsewhere.test"}, "not_allowlisted"),
        ({"marketing_consent": False}, "no_consent"),
    ],
)
def test_who_cannot_or_does_not_want_to_be_written_to(
    shop: list[Product], profile: dict[str, object], reason: str
) -> None:
    person(**profile)
    abandoned()
    plan()
    send_due(clock=lambda: NOON)
    assert outbox() == [("akinyi", "skipped", reason)]
