"""A campaign's own figures, from the outbox and its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from campaigns.models import Campaign, MessageEvent, OutboxMessage
from reemio.database.reading import reading_connection

OUTBOX, EVENTS = OutboxMessage._meta.db_table, MessageEvent._meta.db_table
STATES = f"""
SELECT state, reason, count(*) FROM {OUTBOX} WHERE campaign_id = %(campaign)s AND planned_at >= %(since)s
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""  # noqa: S608  constants of this module
# Messages, not events: a person who clicks twice clicked once.
REACTIONS = f"""
SELECT m.arm, count(*) AS sent,
    count(*) FILTER (WHERE e.delivered), count(*) FILTER (WHERE e.bounced), count(*) FILTER (WHERE e.complained),
    count(*) FILTER (WHERE e.unsubscribed), count(*) FILTER (WHERE e.clicked), count(*) FILTER (WHERE e.machine)
FROM {OUTBOX} m LEFT JOIN (
    SELECT message_id, bool_or(kind = 'delivered') AS delivered, bool_or(kind IN ('bounced', 'rejected')) AS bounced,
        bool_or(kind = 'complained') AS complained, bool_or(kind = 'unsubscribed') AS unsubscribed,
        bool_or(kind = 'clicked' AND machine = '' AND applied_at IS NOT NULL) AS clicked,
        bool_or(kind = 'clicked' AND machine <> '') AS machine
    FROM {EVENTS} GROUP BY message_id
) e ON e.message_id = m.id
WHERE m.campaign_id = %(campaign)s AND m.state = 'sent' AND m.planned_at >= %(since)s
GROUP BY 1 ORDER BY 1
"""  # noqa: S608  constants of this module


@dataclass(frozen=True, slots=True)
class Arm:
    """How the mails with one subject fared: counts of messages."""

    name: str
    sent: int
    delivered: int
    bounced: int
    complained: int
    unsubscribed: int
    clicked: int
    machine: int

    @property
    def click_rate(self) -> float:
        """Return human clicks per mail sent."""
        return self.clicked / self.sent if self.sent else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages by state, why those that were skipped were, and how each subject fared, over the last `days`."""

    days: int
    states: Mapping[str, int]
    reasons: Sequence[tuple[str, int]]
    arms: Sequence[Arm]


def figures_of(campaign: Campaign, *, now: datetime, days: int = 28) -> Figures:
    """Return the figures of the last `days`."""
    names: dict[str, Any] = {"campaign": campaign.pk, "since": now - timedelta(days=days)}
    with reading_connection().cursor() as cursor:
        cursor.execute(STATES, names)
        rows = cursor.fetchall()
        cursor.execute(REACTIONS, names)
        arms = [Arm(*row) for row in cursor.fetchall()]
    states: dict[str, int] = {}
    for state, _, count in rows:
        states[state] = states.get(state, 0) + count
    reasons = [(reason, count) for state, reason, count in rows if state == OutboxMessage.State.SKIPPED]
    return Figures(days, states, reasons, arms)
