"""The questions of an evaluation: what was known at the moment, and what the shopper wanted next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection

from recommendations.contracts import Placement, Query
from recommendations.evaluation.split import Split
from recommendations.filtering import AVAILABLE
from recommendations.shelf import shelf


class Task(StrEnum):
    """What is evaluated; the homepage twice, with and without what the shopper had before."""

    HOMEPAGE_ALL = "homepage_all"
    HOMEPAGE_NEW = "homepage_new"
    CART = "cart"
    PRODUCT = "product"
    BOUGHT_TOGETHER = "bought_together"

    @property
    def placement(self) -> Placement:
        """Return whose lists it measures."""
        return Placement(self.value.removesuffix("_all").removesuffix("_new"))


@dataclass(frozen=True, slots=True)
class Case:
    """One question, and the products (our ids) that would have been the right answers.

    `barred` are those that no list for it may hold: what the question names, and what does not count as new.
    """

    query: Query
    targets: frozenset[int]
    barred: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of a task that were drawn, out of how many, and in words what is asked."""

    task: Task
    asked: str
    drawn: tuple[Case, ...]
    available: int


# Lines belong together by their order; without one, by their session; without that, by person and day (UTC).
BASKET = """
    COALESCE('o:' || i.order_id, COALESCE('u:' || i.user_id, 's:' || i.session_id) || '/' ||
        COALESCE(i.session_id, to_char(i.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')))
"""
HELD = f"""
    held AS (
        SELECT i.user_id, {BASKET} AS basket, i.occurred_at, i.id, p.id AS product, p.product_id, {AVAILABLE} AS wanted
        FROM user_interactions i JOIN catalog_product p ON p.product_id = i.product_id
        WHERE i.interaction_type = %(deed)s AND i.occurred_at >= %(as_of)s
            AND i.occurred_at < COALESCE(%(until)s::timestamptz, now() + interval '1 day')
    )
"""  # noqa: S608  constants of this module
# Each known shopper's first basket after the moment, if they did anything with a product before it.
NEXT = f"""
    WITH {HELD}, baskets AS (
        SELECT user_id, basket, min(occurred_at) AS began FROM held WHERE user_id IS NOT NULL GROUP BY user_id, basket
    ), firsts AS (
        SELECT DISTINCT ON (user_id) user_id, basket FROM baskets
        WHERE EXISTS (
            SELECT 1 FROM user_interactions b
            WHERE b.user_id = baskets.user_id AND b.product_id IS NOT NULL AND b.occurred_at < %(as_of)s
        )
        ORDER BY user_id, began, basket
    ), before AS (
        SELECT i.user_id, p.id AS product, {BASKET} AS basket, max(i.occurred_at) AS latest
        FROM firsts JOIN user_interactions i USING (user_id) JOIN catalog_product p ON p.product_id = i.product_id
        WHERE i.interaction_type = %(deed)s AND i.occurred_at < %(as_of)s GROUP BY 1, 2, 3
    )
"""  # noqa: S608  constants of this module
DRAWN = "count(*) OVER () AS available"
CHOSEN = "ORDER BY hashtextextended({key}, %(seed)s), {key} LIMIT %(most)s"

HOMEPAGE = f"""
    {NEXT}, had AS (SELECT user_id, array_agg(DISTINCT product) AS products FROM before GROUP BY user_id)
    SELECT f.user_id, array_agg(DISTINCT h.product), COALESCE(had.products, '{{}}'), {DRAWN}
    FROM firsts f JOIN held h USING (user_id, basket) LEFT JOIN had USING (user_id)
    WHERE h.wanted AND (NOT %(new)s OR h.product <> ALL(COALESCE(had.products, '{{}}')))
    GROUP BY f.user_id, had.products {CHOSEN.format(key="f.user_id")}
"""  # noqa: S608  constants of this module
# One product of the shopper's last basket before the moment, and all of their first one after it.
BOUGHT_NEXT = f"""
    {NEXT}, lasts AS (
        SELECT DISTINCT ON (user_id) user_id, basket FROM before ORDER BY user_id, latest DESC, basket
    ), anchors AS (
        SELECT DISTINCT ON (user_id) user_id, product FROM before JOIN lasts USING (user_id, basket)
        ORDER BY user_id, hashtextextended(user_id || '/' || product, %(seed)s)
    )
    SELECT a.product, array_agg(DISTINCT h.product), {DRAWN}
    FROM anchors a JOIN firsts f USING (user_id) JOIN held h USING (user_id, basket)
    WHERE h.wanted AND h.product <> a.product
    GROUP BY a.user_id, a.product {CHOSEN.format(key="a.user_id")}
"""  # noqa: S608  constants of this module
VIEWED_NEXT = f"""
    WITH {HELD}, steps AS (
        SELECT basket, product, wanted, id, lead(product) OVER visit AS next, lead(wanted) OVER visit AS next_wanted
        FROM held WINDOW visit AS (PARTITION BY basket ORDER BY occurred_at, id)
    ), pairs AS (
        SELECT DISTINCT ON (basket) basket, product, next FROM steps WHERE next <> product AND next_wanted
        ORDER BY basket, hashtextextended(basket || '/' || product || '/' || next, %(seed)s), id
    )
    SELECT product, ARRAY[next], {DRAWN} FROM pairs {CHOSEN.format(key="basket")}
"""  # noqa: S608  constants of this module
# The products of each order of two or more, what can be shown first, otherwise in an order that the seed decides.
ORDERS = f"""
    WITH {HELD}, lines AS (SELECT DISTINCT basket, product, product_id, wanted FROM held)
    SELECT array_agg(product ORDER BY wanted DESC, hashtextextended(product_id || '/' || basket, %(seed)s), product),
        {DRAWN}
    FROM lines GROUP BY basket HAVING count(*) >= 2 AND bool_or(wanted) {CHOSEN.format(key="basket")}
"""  # noqa: S608  constants of this module


def cases_of(task: Task, split: Split, *, most: int | None, seed: int) -> Cases:
    """Return the cases of a task, at most `most` of them, chosen and made by `seed`. One or two queries.

    Products that the mirror does not know, or that may not be shown today, are nobody's target.
    """
    parameters = {"as_of": split.as_of, "until": split.until, "deed": split.deed, "most": most, "seed": seed}
    if task.placement is Placement.HOMEPAGE:
        return _homepage(task, split, parameters)
    if task is Task.PRODUCT:
        return _product(split, parameters)
    asked = "One product of an order; one other of the same order wanted."
    if task is Task.CART:
        asked = "An order with one product hidden; the hidden one wanted."
    if split.deed != "purchase":
        return Cases(task, asked, (), 0)
    rows = _rows(ORDERS, parameters)
    drawn = tuple(_order_case(task, products, split.as_of) for products, _ in rows)
    return Cases(task, asked, drawn, _available(rows))


def _homepage(task: Task, split: Split, parameters: dict[str, Any]) -> Cases:
    new = task is Task.HOMEPAGE_NEW
    rows = _rows(HOMEPAGE, parameters | {"new": new})
    basket = "order" if split.deed == "purchase" else "visit"
    asked = f"The products of a known shopper's next {basket}"
    asked += ", only those they never had before." if new else ", those they had before included."
    drawn = tuple(
        Case(
            Query(
                Placement.HOMEPAGE,
                limit=0,
                user_id=user_id,
                exclude=_shop_ids(had) if new else frozenset(),
                as_of=split.as_of,
                include_purchased=not new,
            ),
            frozenset(targets),
            frozenset(had) if new else frozenset(),
        )
        for user_id, targets, had, _ in rows
    )
    return Cases(task, asked, drawn, _available(rows))


def _product(split: Split, parameters: dict[str, Any]) -> Cases:
    asked, rows = "The product viewed next in the same visit.", _rows(VIEWED_NEXT, parameters | {"deed": "view"})
    if not rows:
        asked, rows = "What the same shopper bought in their next order.", _rows(BOUGHT_NEXT, parameters)
    drawn = tuple(_anchored(Task.PRODUCT, [anchor], targets, split.as_of) for anchor, targets, _ in rows)
    return Cases(Task.PRODUCT, asked, drawn, _available(rows))


def _order_case(task: Task, products: Sequence[int], as_of: datetime) -> Case:
    given = products[1:] if task is Task.CART else products[1:2]
    return _anchored(task, given, products[:1], as_of)


def _anchored(task: Task, anchors: Sequence[int], targets: Iterable[int], as_of: datetime) -> Case:
    names = tuple(shelf.facts(anchor).product_id for anchor in anchors)
    return Case(Query(task.placement, limit=0, anchors=names, as_of=as_of), frozenset(targets), frozenset(anchors))


def _shop_ids(products: Iterable[int]) -> frozenset[str]:
    return frozenset(shelf.facts(product).product_id for product in products)


def _available(rows: Sequence[Sequence[Any]]) -> int:
    return int(rows[0][-1]) if rows else 0


def _rows(statement: str, parameters: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
