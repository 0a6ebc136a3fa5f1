"""The products most viewed, recommended and purchased in a period. Each answer is one query.

Events of products that the mirror does not know wait until it does; inactive products keep their history.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from analytics.periods import Period
from catalog.models import CATEGORY_SEPARATOR

PEOPLE = "count(DISTINCT coalesce('u' || i.user_id, 's' || i.session_id))"
# `%%` is psycopg's one percent sign.
IN_CATEGORY = """(%(category)s = '' OR p.category = %(category)s OR p.category LIKE %(below)s)"""

TOP_VIEWED = f"""
SELECT p.product_id, p.title, p.category, count(*) AS views, {PEOPLE} AS unique_users
FROM user_interactions i JOIN catalog_product p ON p.product_id = i.product_id
WHERE i.interaction_type = 'view' AND i.occurred_at >= %(begin)s AND i.occurred_at < %(end)s AND {IN_CATEGORY}
GROUP BY p.id ORDER BY views DESC, p.product_id COLLATE "C" LIMIT %(limit)s
"""  # noqa: S608  made of our own constants

TOP_RECOMMENDED = f"""
WITH top AS (
    SELECT p.product_id, p.title, p.category, count(*) AS recommendations
    FROM served_lists s CROSS JOIN LATERAL unnest(s.products) AS shown(product_id)
    JOIN catalog_product p ON p.product_id = shown.product_id
    WHERE s.served_at >= %(begin)s AND s.served_at < %(end)s AND {IN_CATEGORY}
    GROUP BY p.id ORDER BY recommendations DESC, p.product_id COLLATE "C" LIMIT %(limit)s
), answered AS (
    SELECT i.product_id,
        count(DISTINCT i.recommendation_request_id) FILTER (WHERE i.interaction_type = 'recommendation_view')
            AS impressions,
        count(DISTINCT i.recommendation_request_id) FILTER (WHERE i.interaction_type = 'recommendation_click')
            AS clicks
    FROM user_interactions i
    WHERE i.interaction_type IN ('recommendation_view', 'recommendation_click')
    AND i.occurred_at >= %(begin)s AND i.occurred_at < %(end)s
    AND i.product_id IN (SELECT product_id FROM top)
    GROUP BY i.product_id
)
SELECT top.*, coalesce(impressions, 0) AS impressions, coalesce(clicks, 0) AS clicks,
    round(clicks::numeric / nullif(impressions, 0), 4)::float AS click_through_rate
FROM top LEFT JOIN answered USING (product_id) ORDER BY recommendations DESC, product_id COLLATE "C"
"""  # noqa: S608  made of our own constants

TOP_PURCHASED = f"""
WITH lines AS (
    SELECT p.id, i.user_id, i.session_id, coalesce(i.quantity, 1) AS units,
        coalesce(i.quantity, 1) * coalesce(i.unit_price, p.price, 0) AS amount,
        coalesce(nullif(i.currency, ''), nullif(p.currency, ''), %(currency)s) AS currency
    FROM user_interactions i JOIN catalog_product p ON p.product_id = i.product_id
    WHERE i.interaction_type = 'purchase' AND i.occurred_at >= %(begin)s AND i.occurred_at < %(end)s AND {IN_CATEGORY}
), top AS (
    SELECT p.id, p.product_id, p.title, p.category, count(*) AS purchases, sum(i.units) AS units,
        {PEOPLE} AS unique_users
    FROM lines i JOIN catalog_product p USING (id)
    GROUP BY p.id ORDER BY purchases DESC, p.product_id COLLATE "C" LIMIT %(limit)s
), earned AS (
    SELECT DISTINCT ON (id) id, sum(amount) AS revenue, currency
    FROM lines WHERE id IN (SELECT id FROM top) GROUP BY id, currency ORDER BY id, sum(amount) DESC, currency
)
SELECT product_id, title, category, purchases, units::bigint AS units, round(revenue, 2) AS revenue, currency,
    unique_users
FROM top JOIN earned USING (id) ORDER BY purchases DESC, product_id COLLATE "C"
"""  # noqa: S608  made of our own constants


def top_viewed(*, period: Period, limit: int, category: str = "") -> list[dict[str, Any]]:
    """Return the `limit` products with the most views, best first, each with its rank."""
    return _ranked(TOP_VIEWED, period, limit, category)


def top_recommended(*, period: Period, limit: int, category: str = "") -> list[dict[str, Any]]:
    """Return the `limit` products that were served most often, best first, each with its rank."""
    return _ranked(TOP_RECOMMENDED, period, limit, category)


def top_purchased(*, period: Period, limit: int, category: str = "") -> list[dict[str, Any]]:
    """Return the `limit` products with the most purchases, best first, each with its rank."""
    return _ranked(TOP_PURCHASED, period, limit, category)


def _ranked(query: str, period: Period, limit: int, category: str) -> list[dict[str, Any]]:
    begin, end = period.bounds()
    parameters: dict[str, datetime | int | str] = {
        "begin": begin,
        "end": end,
        "limit": limit,
        "category": category,
        "below": _literally(f"{category}{CATEGORY_SEPARATOR}") + "%",
        "currency": settings.REEMIO_DEFAULT_CURRENCY,
    }
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        names: Sequence[str] = [column.name for column in cursor.description]
        return [{"rank": rank, **dict(zip(names, row, strict=True))} for rank, row in enumerate(cursor, start=1)]


def _literally(text: str) -> str:
    """Return `text` for a LIKE that shall match nothing but it."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
