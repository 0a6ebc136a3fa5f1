"""What became of the mails that were planned in a period, by campaign, arm, reason and day. Read from the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from analytics.definitions import Rate, rate
from analytics.periods import Period

# A message counts once for each kind of event; clicks of machines (scanners, previews) do not count as a person's.
PLANNED = """
WITH mine AS (
    SELECT m.id, m.state, m.arm, c.kind FROM campaigns_outboxmessage m JOIN campaigns_campaign c ON c.id = m.campaign_id
    WHERE m.planned_at >= %(begin)s AND m.planned_at < %(end)s
), told AS (
    SELECT e.message_id AS id,
        bool_or(e.kind = 'delivered') AS delivered, bool_or(e.kind = 'bounced') AS bounced,
        bool_or(e.kind = 'complained') AS complained, bool_or(e.kind = 'unsubscribed') AS unsubscribed,
        bool_or(e.kind = 'clicked' AND e.machine = '') AS clicked,
        bool_or(e.kind IN ('clicked', 'opened') AND e.machine <> '') AS machine
    FROM campaigns_messageevent e WHERE e.message_id IN (SELECT id FROM mine) GROUP BY e.message_id
)
SELECT kind, {arm} AS arm, count(*) AS planned,
    count(*) FILTER (WHERE state = 'skipped') AS skipped, count(*) FILTER (WHERE state = 'sent') AS sent,
    count(*) FILTER (WHERE state = 'unknown') AS unknown,
    count(*) FILTER (WHERE state IN ('failed', 'expired', 'cancelled')) AS other,
    count(*) FILTER (WHERE state = 'would_send') AS would_send,
    count(*) FILTER (WHERE delivered) AS delivered, count(*) FILTER (WHERE bounced) AS bounced,
    count(*) FILTER (WHERE complained) AS complained, count(*) FILTER (WHERE unsubscribed) AS unsubscribed,
    count(*) FILTER (WHERE clicked) AS clicked, count(*) FILTER (WHERE machine) AS machine
FROM mine LEFT JOIN told USING (id) WHERE {kept} GROUP BY 1, 2 ORDER BY 1, 2
"""
REASONS = """
SELECT c.kind, m.reason, count(*) AS messages FROM campaigns_outboxmessage m
JOIN campaigns_campaign c ON c.id = m.campaign_id
WHERE m.planned_at >= %(begin)s AND m.planned_at < %(end)s AND m.state = 'skipped'
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
DAYS = """
SELECT (sent_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS sent FROM campaigns_outboxmessage
WHERE planned_at >= %(begin)s AND planned_at < %(end)s AND state = 'sent' GROUP BY 1
"""
WAITING = """
SELECT (SELECT min(due_at) FROM campaigns_outboxmessage WHERE state = 'planned'),
    (SELECT count(*) FROM campaigns_outboxmessage WHERE state = 'unknown'),
    (SELECT array_agg(kind || ':' || mode ORDER BY id) FROM campaigns_campaign)
"""


@dataclass(frozen=True, slots=True)
class Mailed:
    """What became of one campaign's mails, or of one arm of it."""

    kind: str
    arm: str
    planned: int
    skipped: int
    sent: int
    unknown: int
    other: int
    would_send: int
    delivered: int
    bounced: int
    complained: int
    unsubscribed: int
    clicked: int
    machine: int

    @property
    def click_rate(self) -> Rate:
        """Return the mails that a person clicked in / sent mails."""
        return rate(self.clicked, self.sent)

    @property
    def complaint_rate(self) -> Rate:
        """Return complaints / sent mails."""
        return rate(self.complained, self.sent)


def by_campaign(period: Period) -> list[Mailed]:
    """Return each campaign's mails that were planned in the period. One query."""
    return [Mailed(*row) for row in _read(PLANNED.format(arm="''", kept="true"), period)]


def by_arm(period: Period) -> list[Mailed]:
    """Return the same for each arm of the subjects' comparison. One query."""
    return [Mailed(*row) for row in _read(PLANNED.format(arm="arm", kept="arm <> ''"), period)]


def skipped(period: Period) -> list[tuple[str, str, int]]:
    """Return (campaign, reason, messages) of what was not sent, the most frequent first. One query."""
    return [(kind, reason, count) for kind, reason, count in _read(REASONS, period)]


def sent_by_day(period: Period) -> dict[date, int]:
    """Return how many mails left on each day of the shop. One query."""
    return dict(_read(DAYS, period))


@dataclass(frozen=True, slots=True)
class Waiting:
    """The outbox at this moment: since when the oldest due row waits, rows of unknown fate, and campaigns' modes."""

    oldest_due: datetime | None
    unknown: int
    modes: dict[str, str]


def waiting() -> Waiting:
    """Return the state of the outbox. One query."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        oldest, unknown, modes = cursor.fetchone()
    return Waiting(oldest, unknown, dict(one.split(":") for one in modes or []))


def _read(statement: str, period: Period) -> Sequence[Any]:
    begin, end = period.bounds()
    with connection.cursor() as cursor:
        cursor.execute(statement, {"begin": begin, "end": end, "zone": settings.REEMIO_SHOP_TIME_ZONE})
        return list(cursor.fetchall())
