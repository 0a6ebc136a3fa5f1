"""Carts, as the events tell them: what is in a person's cart, since when, and what happened since.

A product is in the cart where the last of its cart and purchase events is a `cart_add`. An episode is named by the
person's last `cart_add`: a new one begins with the next. A purchase counts as made since when it happened after that
add, or arrived after it and happened less than a day before it: clocks of browsers and servers differ, and nobody who
bought shall be reminded.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

# `%(user)s`-like names are replaced by the caller: {user} is an SQL expression, not input.
LINES = """
SELECT * FROM (
    SELECT DISTINCT ON (product_id) id, product_id, interaction_type, occurred_at, received_at, quantity, unit_price
    FROM user_interactions
    WHERE user_id = {user} AND interaction_type IN ('cart_add', 'cart_remove', 'purchase')
        AND occurred_at > %(cart_since)s
    ORDER BY product_id, occurred_at DESC, id DESC
) AS last WHERE interaction_type = 'cart_add'
"""
BOUGHT_SINCE = """
EXISTS (
    SELECT FROM user_interactions bought
    WHERE bought.user_id = {user} AND bought.interaction_type = 'purchase'
        AND bought.occurred_at > {added_at} - interval '1 day'
        AND (bought.occurred_at >= {added_at} OR bought.received_at >= {added_received_at})
)
"""


@dataclass(frozen=True, slots=True)
class CartLine:
    """One product in a cart, with the price it had when it was put there, where the event says."""

    product_id: str
    quantity: int
    unit_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Cart:
    """A person's cart: its lines, the latest first; its episode; when the person was last active; and purchases."""

    lines: tuple[CartLine, ...]
    episode: int | None
    last_activity: datetime | None
    bought_since: bool


_OPEN = f"""
WITH lines AS ({LINES.format(user="%(user)s")})
SELECT id, product_id, occurred_at, received_at, coalesce(quantity, 1), unit_price FROM lines
ORDER BY occurred_at DESC, id DESC
"""  # noqa: S608  constants of this module
_LAST_ACTIVITY = "SELECT max(occurred_at) FROM user_interactions WHERE user_id = %(user)s"
_BOUGHT = "SELECT " + BOUGHT_SINCE.format(
    user="%(user)s", added_at="%(added_at)s::timestamptz", added_received_at="%(added_received_at)s::timestamptz"
)


def cart_of(user_id: str, *, now: datetime, days: int, since: datetime | None = None) -> Cart:
    """Return the cart of a person at `now`; what was put there over `days` ago is forgotten.

    With `since`, purchases are looked for from that moment on, even where the cart is empty by now.
    """
    names: dict[str, Any] = {"user": user_id, "cart_since": now - timedelta(days=days)}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, names)
        rows = cursor.fetchall()
        cursor.execute(_LAST_ACTIVITY, names)
        last_activity = cursor.fetchone()[0]
        latest = rows[0] if rows else None
        added = since or (latest and latest[2])
        bought = False
        if added:
            received = latest[3] if latest and not since else added
            cursor.execute(_BOUGHT, names | {"added_at": added, "added_received_at": received})
            bought = cursor.fetchone()[0]
    lines = tuple(CartLine(row[1], row[4], row[5]) for row in rows)
    return Cart(lines, latest[0] if latest else None, last_activity, bought)
