"""New products: at nine, local, for whoever has an interest in the category of something new.

The planner goes by categories, for everybody at once. Which of the new products a person is shown, and whether there
are enough, is decided with their taste vector when the mail is made.
"""

from datetime import datetime, timedelta

from campaigns.clock import daily_window
from campaigns.definitions import Priority
from campaigns.models import Campaign, OutboxMessage
from campaigns.planners.outbox import write_rows
from campaigns.planners.zones import ZONES, open_windows
from recommendations.filtering import AVAILABLE

OUTBOX = OutboxMessage._meta.db_table
SOURCE = f"""
WITH fresh AS (
    SELECT category, max(created_at) AS created_at FROM catalog_product p
    WHERE p.created_at > %(new_since)s AND p.created_at <= %(now)s AND p.category <> '' AND {AVAILABLE}
    GROUP BY category
)
SELECT s.user_id, NULL AS alert_id, opened.occasion, opened.occasion || ':u:' || s.user_id AS key,
    '{{}}'::jsonb AS trigger, {Priority.NEW_PRODUCTS.value} AS priority, opened.due_at, opened.expires_at
FROM {ZONES} JOIN interactions_shopper s ON s.timezone = opened.zone
JOIN tastes t ON t.subject = 'u:' || s.user_id
WHERE EXISTS (
    SELECT FROM fresh WHERE (t.categories ->> fresh.category)::float8 > 0 AND fresh.created_at > coalesce(
        (SELECT max(m.handed_off_at) FROM {OUTBOX} m WHERE m.user_id = s.user_id AND m.campaign_id = %(campaign)s
            AND m.handed_off_at IS NOT NULL AND m.state IN ('handing_off', 'sent', 'unknown')),
        '-infinity'
    )
)
"""  # noqa: S608  constants of this module


def plan(campaign: Campaign, now: datetime) -> int:
    """Write a row for each person to whom something new may matter; return how many rows were new."""
    numbers = campaign.numbers
    windows = open_windows(
        lambda zone: daily_window(now, zone, from_hour=numbers["send_hour"], until_hour=numbers["expire_hour"])
    )
    if not windows["zones"]:
        return 0
    names = windows | {"new_since": new_since(campaign, now), "now": now}
    return write_rows(campaign, SOURCE, names, now=now)


def new_since(campaign: Campaign, now: datetime) -> datetime:
    """Return the moment from which on a product is new: what was there when the campaign went live is not."""
    oldest = now - timedelta(days=campaign.numbers["days_new"])
    return max(oldest, campaign.live_since or oldest)
