"""Carts, as the events tell them: what is in a person's cart, since when, and what happened since.

A product is in the cart where the last of its cart and purchase events is a `cart_add`. An episode is named by the
person's last `cart_add`: a new one begins with the next. A purchase counts as made since when it happened after that
add, or arrived after it and happened less than a day before it: clocks of browsers and servers differ, and nobody who
bought shall be reminded.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from reemio.database.prepared import fetch

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


_CART = f"""
WITH lines AS MATERIALIZED ({LINES.format(user="%(user)s::text")}),
added AS (
    SELECT COALESCE(%(since)s::timestamptz, latest.occurred_at) AS at,
        COALESCE(%(since)s::timestamptz, latest.received_at) AS received_at
    FROM (VALUES (1)) AS once
    LEFT JOIN (SELECT * FROM lines ORDER BY occurred_at DESC, id DESC LIMIT 1) AS latest ON true
), person AS MATERIALIZED (
    SELECT (SELECT max(occurred_at) FROM user_interactions WHERE user_id = %(user)s::text) AS last_activity,
        {BOUGHT_SINCE.format(user="%(user)s::text", added_at="added.at", added_received_at="added.received_at")}
            AS bought_since
    FROM added
)
SELECT person.*, lines.id, lines.product_id, COALESCE(lines.quantity, 1), lines.unit_price
FROM person LEFT JOIN lines ON true ORDER BY lines.occurred_at DESC, lines.id DESC
"""  # noqa: S608  constants of this module


def cart_of(user_id: str, *, now: datetime, days: int, since: datetime | None = None) -> Cart:
    """Return the cart of a person at `now`; what was put there over `days` ago is forgotten.

    With `since`, purchases are looked for from that moment on, even where the cart is empty by now.
    """
    rows = fetch(_CART, {"user": user_id, "cart_since": now - timedelta(days=days), "since": since})
    last_activity, bought_since, episode = rows[0][:3]
    lines = tuple(CartLine(*row[3:]) for row in rows if row[2] is not None)
    return Cart(lines, episode, last_activity, bought_since)
