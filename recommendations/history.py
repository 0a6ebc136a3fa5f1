"""A person's raw events as the engine reads them: who is meant by a query, and what they did lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from recommendations.configuration import OWNED_DAYS
from recommendations.contracts import Query

# One person's list reads at most this many of their latest events, and this many of their latest purchases.
RECENT_EVENTS = 100
RECENT_PURCHASES = 300
RECOUNT_EVENTS = 2000


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a person with a product that the mirror knows. `fresh`: not folded into the stored taste yet."""

    product: int
    kind: str
    occurred_at: datetime
    fresh: bool
    user: bool


def subjects_of(user_id: str, session_id: str) -> tuple[str, ...]:
    """Return the keys under which tastes of this user and of this session are kept."""
    user = (f"u:{user_id}",) if user_id else ()
    session = (f"s:{session_id}",) if session_id else ()
    return user + session


SELECT = "SELECT id, product_id, interaction_type, occurred_at, user_id IS NOT NULL AS by_user FROM user_interactions"
# A user's own events, and those of the session that are nobody's yet: each branch reads one index, newest first.
RECENT = f"""
    WITH mine AS (
        ({SELECT} WHERE user_id = %(user)s AND product_id IS NOT NULL AND occurred_at < %(until)s
            ORDER BY occurred_at DESC LIMIT %(events)s)
        UNION
        ({SELECT} WHERE user_id = %(user)s AND interaction_type = 'purchase'
            AND occurred_at >= %(owned_since)s AND occurred_at < %(until)s
            ORDER BY occurred_at DESC LIMIT %(purchases)s)
        UNION
        ({SELECT} WHERE session_id = %(session)s AND user_id IS NULL AND product_id IS NOT NULL
            AND occurred_at < %(until)s ORDER BY occurred_at DESC LIMIT %(events)s)
    )
    SELECT p.id, mine.interaction_type, mine.occurred_at, fresh.interaction_id IS NOT NULL, mine.by_user
    FROM mine
    JOIN catalog_product p ON p.product_id = mine.product_id
    LEFT JOIN fresh_interactions fresh ON fresh.interaction_id = mine.id
    ORDER BY mine.occurred_at DESC, mine.id DESC
"""  # noqa: S608  constants of this module


def recent_events(query: Query, *, now: datetime, most: int = RECENT_EVENTS) -> Sequence[Event]:
    """Return the latest events of whoever asks, newest first, and all purchases of the last 30 days. One query.

    With an *as-of*, nothing that happened at or after it is seen; without one, nothing dated ahead of a day from now.
    """
    until = query.as_of or now + timedelta(days=1)
    parameters = {
        "user": query.user_id or None,
        "session": query.session_id or None,
        "until": until,
        "owned_since": now - timedelta(days=OWNED_DAYS),
        "events": most,
        "purchases": RECENT_PURCHASES,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECENT, parameters)
        return [Event(*row) for row in cursor.fetchall()]
