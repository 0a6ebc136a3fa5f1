"""Puts right what dead workers and passed time leave behind. May run at any time, twice, and side by side."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from campaigns.models import OutboxMessage, StockAlert

OUTBOX, ALERTS = OutboxMessage._meta.db_table, StockAlert._meta.db_table

# Claimed and not decided: nothing left, so it is free again.
FREE = f"""
UPDATE {OUTBOX} SET state = 'planned', claim_token = NULL, lease_until = NULL
WHERE state = 'claimed' AND lease_until <= %(now)s
"""  # noqa: S608  constants of this module
# Intended, and no outcome: perhaps it left. Only the provider's webhook, or a person, settles it. The token stays, so
# that a sender that is merely slow can still write down its outcome.
PARK = f"""
WITH parked AS (
    UPDATE {OUTBOX} SET state = 'unknown', lease_until = NULL, detail = 'the sender did not come back'
    WHERE state = 'handing_off' AND lease_until <= %(now)s RETURNING alert_id
), used AS (
    UPDATE {ALERTS} SET used_at = %(now)s WHERE used_at IS NULL AND id IN (SELECT alert_id FROM parked)
)
SELECT count(*) FROM parked
"""  # noqa: S608  constants of this module
EXPIRE = f"""
UPDATE {OUTBOX} SET state = 'expired', reason = 'expired', finished_at = %(now)s
WHERE id IN (
    SELECT id FROM {OUTBOX} WHERE state = 'planned' AND expires_at <= %(now)s LIMIT 10000 FOR UPDATE SKIP LOCKED
)
"""  # noqa: S608  constants of this module


@dataclass(frozen=True, slots=True)
class Reaped:
    """How many rows were freed, parked as unknown, and expired."""

    freed: int
    parked: int
    expired: int


def reap(*, now: datetime) -> Reaped:
    """Free, park and expire what has to be."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FREE, {"now": now})
        freed = cursor.rowcount
        cursor.execute(PARK, {"now": now})
        parked = cursor.fetchone()[0]
        cursor.execute(EXPIRE, {"now": now})
        return Reaped(freed, parked, cursor.rowcount)
