"""Reads about one person, across the tables of this app and the catalogue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from interactions.models import InboxEvent, Interaction, MergedSession
from interactions.weights import DECAY_DAYS

TOP_CATEGORIES = 5

# A category's path begins with its department, which is what a person is told about.
_LEARNED = """
WITH weights AS (SELECT * FROM unnest(%(types)s::text[], %(weights)s::float8[]) AS weight (interaction_type, weight)),
liked AS (
    SELECT product.category, product.price, product.currency,
        weight * exp(-extract(epoch FROM %(now)s - occurred_at)::float8 / 86400 / %(days)s) AS interest
    FROM user_interactions AS event
    JOIN weights USING (interaction_type)
    JOIN catalog_product AS product ON product.product_id = event.product_id
    WHERE event.user_id = %(user)s
), departments AS (
    SELECT split_part(category, ' > ', 1) AS category, sum(interest) AS interest
    FROM liked WHERE category <> '' GROUP BY 1 HAVING sum(interest) > 0
), top AS (
    SELECT category, interest / sum(interest) OVER () AS share FROM departments
    ORDER BY share DESC, category LIMIT %(limit)s
)
SELECT
    (
        SELECT json_agg(
            json_build_object('category', category, 'share', round(share::numeric, 4)) ORDER BY share DESC, category
        ) FROM top
    ),
    min(price) FILTER (WHERE interest > 0), max(price) FILTER (WHERE interest > 0),
    mode() WITHIN GROUP (ORDER BY currency) FILTER (WHERE interest > 0 AND price IS NOT NULL)
FROM liked
"""


@dataclass(frozen=True, slots=True)
class Activity:
    """How often a person did what (by type), and when they did the last of it."""

    counts: dict[str, int]
    last_active_at: datetime | None


@dataclass(frozen=True, slots=True)
class Learned:
    """What a person's events say: departments with their share (0..1, of all), and the prices they look at."""

    top_categories: list[dict[str, Any]]
    lowest_price: Decimal | None
    highest_price: Decimal | None
    currency: str


def activity_of(user_id: str) -> Activity:
    """Return what the person did; empty where nobody is known by that id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT interaction_type, count(*), max(occurred_at) FROM user_interactions WHERE user_id = %s "
            "GROUP BY interaction_type ORDER BY interaction_type",
            [user_id],
        )
        rows = cursor.fetchall()
    return Activity({kind: count for kind, count, _ in rows}, max((last for _, _, last in rows), default=None))


def learned_of(user_id: str, *, weights: Mapping[str, float | None], now: datetime) -> Learned:
    """Return what the person's events say at `now`; an event counts weight × exp(−days / 30)."""
    counted = {kind: weight for kind, weight in weights.items() if weight is not None}
    names: dict[str, Any] = {
        "types": [str(kind) for kind in counted],
        "weights": list(counted.values()),
        "now": now,
        "days": DECAY_DAYS,
        "user": user_id,
        "limit": TOP_CATEGORIES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LEARNED, names)
        top, lowest, highest, currency = cursor.fetchone()
    return Learned(top or [], lowest, highest, currency or "")


def history_of(user_id: str) -> Iterable[Interaction]:
    """Return all that is stored of the person's events, oldest first."""
    return Interaction.objects.filter(user_id=user_id).order_by("occurred_at", "pk").iterator()


def sessions_of(user_id: str) -> list[MergedSession]:
    """Return the sessions that were merged into the user."""
    return list(MergedSession.objects.filter(user_id=user_id).order_by("merged_at", "pk"))


def inbox_of(user_id: str) -> list[InboxEvent]:
    """Return the rows of `public.events` that name the user."""
    named = "coalesce(payload ->> 'user_id', payload ->> 'userId') = %s"
    return list(InboxEvent.objects.extra(where=[named], params=[user_id]).order_by("pk"))  # noqa: S610  no input in it
