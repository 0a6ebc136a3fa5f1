"""Pauses a campaign whose mails are complained about, or bounce: a bad list harms every mail that a shop sends."""

from datetime import datetime

import structlog
from django.db import connection

from campaigns.models import Campaign, MessageEvent, OutboxMessage

log = structlog.get_logger(__name__)
MOST_COMPLAINTS, MOST_BOUNCES = 0.001, 0.02
# The latest messages of a campaign whose delivery was told, and how many of them went wrong.
WATCH = f"""
WITH told AS (
    SELECT m.id, bool_or(e.kind IN ('bounced', 'rejected')) AS bounced, bool_or(e.kind = 'complained') AS complained
    FROM {OutboxMessage._meta.db_table} m JOIN {MessageEvent._meta.db_table} e ON e.message_id = m.id
    WHERE m.campaign_id = %(campaign)s AND e.kind IN ('delivered', 'bounced', 'rejected', 'complained')
        AND m.handed_off_at >= coalesce(%(since)s, '-infinity'::timestamptz)
    GROUP BY m.id ORDER BY max(m.handed_off_at) DESC, m.id DESC LIMIT %(window)s
)
SELECT count(*), count(*) FILTER (WHERE bounced), count(*) FILTER (WHERE complained) FROM told
"""  # noqa: S608  constants of this module


def pause_the_harmful(*, now: datetime) -> list[str]:
    """Pause each live campaign that went over a limit since it went live; return which."""
    return [campaign.kind for campaign in Campaign.objects.filter(mode=Campaign.Mode.LIVE) if _watch(campaign, now)]


def _watch(campaign: Campaign, now: datetime) -> bool:
    numbers = campaign.numbers
    with connection.cursor() as cursor:
        cursor.execute(
            WATCH,
            {"campaign": campaign.pk, "window": numbers["watch_window"], "since": campaign.mode_changed_at},
        )
        told, bounced, complained = cursor.fetchone()
    if told < numbers["watch_least"]:
        return False
    said = ""
    if complained / told >= MOST_COMPLAINTS:
        said = f"{complained} of the last {told} delivered were marked as spam (limit: 0.1 %)."
    elif bounced / told >= MOST_BOUNCES:
        said = f"{bounced} of the last {told} bounced for good (limit: 2 %)."
    if not said:
        return False
    paused = Campaign.objects.filter(pk=campaign.pk, mode=Campaign.Mode.LIVE).update(
        mode=Campaign.Mode.PAUSED, mode_changed_at=now, mode_reason=said
    )
    if paused:
        log.warning("campaign_paused", campaign=campaign.kind, told=told, bounced=bounced, complained=complained)
    return bool(paused)
