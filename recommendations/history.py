"""A person's raw events as the engine reads them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from recommendations.contracts import Ids, Query, Scores
from recommendations.decay import SECONDS_PER_DAY
from reemio.database.prepared import fetch

# One person's list reads at most this many of their latest events, and this many of their latest purchases.
RECENT_EVENTS = 100
RECENT_PURCHASES = 300
RECOUNT_EVENTS = 2000


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a person with a product that the mirror knows. `fresh`: not folded into the stored taste yet.

    `visit` is the hash of the visit that a purchase belongs to, as `VISIT` says; 0 for all other events.
    """

    product: int
    kind: str
    occurred_at: datetime
    fresh: bool
    user: bool
    visit: int = 0


# The visit of an event: its order, else its session, else the person's day (UTC), as in training.
VISIT = "COALESCE('o:' || order_id, COALESCE(session_id, (occurred_at AT TIME ZONE 'UTC')::date::text))"
# A whole history is read up to this many of its latest events.
PROFILE_EVENTS = 5000
PROFILE = f"""
    WITH mine AS (
        (SELECT product_id, interaction_type, occurred_at, order_id, session_id FROM user_interactions
            WHERE user_id = %(user)s::text AND product_id IS NOT NULL AND occurred_at < %(until)s::timestamptz
            ORDER BY occurred_at DESC LIMIT {PROFILE_EVENTS})
        UNION ALL
        (SELECT product_id, interaction_type, occurred_at, order_id, session_id FROM user_interactions
            WHERE session_id = %(session)s::text AND user_id IS NULL AND product_id IS NOT NULL
            AND occurred_at < %(until)s::timestamptz ORDER BY occurred_at DESC LIMIT {PROFILE_EVENTS})
    ), dated AS (
        SELECT p.id, interaction_type = 'purchase' AS bought,
            greatest(extract(epoch FROM %(now)s::timestamptz - occurred_at), 0) / 86400 AS age,
            greatest(COALESCE(w.weight, 0), 0) AS weight, {VISIT} AS visit
        FROM mine JOIN catalog_product p ON p.product_id = mine.product_id
        LEFT JOIN unnest(%(kinds)s::text[], %(weights)s::float8[]) AS w(kind, weight) ON w.kind = interaction_type
    ), each AS (
        SELECT id, sum(weight * power(2, -age / %(half_life)s::float8))::float8 AS total,
            (count(DISTINCT visit) FILTER (WHERE bought))::float8 AS orders,
            COALESCE(max(age) FILTER (WHERE bought), 0)::float8 AS first,
            COALESCE(min(age) FILTER (WHERE bought), 0)::float8 AS last
        FROM dated GROUP BY id
    )
    SELECT array_agg(id ORDER BY id), array_agg(total ORDER BY id), array_agg(orders ORDER BY id),
        array_agg(first ORDER BY id), array_agg(last ORDER BY id),
        (SELECT count(DISTINCT visit) FROM dated WHERE bought)
    FROM each
"""  # noqa: S608  constants of this module


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


NOTHING = Profile(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), 0)


def profile_of(query: Query, *, now: datetime, event_weights: Mapping[str, float], half_life: float) -> Profile:
    """Return the profile of whoever asks, from their latest 5,000 events. A purchase weighs 1. One query."""
    parameters = {
        "user": query.user_id or None,
        "session": query.session_id or None,
        "until": str(query.as_of or now + timedelta(days=1)),
        "now": str(now),
        "kinds": list(event_weights),
        "weights": list(event_weights.values()),
        "half_life": str(half_life),
    }
    products, totals, orders, first, last, all_orders = fetch(PROFILE, parameters)[0]
    if products is None:
        return NOTHING
    return Profile(products, np.sqrt(totals / purchase_weight(event_weights)), orders, first, last, all_orders)


def profile_from(
    events: Sequence[Event], *, now: datetime, event_weights: Mapping[str, float], half_life: float
) -> Profile:
    """Return the same profile from events that are all of a person's. No query."""
    totals: dict[int, float] = defaultdict(float)
    bought: dict[int, set[int]] = defaultdict(set)
    ages: dict[int, list[float]] = defaultdict(list)
    for event in events:
        age = max((now - event.occurred_at).total_seconds(), 0.0) / SECONDS_PER_DAY
        totals[event.product] += max(event_weights.get(event.kind, 0.0), 0.0) * 2.0 ** (-age / half_life)
        if event.kind == "purchase":
            bought[event.product].add(event.visit)
            ages[event.product].append(age)
    products = sorted(totals)
    return Profile(
        products=np.array(products, np.int64),
        weights=np.sqrt(np.array([totals[product] for product in products]) / purchase_weight(event_weights)),
        orders=np.array([float(len(bought.get(product, ()))) for product in products]),
        first_age=np.array([max(ages.get(product, (0.0,))) for product in products]),
        last_age=np.array([min(ages.get(product, (0.0,))) for product in products]),
        all_orders=len(set().union(*bought.values())),
    )


def purchase_weight(event_weights: Mapping[str, float]) -> float:
    """Return the weight that counts as one purchase."""
    return max(event_weights.get("purchase", 1.0), 1e-9)
