"""Back in stock: a stock that rose from 0 and held, for those who asked, then for those who showed interest.

The catalogue notes each rise and each fall in the transaction that wrote the stock. An episode is the product's latest
rise; where the stock flaps, only a rise that held for ten minutes sets anything off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from campaigns.definitions import Priority
from campaigns.models import Campaign, OutboxMessage, StockAlert
from campaigns.planners.outbox import write_rows
from recommendations.filtering import AVAILABLE

OUTBOX, ALERTS = OutboxMessage._meta.db_table, StockAlert._meta.db_table

HELD = f"""
SELECT latest.id, p.id, p.product_id, p.stock_quantity, latest.restocked_at,
    (SELECT max(s.sold_out_at) FROM catalog_soldout s
        WHERE s.product_id = p.id AND s.sold_out_at <= latest.restocked_at)
FROM (
    SELECT DISTINCT ON (product_id) id, product_id, restocked_at FROM catalog_restock
    WHERE restocked_at > %(oldest)s AND restocked_at <= %(now)s ORDER BY product_id, id DESC
) AS latest JOIN catalog_product p ON p.id = latest.product_id
WHERE latest.restocked_at <= %(held_since)s AND {AVAILABLE}
ORDER BY latest.id
"""  # noqa: S608  constants of this module
NOT_BOUGHT = """
NOT EXISTS (
    SELECT FROM user_interactions b WHERE b.user_id = {user} AND b.product_id = %(shop_id)s
        AND b.interaction_type = 'purchase' AND b.occurred_at >= {since}
)
"""
# Whoever asked comes first, then wishes, then carts; among them whoever came first. One row a person.
SOURCE = f"""
WITH interested AS (
    SELECT a.user_id, a.id AS alert_id, a.address_hash, 'asked' AS interest, a.created_at AS since,
        {Priority.ASKED_STOCK.value} AS priority
    FROM {ALERTS} a
    WHERE a.product_id = %(product)s AND a.used_at IS NULL AND a.created_at <= %(now)s
    UNION ALL
    SELECT i.user_id, NULL, '', CASE i.interaction_type WHEN 'wishlist_add' THEN 'wishlist' ELSE 'viewed' END,
        max(i.occurred_at), {Priority.IMPLIED_STOCK.value}
    FROM user_interactions i JOIN interactions_shopper USING (user_id)
    WHERE i.product_id = %(shop_id)s AND (
        (i.interaction_type = 'wishlist_add' AND i.occurred_at > %(wished_since)s)
        OR (i.interaction_type = 'view' AND %(view_days)s > 0 AND i.occurred_at > %(viewed_since)s)
    ) AND i.occurred_at <= %(now)s
    GROUP BY 1, 4
    UNION ALL
    SELECT cart.user_id, NULL, '', 'cart', cart.occurred_at, {Priority.IMPLIED_STOCK.value}
    FROM (
        SELECT DISTINCT ON (user_id) user_id, interaction_type, occurred_at FROM user_interactions
        WHERE product_id = %(shop_id)s AND interaction_type IN ('cart_add', 'cart_remove', 'purchase')
            AND user_id IS NOT NULL AND occurred_at > %(carted_since)s AND occurred_at <= %(sold_out_at)s
        ORDER BY user_id, occurred_at DESC, id DESC
    ) AS cart JOIN interactions_shopper USING (user_id) WHERE interaction_type = 'cart_add'
), people AS (
    SELECT DISTINCT ON (coalesce(nullif(user_id, ''), address_hash)) *,
        CASE WHEN user_id = '' THEN 'a:' || address_hash ELSE 'u:' || user_id END AS person
    FROM interested WHERE user_id = '' OR {NOT_BOUGHT.format(user="interested.user_id", since="interested.since")}
    ORDER BY coalesce(nullif(user_id, ''), address_hash), priority, interest, since
)
SELECT user_id, alert_id, %(occasion)s AS occasion, %(occasion)s || ':' || person AS key,
    jsonb_build_object('product_id', %(shop_id)s::text, 'restock', %(restock)s, 'interest', interest, 'since', since)
        AS trigger,
    priority, %(now)s::timestamptz AS due_at, %(expires_at)s::timestamptz AS expires_at
FROM people
WHERE NOT EXISTS (SELECT FROM {OUTBOX} m WHERE m.dedupe_key = %(prefix)s || %(occasion)s || ':' || person)
ORDER BY priority, interest = 'cart', since, person
LIMIT %(places)s
"""  # noqa: S608  constants of this module


@dataclass(frozen=True, slots=True)
class Episode:
    """A rise of one product's stock that has held. `sold_out_at`: when it had run out, where that is known."""

    restock: int
    product: int
    shop_id: str
    stock: int | None
    restocked_at: datetime
    sold_out_at: datetime | None

    @property
    def occasion(self) -> str:
        """Return the name of the occasion."""
        return f"{self.restock}:{self.shop_id}"


def plan(campaign: Campaign, now: datetime) -> int:
    """Write the rows of this moment's waves; return how many were new."""
    return sum(_plan_episode(campaign, episode, now) for episode in held_episodes(campaign, now))


def held_episodes(campaign: Campaign, now: datetime) -> Sequence[Episode]:
    """Return the rises that have held long enough, and are not too old."""
    numbers = campaign.numbers
    oldest = now - timedelta(hours=numbers["expires_hours"])
    names = {
        "oldest": max(oldest, campaign.live_since or oldest),
        "held_since": now - timedelta(minutes=numbers["hold_minutes"]),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(HELD, names)
        return [Episode(*row) for row in cursor.fetchall()]


def places(campaign: Campaign, episode: Episode, *, planned: int, now: datetime) -> int | None:
    """Return how many more people may be told by now, or None where the stock is not counted.

    Waves of max(20, 5 × stock), one each half hour: not everybody is sent to the last piece at once.
    """
    numbers = campaign.numbers
    if episode.stock is None:
        return None
    size = max(numbers["wave_least"], numbers["wave_times_stock"] * episode.stock)
    first = episode.restocked_at + timedelta(minutes=numbers["hold_minutes"])
    waves = 1 + int((now - first) / timedelta(minutes=numbers["wave_minutes"]))
    return max(0, size * waves - planned)


def _plan_episode(campaign: Campaign, episode: Episode, now: datetime) -> int:
    numbers = campaign.numbers
    dry_run = campaign.mode == Campaign.Mode.DRY_RUN
    planned = OutboxMessage.objects.filter(campaign=campaign, occasion=episode.occasion, dry_run=dry_run).count()
    free = places(campaign, episode, planned=planned, now=now)
    if free == 0:
        return 0
    names: dict[str, Any] = {
        "product": episode.product,
        "shop_id": episode.shop_id,
        "restock": episode.restock,
        "occasion": episode.occasion,
        "sold_out_at": episode.sold_out_at or episode.restocked_at,
        "wished_since": now - timedelta(days=numbers["wishlist_days"]),
        "view_days": numbers["view_days"],
        "viewed_since": now - timedelta(days=numbers["view_days"]),
        "carted_since": episode.restocked_at - timedelta(days=30),
        "expires_at": episode.restocked_at + timedelta(hours=numbers["expires_hours"]),
        "places": free,
        "now": now,
    }
    return write_rows(campaign, SOURCE, names, now=now)
