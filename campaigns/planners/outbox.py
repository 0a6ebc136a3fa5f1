"""The one statement by which planners write: keyed, so that it may be repeated."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from campaigns.models import Campaign, OutboxMessage

# `source` selects user_id, alert_id, occasion, key, trigger, priority, due_at, expires_at. What is there is passed
# over before it is inserted: a conflict would burn a number and write a dead row with each tick.
INSERT = """
INSERT INTO {outbox} (campaign_id, user_id, alert_id, occasion, dedupe_key, trigger, priority, state, reason, detail,
    dry_run, planned_at, due_at, expires_at)
SELECT %(campaign)s, user_id, alert_id::bigint, occasion, %(prefix)s || key, trigger, priority, 'planned', '', '',
    %(dry_run)s, %(now)s, due_at, expires_at
FROM ({source}) AS occasions
WHERE NOT EXISTS (SELECT FROM {outbox} there WHERE there.dedupe_key = %(prefix)s || occasions.key)
ON CONFLICT (dedupe_key) DO NOTHING
"""


def write_rows(campaign: Campaign, source: str, names: Mapping[str, Any], *, now: datetime) -> int:
    """Write a row for each occasion that `source` finds and that has none yet; return how many were written."""
    dry_run = campaign.mode == Campaign.Mode.DRY_RUN
    prefix = key_prefix(campaign.kind, dry_run=dry_run)
    ours: dict[str, Any] = {"campaign": campaign.pk, "prefix": prefix, "dry_run": dry_run, "now": now}
    statement = INSERT.format(outbox=OutboxMessage._meta.db_table, source=source)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {**names, **ours})
        return int(cursor.rowcount)


def key_prefix(kind: str, *, dry_run: bool) -> str:
    """Return how all keys of a campaign begin; a dry run takes no occasion away from the live campaign."""
    return f"dry:{kind}:" if dry_run else f"{kind}:"
