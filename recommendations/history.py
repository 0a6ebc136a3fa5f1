"""A person's raw events as the engine reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import connection

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
