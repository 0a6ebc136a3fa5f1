"""What a cross-encoder learns from: after this product, these were chosen, and those were shown and were not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from recommendations.reranking.texts import Relation

# The latest events are read up to these many, so that a large shop's training stays within memory.
MOST_EVENTS = 2_000_000
MOST_SHOWN = 1_000_000
# Orders beyond this size belong to resellers, and say little.
LARGEST_ORDER = 30

# What a visit turned to after a product: looked at, clicked, put into the cart, bought. A repeat on the product itself
# (viewed, then carted) is no turn.
NEXT = """
    WITH latest AS (
        SELECT COALESCE(i.session_id, i.user_id || '/' || (i.occurred_at AT TIME ZONE 'UTC')::date::text) AS visit,
            p.id AS product, i.occurred_at, i.id
        FROM user_interactions i JOIN catalog_product p ON p.product_id = i.product_id
        WHERE i.interaction_type IN ('view', 'recommendation_click', 'cart_add', 'wishlist_add', 'purchase')
            AND i.occurred_at < %(as_of)s
        ORDER BY i.occurred_at DESC LIMIT %(most)s
    ), turns AS (
        SELECT product, lead(product) OVER (PARTITION BY visit ORDER BY occurred_at, id) AS chosen FROM latest
    )
    SELECT product, chosen, count(*) FROM turns WHERE chosen <> product GROUP BY product, chosen
"""
TOGETHER = """
    WITH latest AS (
        SELECT i.order_id, p.id AS product
        FROM user_interactions i JOIN catalog_product p ON p.product_id = i.product_id
        WHERE i.interaction_type = 'purchase' AND i.order_id IS NOT NULL AND i.occurred_at < %(as_of)s
        ORDER BY i.occurred_at DESC LIMIT %(most)s
    ), lines AS (SELECT DISTINCT order_id, product FROM latest),
    sized AS (SELECT order_id FROM lines GROUP BY order_id HAVING count(*) BETWEEN 2 AND %(largest)s)
    SELECT a.product, b.product, count(*)
    FROM sized JOIN lines a USING (order_id) JOIN lines b USING (order_id) WHERE a.product <> b.product
    GROUP BY a.product, b.product
"""
# Seen beside a product, and not clicked in that list.
PASSED_OVER = """
    WITH seen AS (
        SELECT recommendation_request_id AS request_id, product_id FROM user_interactions
        WHERE interaction_type = 'recommendation_view' AND recommendation_context = %(context)s
            AND occurred_at < %(as_of)s ORDER BY occurred_at DESC LIMIT %(most)s
    ), clicked AS (
        SELECT recommendation_request_id AS request_id, product_id FROM user_interactions
        WHERE interaction_type = 'recommendation_click' AND occurred_at < %(as_of)s
    )
    SELECT a.id, p.id, count(*)
    FROM (SELECT * FROM seen EXCEPT SELECT * FROM clicked) passed
    JOIN served_lists s USING (request_id)
    JOIN catalog_product a ON a.product_id = ANY(s.anchors)
    JOIN catalog_product p ON p.product_id = passed.product_id
    WHERE a.id <> p.id GROUP BY a.id, p.id
"""
CONTEXTS = {Relation.NEXT: "product_page", Relation.TOGETHER: "cart"}


@dataclass(frozen=True, slots=True)
class Group:
    """One product of the context under one relation: how often each product was chosen after it, and passed over."""

    relation: Relation
    product: int
    chosen: Mapping[int, int]
    passed_over: Sequence[int] = field(default=())

    @property
    def choices(self) -> int:
        """Return how many choices stand behind the group."""
        return sum(self.chosen.values())


def groups_before(as_of: datetime) -> list[Group]:
    """Return everything that was chosen before `as_of`, by relation and product, in a fixed order. Four queries."""
    parameters = {"as_of": as_of, "most": MOST_EVENTS, "largest": LARGEST_ORDER}
    found = []
    for relation, statement in ((Relation.NEXT, NEXT), (Relation.TOGETHER, TOGETHER)):
        chosen = _by_product(_rows(statement, parameters))
        shown = {"as_of": as_of, "most": MOST_SHOWN, "context": CONTEXTS[relation]}
        passed = _by_product(_rows(PASSED_OVER, shown))
        for product in sorted(chosen):
            over = sorted(passed.get(product, {}).keys() - chosen[product].keys())
            found.append(Group(relation, product, chosen[product], over))
    return found


def _by_product(rows: Iterable[tuple[int, int, int]]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for product, other, count in sorted(rows):
        found[product][other] = count
    return found


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
