"""One bite of each kind. What figures were made of goes only once it is counted, and its days are closed with it."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from analytics.rollups import closing
from interactions.models import InteractionType
from reemio.retention.models import Clearing

_DELETE = """
WITH old AS (
    SELECT ctid FROM {table} WHERE {condition} LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM old)
"""
# Kind by kind, so that the index by type and time finds them.
_OLD_EVENTS = """
SELECT id, occurred_at FROM user_interactions i
WHERE interaction_type = %(kind)s AND occurred_at < %(before)s
    AND NOT EXISTS (SELECT FROM fresh_interactions f WHERE f.interaction_id = i.id)
ORDER BY occurred_at LIMIT %(most)s
"""
_OLD_LISTS = """
SELECT request_id, served_at FROM served_lists WHERE served_at < %(before)s ORDER BY served_at LIMIT %(most)s
"""
_NEXT_EVENTS = """
SELECT id, received_at < %(before)s, interaction_type = 'search' AND search_query <> '', occurred_at
FROM user_interactions WHERE id > %(walked)s ORDER BY id LIMIT %(most)s
"""
_NEXT_LISTS = """
SELECT request_id, served_at FROM served_lists
WHERE placement = 'search' AND anchors <> '{}' AND served_at < %(before)s AND served_at >= %(walked)s
ORDER BY served_at LIMIT %(most)s
"""


def clear_interactions(before: datetime, most: int) -> int:
    """Delete events, and what attribution kept of them; not before they are folded and counted."""
    for kind in InteractionType.values:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_OLD_EVENTS, {"kind": kind, "before": before, "most": most})
            found = cursor.fetchall()
            if not found or not closing.close(cursor, found[-1][1]):
                continue
            ids = [pk for pk, _ in found]
            cursor.execute("DELETE FROM conversions WHERE purchase_id = ANY(%s)", [ids])
            cursor.execute("DELETE FROM user_interactions WHERE id = ANY(%s)", [ids])
            return int(cursor.rowcount)
    return 0


def clear_refunds(before: datetime, most: int) -> int:
    """Delete what came back of orders whose lines are gone."""
    gone = (
        "occurred_at < %(before)s AND received_at < %(before)s AND NOT EXISTS (SELECT FROM user_interactions i "
        "WHERE i.order_id = order_refunds.order_id AND i.interaction_type = 'purchase')"
    )
    return _delete("order_refunds", gone, before, most)


def clear_served_lists(before: datetime, most: int) -> int:
    """Delete served lists, once what was told of them is counted."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_OLD_LISTS, {"before": before, "most": most})
        found = cursor.fetchall()
        if not found or not closing.close(cursor, found[-1][1]):
            return 0
        cursor.execute("DELETE FROM served_lists WHERE request_id = ANY(%s)", [[pk for pk, _ in found]])
        return int(cursor.rowcount)


def clear_search_texts(before: datetime, most: int) -> int:
    """Empty the texts that people searched for; the searches stay. Walks by id, in the order in which they came."""
    with transaction.atomic(), connection.cursor() as cursor:
        walk = Clearing.objects.select_for_update().get(kind="search texts")
        cursor.execute(_NEXT_EVENTS, {"before": before, "walked": walk.walked_id, "most": most})
        passed = []
        for row in cursor.fetchall():
            if not row[1]:
                break
            passed.append(row)
        texts = [(pk, moment) for pk, _, has_text, moment in passed if has_text]
        if not passed or (texts and not closing.close_searches(cursor, max(moment for _, moment in texts))):
            return 0
        _quietly(cursor)
        cursor.execute("UPDATE user_interactions SET search_query = '' WHERE id = ANY(%s)", [[pk for pk, _ in texts]])
        walk.walked_id = passed[-1][0]
        walk.save(update_fields=["walked_id"])
        return len(passed)


def clear_searched_lists(before: datetime, most: int) -> int:
    """Empty the text in lists that answered a search."""
    with transaction.atomic(), connection.cursor() as cursor:
        walk = Clearing.objects.select_for_update().get(kind="searched lists")
        beginning = walk.walked_at or datetime.min.replace(year=1900, tzinfo=before.tzinfo)
        cursor.execute(_NEXT_LISTS, {"before": before, "walked": beginning, "most": most})
        found = cursor.fetchall()
        if not found or not closing.close_searches(cursor, found[-1][1]):
            return 0
        _quietly(cursor)
        cursor.execute("UPDATE served_lists SET anchors = '{}' WHERE request_id = ANY(%s)", [[pk for pk, _ in found]])
        walk.walked_at = found[-1][1]
        walk.save(update_fields=["walked_at"])
        return len(found)


def clear_inbox(before: datetime, most: int) -> int:
    """Delete rows of `public.events` that were taken in, or could not be understood."""
    return _delete("events", "processed_at < %(before)s", before, most)


def clear_guest_tastes(before: datetime, most: int) -> int:
    """Forget what was learned of sessions that nobody has been seen in since."""
    return _delete("tastes", "left(subject, 2) = 's:' AND as_of < %(before)s", before, most)


def clear_syncs(before: datetime, most: int) -> int:
    """Delete records of old synchronisations; the last one that succeeded says where the next one goes on."""
    kept = (
        "started_at < %(before)s AND state <> 'running' AND id NOT IN "
        "(SELECT max(id) FROM catalog_catalogsync WHERE state = 'succeeded' GROUP BY source, location)"
    )
    return _delete("catalog_catalogsync", kept, before, most)


def clear_audit(before: datetime, most: int) -> int:
    """Delete entries of the audit trail, which a trigger forbids to everybody else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('reemio.audit_retention', 'on', true)")
        count = _delete("audit_entries", "happened_at < %(before)s", before, most)
        cursor.execute("SELECT set_config('reemio.audit_retention', '', true)")
        return count


def clear_admin_log(before: datetime, most: int) -> int:
    """Delete the admin's own log, and the engine settings' history."""
    count = _delete("django_admin_log", "action_time < %(before)s", before, most)
    return count or _delete("recommendations_settingschange", "changed_at < %(before)s", before, most)


def clear_sessions(before: datetime, most: int) -> int:
    """Delete sessions of staff that have ended."""
    return _delete("django_session", "expire_date < %(before)s", before, most)


def _delete(table: str, condition: str, before: datetime, most: int) -> int:
    names: dict[str, Any] = {"before": before, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(_DELETE.format(table=table, condition=condition), names)
        return int(cursor.rowcount)


def _quietly(cursor: Any) -> None:
    """Let the triggers that note changed events and lists know that this transaction changes no figure."""
    cursor.execute("SELECT set_config('reemio.retention', 'on', true)")
