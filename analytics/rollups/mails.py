"""Counting mails: what became of those that were planned on a day, by campaign, run and arm; the whole day at once.

Triggers note when mails were planned that have just changed, or of which something was told. A run is
what was planned on one occasion (a week's digest, a stock that came back); mails that each have an occasion of their
own, as carts have, are one run a day.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from analytics.attribution import COUNTING
from analytics.models import MailEarningsRollup, MailReasonRollup, MailRollup, RollupState
from analytics.rollups.closing import EXPLAINED
from analytics.rollups.ranges import day_bounds

_TOUCH = """
INSERT INTO touched_mails (starts_at)
SELECT DISTINCT date_bin('5 minutes', planned_at, '2000-01-01 00:00+00') FROM campaigns_outboxmessage
WHERE planned_at >= %s
"""
# A message counts once for each kind of event; clicks of machines (scanners, previews) do not count as a person's.
_MINE = """
WITH mine AS (
    SELECT m.id, m.state, m.arm, m.reason, m.request_id, c.kind,
        left(CASE c.kind WHEN 'cart_abandonment' THEN %(day)s::date::text ELSE m.occasion END, 100) AS run
    FROM campaigns_outboxmessage m JOIN campaigns_campaign c ON c.id = m.campaign_id
    WHERE m.planned_at >= %(begin)s AND m.planned_at < %(end)s
)
"""
_MAILS = f"""
{_MINE}, told AS (
    SELECT e.message_id AS id,
        bool_or(e.kind = 'delivered') AS delivered, bool_or(e.kind = 'bounced') AS bounced,
        bool_or(e.kind = 'complained') AS complained, bool_or(e.kind = 'unsubscribed') AS unsubscribed,
        bool_or(e.kind = 'clicked' AND e.machine = '') AS clicked,
        count(*) FILTER (WHERE e.kind = 'clicked') AS clicks,
        count(*) FILTER (WHERE e.kind = 'clicked' AND e.machine <> '') AS machine_clicks
    FROM campaigns_messageevent e WHERE e.message_id IN (SELECT id FROM mine) GROUP BY e.message_id
)
INSERT INTO analytics_mailrollup (day, kind, run, arm, planned, skipped, sent, unknown, other, would_send, delivered,
    bounced, complained, unsubscribed, clicked, clicks, machine_clicks)
SELECT %(day)s, kind, run, arm, count(*), count(*) FILTER (WHERE state = 'skipped'),
    count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'unknown'),
    count(*) FILTER (WHERE state IN ('failed', 'expired', 'cancelled')),
    count(*) FILTER (WHERE state = 'would_send'), count(*) FILTER (WHERE delivered), count(*) FILTER (WHERE bounced),
    count(*) FILTER (WHERE complained), count(*) FILTER (WHERE unsubscribed), count(*) FILTER (WHERE clicked),
    coalesce(sum(clicks), 0), coalesce(sum(machine_clicks), 0)
FROM mine LEFT JOIN told USING (id) GROUP BY kind, run, arm
"""  # noqa: S608  made of our own constants
_REASONS = f"""
{_MINE}
INSERT INTO analytics_mailreasonrollup (day, kind, reason, messages)
SELECT %(day)s, kind, reason, count(*) FROM mine WHERE state = 'skipped' GROUP BY kind, reason
"""  # noqa: S608  made of our own constants
# A purchase without an order is one of its own.
_EARNINGS = f"""
{_MINE}
INSERT INTO analytics_mailearningsrollup (day, kind, run, arm, currency, orders, direct_revenue, assisted_revenue)
SELECT %(day)s, mine.kind, run, arm, c.currency,
    count(DISTINCT coalesce('o' || i.order_id, 'p' || i.id)) FILTER (WHERE c.kind = 'direct'),
    coalesce(sum(c.revenue) FILTER (WHERE c.kind = 'direct'), 0),
    coalesce(sum(c.revenue) FILTER (WHERE c.kind = 'assisted'), 0)
FROM mine JOIN conversions c USING (request_id) JOIN user_interactions i ON i.id = c.purchase_id
WHERE c.units > 0 GROUP BY mine.kind, run, arm, c.currency
"""  # noqa: S608  made of our own constants


def touch_mails(cursor: Any, since: datetime) -> None:
    """Note that every mail that was planned since a moment is due for counting."""
    cursor.execute(_TOUCH, [since])


def forget_mails(zone: ZoneInfo) -> None:
    """Delete what was counted of mails, where all of them are still there to be counted anew."""
    for model in (MailRollup, MailReasonRollup, MailEarningsRollup):
        model.objects.filter(day__gt=_cleared(zone)).delete()


def count_mails(zone: ZoneInfo) -> int:
    """Count the days anew that are due; return how many. Each is one transaction with its notes.

    A day of which mails may have been cleared away is never counted again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT starts_at FROM touched_mails ORDER BY starts_at DESC")
        due = [starts_at for (starts_at,) in cursor.fetchall()]
    by_day = [(day, list(parts)) for day, parts in groupby(due, key=lambda part: part.astimezone(zone).date())]
    for day, parts in by_day:
        _count_day(day, parts, zone, closed=day <= _cleared(zone))
    return len(by_day)


def _cleared(zone: ZoneInfo) -> date:
    """Return the last day of which mails may have been cleared away."""
    kept = [days for days in (settings.REEMIO_KEEP_MAILS_DAYS, settings.REEMIO_KEEP_UNSENT_MAILS_DAYS) if days]
    return timezone.now().astimezone(zone).date() - timedelta(days=min(kept)) if kept else date.min


@transaction.atomic
def _count_day(day: date, parts: Sequence[datetime], zone: ZoneInfo, *, closed: bool) -> None:
    begin, end = day_bounds(day, zone)
    parameters = {"day": day, "begin": begin, "end": end}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        cursor.execute("DELETE FROM touched_mails WHERE starts_at = ANY(%s)", [list(parts)])
        if closed:
            return
        tables = {"analytics_mailrollup": _MAILS, "analytics_mailreasonrollup": _REASONS}
        if _sales_are_whole(begin):
            tables["analytics_mailearningsrollup"] = _EARNINGS
        for table, statement in tables.items():
            cursor.execute(f"DELETE FROM {table} WHERE day = %(day)s", parameters)  # noqa: S608  our own name
            cursor.execute(statement, parameters)


def _sales_are_whole(since: datetime) -> bool:
    """Tell whether no purchase since a moment may have been cleared away; see `closing.py`."""
    state = RollupState.objects.filter(id=1).first()
    return state is None or state.closed_before is None or since >= state.closed_before - EXPLAINED
