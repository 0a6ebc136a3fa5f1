"""Which pairs of products persons and orders came to have by fresh events: counted once, when the events are folded."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Work is bounded: a product is paired with a person's latest others, and looked for in so many of their latest events.
LATEST_PRODUCTS = 20
LATEST_EVENTS = 300
PRODUCTS_OF_AN_ORDER = 50
# A product's list shows 50 others: of the pairs that came since a training, it keeps the best four times as many.
MOST_PAIRS = 200
FOLDINGS_BETWEEN_PRUNINGS = 20
# Under this number instead of a product's stands the count of all orders.
ALL = 0

# Events that wait to be folded are not seen; those that were just taken out of the queue are.
HISTORIES = f"""
    SELECT asked.subject, latest.id, p.id, CASE WHEN latest.interaction_type = 'purchase' THEN latest.order_id END
    FROM unnest(%(subjects)s::text[]) AS asked(subject)
    CROSS JOIN LATERAL (
        (SELECT id, product_id, interaction_type, order_id, occurred_at FROM user_interactions
            WHERE left(asked.subject, 1) = 'u' AND user_id = substr(asked.subject, 3)
            ORDER BY occurred_at DESC LIMIT {LATEST_EVENTS})
        UNION ALL
        (SELECT id, product_id, interaction_type, order_id, occurred_at FROM user_interactions
            WHERE left(asked.subject, 1) = 's' AND session_id = substr(asked.subject, 3) AND user_id IS NULL
            ORDER BY occurred_at DESC LIMIT {LATEST_EVENTS})
    ) AS latest
    JOIN catalog_product p ON p.product_id = latest.product_id
    WHERE latest.interaction_type = ANY(%(kinds)s)
        AND NOT EXISTS (SELECT FROM fresh_interactions f WHERE f.interaction_id = latest.id)
    ORDER BY asked.subject, latest.occurred_at DESC, latest.id DESC
"""  # noqa: S608  constants of this module
# The row of the number is locked until the transaction ends: numbers become visible in their order.
NEXT_NUMBER = """
    INSERT INTO recommendations_freshpairsnumber AS n (id, number) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET number = n.number + 1 RETURNING number
"""
ADD = """
    INSERT INTO recommendations_freshpair AS f (product, epoch, other, persons, orders, changed)
    SELECT product, (SELECT COALESCE(max(id), 0) FROM recommendations_modelversion), other, persons, orders, %s
    FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[]) AS t(product, other, persons, orders)
    ORDER BY product, other
    ON CONFLICT (product, epoch, other) DO UPDATE SET
        persons = f.persons + EXCLUDED.persons, orders = f.orders + EXCLUDED.orders, changed = EXCLUDED.changed
"""

# What was seen once, long ago, among hundreds: a list does not miss it. How many had each product is always kept.
PRUNE = """
    DELETE FROM recommendations_freshpair WHERE id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (
                PARTITION BY product, epoch ORDER BY orders DESC, persons DESC, changed DESC, other
            ) AS place
            FROM recommendations_freshpair
            WHERE product <> other
                AND product IN (SELECT product FROM recommendations_freshpair WHERE changed > %s GROUP BY product)
        ) AS ranked WHERE place > %s
    )
"""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Had:
    """One event of a history: its own id, our id of the product, and the order it belongs to, if it is a purchase."""

    event: int
    product: int
    order: str | None


def count_pairs(cursor: Any, subjects: Sequence[str], claimed: Collection[int], kinds: Sequence[str]) -> int:
    """Add the pairs that these persons came to have by the `claimed` events; return how many rows were written.

    For the transaction that claimed them, after it has locked the subjects. `kinds` are those that speak for a product.
    """
    cursor.execute(HISTORIES, {"subjects": list(subjects), "kinds": list(kinds)})
    histories: dict[str, list[Had]] = defaultdict(list)
    for subject, event, product, order in cursor.fetchall():
        histories[subject].append(Had(event, product, order))
    persons: Counter[Pair] = Counter()
    orders: Counter[Pair] = Counter()
    for history in histories.values():
        persons.update(new_pairs(history, claimed, most=LATEST_PRODUCTS))
        for lines in _by_order(history, claimed).values():
            orders.update(new_pairs(lines, claimed, most=PRODUCTS_OF_AN_ORDER))
            orders[ALL, ALL] += all(line.event in claimed for line in lines)
    rows = sorted(pair for pair in persons.keys() | orders.keys() if persons[pair] or orders[pair])
    if not rows:
        return 0
    cursor.execute(NEXT_NUMBER)
    number = cursor.fetchone()[0]
    columns = [[one for one, _ in rows], [other for _, other in rows]]
    cursor.execute(ADD, [number, *columns, [persons[pair] for pair in rows], [orders[pair] for pair in rows]])
    if number % FOLDINGS_BETWEEN_PRUNINGS == 0:
        prune_pairs(cursor, since=number - FOLDINGS_BETWEEN_PRUNINGS)
    return len(rows)


def prune_pairs(cursor: Any, *, since: int) -> int:
    """Keep the best `MOST_PAIRS` pairs of each product that a folding after number `since` has changed, in each epoch.

    So the table holds at most that many rows a product and epoch, and what twenty foldings add. Returns how many went.
    """
    cursor.execute(PRUNE, [since, MOST_PAIRS])
    return int(cursor.rowcount)


def new_pairs(history: Sequence[Had], claimed: Collection[int], *, most: int) -> Iterable[Pair]:
    """Yield every pair that came to be had by the claimed events, both ways round, and each new product with itself.

    `history` is latest first. A new product is paired with the `most` latest others; one that was had before makes no
    new pair. So however events are split into claims, each pair is counted once.
    """
    before = dict.fromkeys(one.product for one in history if one.event not in claimed)
    latest = list(before)
    fresh = dict.fromkeys(one.product for one in reversed(history) if one.product not in before)
    for product in fresh:
        yield product, product
        for other in latest[:most]:
            yield product, other
            yield other, product
        latest.insert(0, product)


def _by_order(history: Sequence[Had], claimed: Collection[int]) -> Mapping[str, list[Had]]:
    """Return the lines of every order that a claimed event belongs to."""
    touched = {one.order for one in history if one.order and one.event in claimed}
    found: dict[str, list[Had]] = defaultdict(list)
    for one in history:
        if one.order in touched:
            found[str(one.order)].append(one)
    return found
