"""What became of mails: counted by day, campaign, run and arm, whenever and in whatever order it was told."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from analytics import mailing
from analytics.models import MailReasonRollup, MailRollup
from analytics.periods import Period
from analytics.rollups.run import roll_up, touch
from campaigns.models import Campaign, MessageEvent, OutboxMessage

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
    mail(2, at=EVENING + timedelta(minutes=6))
    roll_up()
    assert mailing.sent_by_day(WEEK) == {SUNDAY: 1, MONDAY: 1}


def test_a_run_is_an_occasion_and_of_carts_a_day() -> None:
    mail(1)
    mail(2, at=EVENING + timedelta(minutes=6))
    for cart in (3, 4):
        mail(cart, kind="cart_abandonment", occasion=f"cart-{cart}")
    roll_up()
    assert [(one.kind, one.run, one.began, one.sent) for one in mailing.by_run(WEEK)] == [
        ("weekly_digest", "2026-W10", SUNDAY, 2),
        ("cart_abandonment", "2026-03-08", SUNDAY, 2),
    ]


def test_counting_everything_anew_changes_nothing() -> None:
    for number in range(3):
        told(mail(number, at=EVENING + timedelta(days=number)), "delivered")
    roll_up()
    before = list(MailRollup.objects.order_by("day").values())
    touch(since=None)
    roll_up()
    assert list(MailRollup.objects.order_by("day").values()) == before
    assert [row["delivered"] for row in before] == [1, 1, 1]


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
