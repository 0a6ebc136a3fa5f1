"""Claims: which rows are whose for the moment. A claim has a token and a lease; whoever lost it may do nothing."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

from campaigns.models import OutboxMessage

OUTBOX = OutboxMessage._meta.db_table
# Long enough for a batch and a provider that hangs, short enough for a worker's death to be felt little.
LEASE = timedelta(minutes=3)
CLAIM = f"""
UPDATE {OUTBOX} SET state = 'claimed', claim_token = %(token)s, lease_until = %(lease_until)s
WHERE id IN (
    SELECT id FROM {OUTBOX} WHERE state = 'planned' AND due_at <= %(now)s AND expires_at > %(now)s
    ORDER BY priority, due_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
) RETURNING id, priority, due_at
"""  # noqa: S608  constants of this module


def is_due(*, now: datetime) -> bool:
    """Tell whether there is anything to claim."""
    planned = OutboxMessage.objects.filter(state=OutboxMessage.State.PLANNED, due_at__lte=now, expires_at__gt=now)
    return planned.exists()


def claim(*, now: datetime, most: int) -> tuple[uuid.UUID, Sequence[int]]:
    """Take up to `most` due rows, the most urgent first; return the token that proves it, and their numbers."""
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"token": token, "lease_until": now + LEASE, "now": now, "most": most})
        rows = sorted(cursor.fetchall(), key=lambda row: (row[1], row[2], row[0]))
    return token, [row[0] for row in rows]


def release(messages: Sequence[int], *, token: uuid.UUID) -> None:
    """Give back what was claimed and not touched."""
    OutboxMessage.objects.filter(pk__in=messages, state=OutboxMessage.State.CLAIMED, claim_token=token).update(
        state=OutboxMessage.State.PLANNED, claim_token=None, lease_until=None
    )
