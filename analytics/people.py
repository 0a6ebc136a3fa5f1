"""One person's past, for the page about them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.models import Conversion
from reemio.database.reading import reading_connection

# Each branch reads one index, newest first: this user's events, or those of a session that are nobody's yet.
TIMELINE = """
    SELECT i.occurred_at, i.interaction_type, coalesce(i.product_id, ''), coalesce(p.title, ''), i.search_query,
        i.quantity, i.unit_price, i.currency, i.recommendation_context, i.recommendation_position
    FROM user_interactions i LEFT JOIN catalog_product p ON p.product_id = i.product_id
    WHERE {subject} ORDER BY i.occurred_at DESC LIMIT %(limit)s
"""
BY_USER, BY_SESSION = "i.user_id = %(subject)s", "i.session_id = %(subject)s AND i.user_id IS NULL"
# The newest events name whom to look at first: a few hundred rows, wherever the table ends.
LATEST = """
    SELECT recent.user_id, coalesce(s.name, ''), max(recent.occurred_at), count(*)
    FROM (SELECT user_id, occurred_at FROM user_interactions ORDER BY id DESC LIMIT 5000) AS recent
    LEFT JOIN interactions_shopper s ON s.user_id = recent.user_id
    WHERE recent.user_id IS NOT NULL GROUP BY recent.user_id, s.name ORDER BY 3 DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One event of a person. `detail` says what else it tells, in words."""

    occurred_at: datetime
    kind: str
    product_id: str
    title: str
    detail: str


def timeline_of(user: str, session: str, *, limit: int | None) -> Iterator[Timeline]:
    """Yield the latest events of a user, or of a session, newest first. One query."""
    statement = TIMELINE.format(subject=BY_USER if user else BY_SESSION)
    with reading_connection().cursor() as cursor:
        cursor.execute(statement, {"subject": user or session, "limit": limit})
        for occurred_at, kind, product_id, title, *rest in cursor.fetchall():
            yield Timeline(occurred_at, kind, product_id, title, _detail(*rest))


def _detail(query: str, quantity: int | None, price: Any, currency: str, context: str, position: int | None) -> str:
    parts = [f"“{query}”" if query else "", f"{quantity} ×" if quantity else "", f"{price} {currency}" if price else ""]
    said = " ".join(part for part in parts if part)
    shown = f"place {position}, {context.replace('_', ' ')}" if position else ""
    return "; ".join(part for part in (said, shown) if part)


def latest_shoppers(*, limit: int) -> list[dict[str, Any]]:
    """Return the users who did something last. One query."""
    with reading_connection().cursor() as cursor:
        cursor.execute(LATEST, [limit])
        names = ("user_id", "name", "last_active_at", "events")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def conversions_of(user: str, *, limit: int | None) -> list[dict[str, Any]]:
    """Return the order lines of a user that recommendations are credited with, newest first. Two queries."""
    rows = Conversion.objects.filter(purchase__user_id=user).order_by("-purchased_at")[:limit]
    found = list(rows.values("purchased_at", "kind", "product_id", "revenue", "currency"))
    with reading_connection().cursor() as cursor:
        ids = [row["product_id"] for row in found]
        cursor.execute("SELECT product_id, title FROM catalog_product WHERE product_id = ANY(%s)", [ids])
        titles = dict(cursor.fetchall())
    return [row | {"title": titles.get(row["product_id"], "")} for row in found]
