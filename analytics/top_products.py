"""The products most viewed, recommended and purchased in a period, as the API tells them; with the people behind them.

Counts are read from roll-ups. People cannot be added up over days: they are counted from the raw events, of the listed
products only.
"""

from typing import Any

from django.db import connection

from analytics.periods import Period
from analytics.products import ranked

_PEOPLE = """
SELECT product_id, count(DISTINCT coalesce('u' || user_id, 's' || session_id)) FROM user_interactions
WHERE product_id = ANY(%s) AND interaction_type = %s AND occurred_at >= %s AND occurred_at < %s GROUP BY product_id
"""


def top_viewed(*, period: Period, limit: int, category: str = "") -> list[dict[str, Any]]:
    """Return the `limit` products with the most views, best first, each with its rank. Two queries."""
    return _with_people(_listed(period, "views", ("views",), limit, category), "view", period)


def top_recommended(*, period: Period, limit: int, category: str = "") -> list[dict[str, Any]]:
    """Return the `limit` products that were served most often, best first, each with its rank. One query."""
    found = ranked(period, by="recommended", limit=limit, category=category)
    return [
        {
            "rank": one.rank,
            "product_id": one.product_id,
            "title": one.title,
            "category": one.category,
            "recommendations": one.recommended,
            "impressions": one.impressions,
            "clicks": one.clicks,
            "click_through_rate": None if (rate := one.click_through_rate.value) is None else round(rate, 4),
        }
        for one in found
    ]


def top_purchased(*, period: Period, limit: int, category: str = "") -> list[dict[str, Any]]:
    """Return the `limit` products with the most purchases, best first, each with its rank. Two queries."""
    names = ("purchases", "units", "revenue", "currency")
    return _with_people(_listed(period, "purchases", names, limit, category), "purchase", period)


def _listed(period: Period, by: str, names: tuple[str, ...], limit: int, category: str) -> list[dict[str, Any]]:
    listed = ("rank", "product_id", "title", "category", *names)
    found = ranked(period, by=by, limit=limit, category=category)
    return [{name: getattr(one, name) for name in listed} for one in found]


def _with_people(items: list[dict[str, Any]], kind: str, period: Period) -> list[dict[str, Any]]:
    if not items:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, [[item["product_id"] for item in items], kind, *period.bounds()])
        people = dict(cursor.fetchall())
    return [{**item, "unique_users": people.get(item["product_id"], 0)} for item in items]
