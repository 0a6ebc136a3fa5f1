"""Retention: what served its purpose goes. Counts that dashboards keep are theirs; suppressions stay."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from campaigns.models import MessageEvent, OutboxMessage, ReceivedMail, StockAlert

OUTBOX, EVENTS = OutboxMessage._meta.db_table, MessageEvent._meta.db_table
USED_ALERTS = timedelta(days=30)
OLD_ALERTS = timedelta(days=365)
MAILBOX = timedelta(days=7)
MOST_AT_ONCE = 20_000
NEVER = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows went."""

    messages: int
    alerts: int
    mails: int


def forget_old(*, now: datetime) -> Forgotten:
    """Delete what is older than its time, as `REEMIO_KEEP_MAILS_DAYS` and `REEMIO_KEEP_UNSENT_MAILS_DAYS` say.

    In bites, so that no lock is held long; what is left goes an hour later.
    """
    mails, _ = ReceivedMail.objects.filter(received_at__lt=now - MAILBOX).delete()
    return Forgotten(_messages(now), _alerts(now), mails)


def _messages(now: datetime) -> int:
    doomed = f"""
        SELECT id FROM {OUTBOX} WHERE (planned_at < %(old)s AND state NOT IN ('planned', 'claimed', 'handing_off'))
            OR (planned_at < %(skipped)s AND state IN ('skipped', 'expired', 'cancelled', 'would_send'))
        LIMIT %(most)s
    """  # noqa: S608  our own table's name
    days = settings.REEMIO_KEEP_MAILS_DAYS, settings.REEMIO_KEEP_UNSENT_MAILS_DAYS
    old, skipped = (now - timedelta(days=kept) if kept else NEVER for kept in days)
    names: dict[str, Any] = {"old": old, "skipped": skipped, "most": MOST_AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH doomed AS ({doomed}), events AS (DELETE FROM {EVENTS} WHERE message_id IN (SELECT id FROM doomed)) "  # noqa: S608  our own tables' names
            f"DELETE FROM {OUTBOX} WHERE id IN (SELECT id FROM doomed)",
            names,
        )
        return int(cursor.rowcount)


def _alerts(now: datetime) -> int:
    """Used alerts lose their address after a month; those that nothing answered for a year go."""
    used = StockAlert.objects.filter(used_at__lt=now - USED_ALERTS)
    old = StockAlert.objects.filter(used_at=None, created_at__lt=now - OLD_ALERTS)
    return used.delete()[0] + old.delete()[0]
