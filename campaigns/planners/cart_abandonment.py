"""Abandoned carts: a cart that is not empty, of a known person who has not been seen for two hours."""

from datetime import datetime, timedelta

from campaigns.carts import BOUGHT_SINCE, LINES
from campaigns.definitions import Priority
from campaigns.models import Campaign
from campaigns.planners.outbox import write_rows
from interactions.models import InteractionType

# Whoever did anything in the window, and nothing after it: read off the index of kinds and times.
SOURCE = f"""
SELECT active.user_id, NULL AS alert_id, cart.id::text AS occasion, cart.id || ':u:' || active.user_id AS key,
    jsonb_build_object('episode', cart.id, 'added_at', cart.occurred_at, 'last_activity', active.last_activity)
        AS trigger,
    {Priority.CART.value} AS priority, %(now)s::timestamptz AS due_at, %(expires_at)s::timestamptz AS expires_at
FROM (
    SELECT user_id, max(occurred_at) AS last_activity FROM user_interactions
    WHERE interaction_type = ANY(%(kinds)s) AND occurred_at > %(oldest)s AND user_id IS NOT NULL
    GROUP BY user_id HAVING max(occurred_at) <= %(idle_since)s
) AS active
JOIN interactions_shopper USING (user_id)
CROSS JOIN LATERAL (
    SELECT id, occurred_at, received_at FROM ({LINES.format(user="active.user_id")}) AS lines
    ORDER BY occurred_at DESC, id DESC LIMIT 1
) AS cart
WHERE NOT {
    BOUGHT_SINCE.format(user="active.user_id", added_at="cart.occurred_at", added_received_at="cart.received_at")
}
"""  # noqa: S608  constants of this module


def plan(campaign: Campaign, now: datetime) -> int:
    """Write a row for each cart that was left; return how many were new."""
    numbers = campaign.numbers
    oldest = now - timedelta(hours=numbers["oldest_hours"])
    names = {
        "kinds": InteractionType.values,
        "oldest": max(oldest, campaign.live_since or oldest),
        "idle_since": now - timedelta(hours=numbers["idle_hours"]),
        "cart_since": now - timedelta(days=numbers["cart_days"]),
        "expires_at": now + timedelta(hours=numbers["expires_hours"]),
        "now": now,
    }
    return write_rows(campaign, SOURCE, names, now=now)
