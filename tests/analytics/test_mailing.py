"""What became of mails: counted by day, campaign, run and arm, whenever and in whatever order it was told."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from analytics import mailing
from analytics.attribution import attribute_batch
from analytics.models import (
    Conversion,
    MailEarningsRollup,
    MailReasonRollup,
    MailRollup,
    RollupState,
    TouchedMail,
)
from analytics.periods import Period
from analytics.rollups.run import roll_up, touch
from campaigns.models import Campaign, MessageEvent, OutboxMessage
from interactions.models import Interaction, OrderRefund
from recommendations.models import ServedList

pytestmark = pytest.mark.django_db
# Sunday evening in Kathmandu, whose hours begin at a quarter past those of UTC; its Monday begins at 18:15.
EVENING = datetime(2026, 3, 8, 18, 10, tzinfo=UTC)
SUNDAY, MONDAY = date(2026, 3, 8), date(2026, 3, 9)
WEEK = Period(SUNDAY, date(2026, 3, 14))


@pytest.fixture(autouse=True)
def kathmandu(settings: Any) -> Iterator[None]:
    settings.REEMIO_SHOP_TIME_ZONE = "Asia/Kathmandu"
    with time_machine.travel(EVENING + timedelta(days=2), tick=False):
        yield


def mail(number: int, *, kind: str = "weekly_digest", at: datetime = EVENING, **fields: Any) -> OutboxMessage:
    fields = {"state": "sent", "handed_off_at": at, "sent_at": at, "arm": "A", "occasion": "2026-W10", **fields}
    return OutboxMessage.objects.create(
        campaign=Campaign.objects.get(kind=kind), user_id=f"ann-{number}", dedupe_key=f"{kind}-{number}", priority=4,
        planned_at=at, due_at=at, expires_at=at + timedelta(days=1), **fields,
    )  # fmt: skip


def told(message: OutboxMessage, kind: str, *, machine: str = "") -> None:
    MessageEvent.objects.create(
        message=message, message_ref=message.public_id, kind=kind, occurred_at=EVENING, machine=machine,
        key=f"{kind}-{message.pk}-{MessageEvent.objects.count()}",
    )  # fmt: skip


def test_a_mail_counts_once_in_each_column_and_machines_are_nobody() -> None:
    message = mail(1)
    for _ in range(2):
        told(message, "delivered")
        told(message, "clicked")
    told(mail(2), "clicked", machine="scanner")
    roll_up()
    (found,) = mailing.by_campaign(WEEK)
    assert (found.planned, found.sent, found.delivered, found.clicked) == (2, 2, 1, 1)
    assert (found.clicks, found.machine_clicks, found.machine_share.value) == (3, 1, 1 / 3)


def test_each_state_and_each_thing_told_has_a_column_of_its_own() -> None:
    states = ["planned", "skipped", *["unknown"] * 2, "failed", "expired", "cancelled", *["would_send"] * 3]
    for number, state in enumerate(states):
        handed_off_at, at = (EVENING if state == "unknown" else None), EVENING + timedelta(seconds=state == "planned")
        mail(number, state=state, reason="too_soon" if state == "skipped" else "", handed_off_at=handed_off_at, at=at)
    for number, kind in enumerate(["delivered", "bounced", "complained", "unsubscribed", "clicked"], start=10):
        message = mail(number, arm="B")
        for _ in range(2):
            told(message, kind)
    told(message, "complained")
    roll_up()
    assert mailing.total(WEEK) == mailing.Mailed(
        planned=15, skipped=1, sent=5, unknown=2, other=3, would_send=3, delivered=1, bounced=1, complained=2,
        unsubscribed=1, clicked=1, clicks=2,
    )  # fmt: skip
    arm_a, arm_b = mailing.by_arm(WEEK)
    assert (arm_a.arm, arm_a.planned, arm_a.sent, arm_a.began) == ("A", 10, 0, SUNDAY)
    rates = (arm_b.click_rate, arm_b.complaint_rate, arm_b.machine_share)
    assert [(one.successes, one.trials) for one in rates] == [(1, 5), (2, 5), (0, 2)]
    assert mailing.waiting().unknown == 2
    assert mailing.waiting().oldest_due == EVENING + timedelta(seconds=1)


def test_what_is_told_late_is_counted_on_the_day_the_mail_was_planned() -> None:
    message = mail(1)
    roll_up()
    told(message, "bounced")
    roll_up()
    assert list(MailRollup.objects.values_list("day", "sent", "bounced")) == [(SUNDAY, 1, 1)]


def test_a_message_that_changes_leaves_no_count_behind() -> None:
    message = mail(1, state="planned", handed_off_at=None, sent_at=None, arm="")
    roll_up()
    OutboxMessage.objects.filter(pk=message.pk).update(state="skipped", reason="too_soon", arm="B")
    roll_up()
    assert list(MailRollup.objects.values_list("arm", "planned", "skipped")) == [("B", 1, 1)]
    assert mailing.skipped(WEEK) == [("weekly_digest", "too_soon", 1)]
    OutboxMessage.objects.filter(pk=message.pk).update(state="sent", reason="", handed_off_at=EVENING)
    roll_up()
    assert mailing.skipped(WEEK) == []
    assert not MailReasonRollup.objects.exists()


def test_days_are_the_shops_though_its_hours_begin_elsewhere() -> None:
    mail(1)
    for number, minutes in enumerate((5, 6, 24 * 60 + 4), start=2):
        mail(number, at=EVENING + timedelta(minutes=minutes))
    roll_up()
    assert mailing.sent_by_day(WEEK) == {SUNDAY: 1, MONDAY: 3}
    assert mailing.total(Period(SUNDAY, SUNDAY)).sent == 1
    assert mailing.sent_by_day(Period(MONDAY, MONDAY)) == {MONDAY: 3}


def test_a_run_is_an_occasion_and_of_carts_a_day() -> None:
    mail(1)
    mail(2, at=EVENING + timedelta(minutes=6))
    for cart in (3, 4):
        mail(cart, kind="cart_abandonment", occasion=f"cart-{cart}")
    mail(5, kind="cart_abandonment", occasion="cart-5", at=EVENING + timedelta(minutes=6))
    roll_up()
    assert [(one.kind, one.run, one.began, one.sent) for one in mailing.by_run(WEEK)] == [
        ("cart_abandonment", "2026-03-09", MONDAY, 1),
        ("weekly_digest", "2026-W10", SUNDAY, 2),
        ("cart_abandonment", "2026-03-08", SUNDAY, 2),
    ]


def test_reasons_are_told_the_most_frequent_first() -> None:
    for number, reason in enumerate(["asked", "too_soon", "too_soon", "bounced"]):
        mail(number, state="skipped", reason=reason, handed_off_at=None, sent_at=None, arm="")
    roll_up()
    assert [(reason, count) for _, reason, count in mailing.skipped(WEEK)] == [
        ("too_soon", 2), ("asked", 1), ("bounced", 1)
    ]  # fmt: skip
    assert mailing.by_arm(WEEK) == []


def test_counting_everything_anew_changes_nothing() -> None:
    for number in range(3):
        told(mail(number, at=EVENING + timedelta(days=number)), "delivered")
    roll_up()
    before = list(MailRollup.objects.order_by("day").values())
    assert [row["delivered"] for row in before] == [1, 1, 1]
    MailRollup.objects.update(delivered=7)
    touch(since=None)
    roll_up()
    assert list(MailRollup.objects.order_by("day").values()) == before


def test_after_a_change_of_zone_every_mail_is_counted_once_on_its_new_day(settings: Any) -> None:
    mail(1, at=EVENING + timedelta(minutes=6))
    mail(2, state="skipped", reason="too_soon", at=EVENING + timedelta(minutes=6))
    roll_up()
    assert mailing.sent_by_day(WEEK) == {MONDAY: 1}
    settings.REEMIO_SHOP_TIME_ZONE = "UTC"
    roll_up()
    assert mailing.sent_by_day(WEEK) == {SUNDAY: 1}
    assert list(MailReasonRollup.objects.values_list("day", "messages")) == [(SUNDAY, 1)]


def test_a_day_whose_mails_were_cleared_away_keeps_its_figures(settings: Any) -> None:
    settings.REEMIO_KEEP_UNSENT_MAILS_DAYS = 30
    message = mail(1)
    mail(2, state="skipped", reason="too_soon", handed_off_at=None, sent_at=None)
    roll_up()
    OutboxMessage.objects.filter(state="skipped").delete()
    with time_machine.travel(EVENING + timedelta(days=40), tick=False):
        told(message, "clicked")
        roll_up()
        touch(since=None)
        roll_up()
    assert list(MailRollup.objects.values_list("planned", "skipped", "clicked").order_by("arm")) == [(2, 1, 0)]


@pytest.mark.parametrize(("days", "kept"), [(30, True), (29, False)])
def test_the_last_day_of_which_mails_may_be_gone_is_closed_in_every_zone(days: int, kept: bool, settings: Any) -> None:
    settings.REEMIO_KEEP_UNSENT_MAILS_DAYS = 30
    message = mail(1)
    roll_up()
    with time_machine.travel(EVENING + timedelta(days=days), tick=False):
        told(message, "clicked")
        roll_up()
        assert mailing.total(WEEK).clicked == (0 if kept else 1)
        OutboxMessage.objects.all().delete()
        settings.REEMIO_SHOP_TIME_ZONE = "Asia/Kolkata"
        roll_up()
    assert mailing.total(WEEK).planned == (1 if kept else 0)


def listed(message: OutboxMessage, products: list[str]) -> uuid.UUID:
    """Let a mail have shown a list, as sending it does."""
    kind = message.campaign.kind
    served = ServedList.objects.create(
        served_at=EVENING, placement="email", context="email", strategy="personalized", user_id=message.user_id,
        products=products, scores=[1.0] * len(products), milliseconds=1, campaign=kind, variant=f"{kind}:{message.arm}",
    )  # fmt: skip
    OutboxMessage.objects.filter(pk=message.pk).update(request_id=served.request_id)
    return served.request_id


def did(kind: str, user: str, product: str, *, hours: float, **fields: Any) -> None:
    Interaction.objects.create(
        interaction_type=kind, user_id=user, product_id=product, occurred_at=EVENING + timedelta(hours=hours), **fields
    )


def bought(user: str, product: str, price: int, *, hours: float, order: str | None, currency: str = "USD") -> None:
    did("purchase", user, product, hours=hours, order_id=order, unit_price=Decimal(price), currency=currency)


def earned(*by: str) -> dict[tuple[str, ...], tuple[Any, ...]]:
    return {
        names: (one.orders, one.direct_revenue, one.assisted_revenue, one.currency)
        for names, one in mailing.earned_by(mailing.earnings(WEEK), *by).items()
    }


def test_a_purchase_counts_with_the_mail_that_was_clicked_on_the_day_it_was_planned() -> None:
    first, second = mail(1), mail(2, arm="B")
    for message in (first, second):
        shown = listed(message, ["lamp", "desk"])
        for product in ("lamp", "desk"):
            did(
                "recommendation_click", message.user_id, product, hours=1, recommendation_request_id=shown,
                recommendation_context="email",
            )  # fmt: skip
    bought("ann-1", "lamp", 10, hours=30, order="o1")
    bought("ann-1", "desk", 50, hours=30, order="o1")
    bought("ann-1", "rug", 7, hours=30, order="o1")
    bought("ann-2", "lamp", 10, hours=2, order=None)
    bought("ann-2", "desk", 50, hours=24 * 6, order="o2")  # five days are a mail's window
    roll_up()
    assert earned("kind", "arm") == {
        ("weekly_digest", "A"): (1, Decimal(60), Decimal(7), "USD"),
        ("weekly_digest", "B"): (1, Decimal(10), Decimal(0), "USD"),
    }
    assert earned("kind", "run") == {("weekly_digest", "2026-W10"): (2, Decimal(70), Decimal(7), "USD")}
    assert set(MailEarningsRollup.objects.values_list("day", flat=True)) == {SUNDAY}


def test_what_comes_back_and_whom_another_mail_is_credited_with_is_counted_anew() -> None:
    first, second = mail(1), mail(3, kind="new_products", at=EVENING + timedelta(hours=2), occasion="2026-03-09")
    shown = listed(first, ["lamp"])
    clicked = {"recommendation_request_id": shown, "recommendation_context": "email"}
    did("recommendation_click", "ann-1", "lamp", hours=1, **clicked)
    bought("ann-1", "lamp", 10, hours=30, order="o1")
    roll_up()
    assert earned("kind") == {("weekly_digest",): (1, Decimal(10), Decimal(0), "USD")}
    later = {"recommendation_request_id": listed(second, ["lamp"]), "recommendation_context": "email"}
    did("recommendation_click", "ann-1", "lamp", hours=3, **later)
    roll_up()
    assert earned("kind") == {("new_products",): (1, Decimal(10), Decimal(0), "USD")}
    OrderRefund.objects.create(order_id="o1", refund_id="r1", products=[], quantities=[], occurred_at=EVENING)
    roll_up()
    assert earned("kind") == {}
    assert not TouchedMail.objects.exists()


def test_credit_that_has_not_changed_leaves_no_mail_to_be_counted() -> None:
    message = mail(1)
    clicked = {"recommendation_request_id": listed(message, ["lamp"]), "recommendation_context": "email"}
    did("recommendation_click", "ann-1", "lamp", hours=1, **clicked)
    bought("ann-1", "lamp", 10, hours=30, order="o1")
    TouchedMail.objects.all().delete()
    attribute_batch()
    assert TouchedMail.objects.exists()
    touch(since=None)
    TouchedMail.objects.all().delete()
    assert attribute_batch() == 1
    assert not TouchedMail.objects.exists()


def test_revenue_of_mails_is_told_in_the_currency_that_earned_most_and_orders_in_any() -> None:
    for number, currency, price in ((1, "USD", 10), (2, "KES", 900), (3, "KES", 100)):
        message = mail(number)
        clicked = {"recommendation_request_id": listed(message, ["lamp"]), "recommendation_context": "email"}
        did("recommendation_click", message.user_id, "lamp", hours=1, **clicked)
        bought(message.user_id, "lamp", price, hours=2, order=f"o{number}", currency=currency)
    roll_up()
    assert earned("kind") == {("weekly_digest",): (3, Decimal(1000), Decimal(0), "KES")}


def test_what_mails_earned_stays_when_their_purchases_are_cleared_away() -> None:
    message = mail(1)
    clicked = {"recommendation_request_id": listed(message, ["lamp"]), "recommendation_context": "email"}
    did("recommendation_click", "ann-1", "lamp", hours=1, **clicked)
    bought("ann-1", "lamp", 10, hours=2, order="o1")
    roll_up()
    RollupState.objects.update(closed_before=EVENING + timedelta(days=32))
    Conversion.objects.all().delete()
    told(message, "clicked")
    roll_up()
    assert earned("kind") == {("weekly_digest",): (1, Decimal(10), Decimal(0), "USD")}
    assert [one.clicked for one in mailing.by_campaign(WEEK)] == [1]
