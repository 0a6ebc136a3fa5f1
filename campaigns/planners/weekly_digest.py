"""Weekly digest: Sunday at ten, local, for whoever was active within 30 days."""

from datetime import datetime, timedelta

from campaigns.clock import sunday_window
from campaigns.definitions import Priority
from campaigns.models import Campaign
from campaigns.planners.outbox import write_rows
from campaigns.planners.zones import ZONES, open_windows

SOURCE = f"""
SELECT s.user_id, NULL AS alert_id, opened.occasion, opened.occasion || ':u:' || s.user_id AS key,
    '{{}}'::jsonb AS trigger, {Priority.WEEKLY.value} AS priority, opened.due_at, opened.expires_at
FROM {ZONES} JOIN interactions_shopper s ON s.timezone = opened.zone
WHERE EXISTS (
    SELECT FROM user_interactions active
    WHERE active.user_id = s.user_id AND active.occurred_at >= %(active_since)s AND active.occurred_at <= %(now)s
)
"""  # noqa: S608  constants of this module


def plan(campaign: Campaign, now: datetime) -> int:
    """Write a row for each active person whose local Sunday has reached the hour; return how many were new."""
    numbers = campaign.numbers
    windows = open_windows(
        lambda zone: sunday_window(now, zone, from_hour=numbers["send_hour"], until_hour=numbers["expire_hour"])
    )
    if not windows["zones"]:
        return 0
    names = windows | {"active_since": now - timedelta(days=numbers["active_days"]), "now": now}
    return write_rows(campaign, SOURCE, names, now=now)
