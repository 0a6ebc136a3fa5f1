"""A person's raw events as the engine reads them: who is meant by a query, and what they did lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import connection

from recommendations.configuration import OWNED_DAYS
from recommendations.contracts import Ids, Query, Scores

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


# A whole history is read up to this many of its latest events.
PROFILE_EVENTS = 5000
# The visit of an event: its order, else its session, else the person's day (UTC), as in training.
PROFILE = """
    WITH mine AS (
        (SELECT product_id, interaction_type, occurred_at, order_id, session_id FROM user_interactions
            WHERE user_id = %(user)s AND product_id IS NOT NULL AND occurred_at < %(until)s
            ORDER BY occurred_at DESC LIMIT %(events)s)
        UNION ALL
        (SELECT product_id, interaction_type, occurred_at, order_id, session_id FROM user_interactions
            WHERE session_id = %(session)s AND user_id IS NULL AND product_id IS NOT NULL AND occurred_at < %(until)s
            ORDER BY occurred_at DESC LIMIT %(events)s)
    ), dated AS (
        SELECT p.id, interaction_type = 'purchase' AS bought,
            greatest(extract(epoch FROM %(now)s - occurred_at), 0) / 86400 AS age,
            greatest(COALESCE(w.weight, 0), 0) AS weight,
            COALESCE('o:' || order_id, COALESCE(session_id, (occurred_at AT TIME ZONE 'UTC')::date::text)) AS visit
        FROM mine JOIN catalog_product p ON p.product_id = mine.product_id
        LEFT JOIN unnest(%(kinds)s::text[], %(weights)s::float8[]) AS w(kind, weight) ON w.kind = interaction_type
    )
    SELECT id, sum(weight * power(2, -age / %(half_life)s))::float8, count(DISTINCT visit) FILTER (WHERE bought),
        (max(age) FILTER (WHERE bought))::float8, (min(age) FILTER (WHERE bought))::float8,
        (SELECT count(DISTINCT visit) FROM dated WHERE bought)
    FROM dated GROUP BY id ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Profile:
    """All that a person dealt with: parallel arrays by our id, ages in days.

    `weights` are √(Σ weight × 2^(−age / half-life)); `orders` counts the orders that held a product, 0 for what was
    never bought (its ages are 0 then); `all_orders` counts all of the person's orders.
    """

    products: Ids
    weights: Scores
    orders: Scores
    first_age: Scores
    last_age: Scores
    all_orders: int


def profile_of(query: Query, *, now: datetime, event_weights: Mapping[str, float], half_life: float) -> Profile:
    """Return the profile of whoever asks, from their latest 5,000 events. A purchase weighs 1. One query."""
    parameters = {
        "user": query.user_id or None,
        "session": query.session_id or None,
        "until": query.as_of or now + timedelta(days=1),
        "now": now,
        "events": PROFILE_EVENTS,
        "kinds": list(event_weights),
        "weights": list(event_weights.values()),
        "half_life": half_life,
    }
    with connection.cursor() as cursor:
        cursor.execute(PROFILE, parameters)
        rows = cursor.fetchall()
    sums = np.array([row[1] or 0.0 for row in rows], np.float64) / purchase_weight(event_weights)
    return Profile(
        products=np.array([row[0] for row in rows], np.int64),
        weights=np.sqrt(sums),
        orders=np.array([row[2] for row in rows], np.float64),
        first_age=np.array([row[3] or 0.0 for row in rows], np.float64),
        last_age=np.array([row[4] or 0.0 for row in rows], np.float64),
        all_orders=int(rows[0][5]) if rows else 0,
    )


def purchase_weight(event_weights: Mapping[str, float]) -> float:
    """Return the weight that counts as one purchase."""
    return max(event_weights.get("purchase", 1.0), 1e-9)
