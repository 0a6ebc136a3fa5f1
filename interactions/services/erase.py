"""Erasing a person from the tables of this app: what they did still counts, who did it nobody can tell."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from interactions.services.locks import hold_merging

# The order's number leads to the person in the shop's books; what was bought together stays together under another.
_ANONYMISE = """
UPDATE user_interactions SET
    user_id = %(pseudonym)s, session_id = NULL, event_id = NULL, search_query = '', extra_data = '{}',
    order_id = CASE WHEN order_id IS NOT NULL THEN 'erased-' || md5(order_id || %(salt)s) END
WHERE user_id = %(user)s OR (user_id IS NULL AND session_id = ANY(%(sessions)s))
"""
_ANONYMISE_REFUNDS = """
UPDATE order_refunds SET
    order_id = 'erased-' || md5(order_id || %(salt)s),
    refund_id = CASE WHEN refund_id <> '' THEN 'erased-' || md5(refund_id || %(salt)s) ELSE '' END
WHERE order_id IN (
    SELECT order_id FROM user_interactions
    WHERE user_id = %(user)s OR (user_id IS NULL AND session_id = ANY(%(sessions)s))
)
"""
_SCRUB_INBOX = """
UPDATE events SET payload = '{}', processed_at = coalesce(processed_at, now()), error = 'The person was erased.'
WHERE coalesce(payload ->> 'user_id', payload ->> 'userId') = %(user)s
    OR coalesce(payload ->> 'user_id', payload ->> 'userId') IS NULL
        AND coalesce(payload ->> 'session_id', payload ->> 'sessionId') = ANY(%(sessions)s)
"""
# What could not be understood may name the person anywhere.
_SCRUB_FAILED = """
UPDATE events SET payload = '{}', error = 'The person was erased.'
WHERE error IS NOT NULL AND EXISTS (
    SELECT FROM unnest(%(names)s::text[]) AS name WHERE position(to_json(name)::text IN payload::text) > 0
)
"""
# The engine may be learning from these at this moment: waiting for it means that what it wrote is there to be deleted.
_WAIT_FOR_ENGINE = """
SELECT FROM fresh_interactions WHERE interaction_id IN (
    SELECT id FROM user_interactions WHERE user_id = %(user)s OR (user_id IS NULL AND session_id = ANY(%(sessions)s))
) ORDER BY interaction_id FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """Who was erased: `subjects` are the names under which the engine knew them."""

    user_id: str
    sessions: list[str]
    shopper_pk: int | None

    @property
    def subjects(self) -> list[str]:
        """Return the user and their sessions, as `Taste` and `RewrittenHistory` name them."""
        return [f"u:{self.user_id}", *(f"s:{session}" for session in self.sessions)]


@transaction.atomic
def erase_interactions(*, user_id: str, email: str = "") -> Erased | None:
    """Anonymise the person's events and forget the rest of them; return None where nobody is known by that id.

    The events of one person stay together under a random pseudonym that nothing leads to, so that counts stay. Their
    sessions are the ones that were merged into them, and the ones in which they were named.
    """
    with connection.cursor() as cursor:
        hold_merging(cursor)
        erased = _find(cursor, user_id)
        if erased is None:
            return None
        names: dict[str, Any] = {"user": user_id, "sessions": erased.sessions, "subjects": erased.subjects}
        cursor.execute(_WAIT_FOR_ENGINE, names)
        others = {"pseudonym": f"erased-{uuid.uuid4()}", "salt": uuid.uuid4().hex}
        cursor.execute(_ANONYMISE_REFUNDS, {**names, **others})
        cursor.execute(_ANONYMISE, {**names, **others})
        cursor.execute(_SCRUB_INBOX, names)
        cursor.execute(_SCRUB_FAILED, {"names": [user_id, *erased.sessions, *([email] if email else [])]})
        cursor.execute("DELETE FROM interactions_mergedsession WHERE user_id = %(user)s", names)
        cursor.execute("DELETE FROM interactions_shopper WHERE user_id = %(user)s", names)
        cursor.execute("DELETE FROM rewritten_histories WHERE subject = ANY(%(subjects)s)", names)
        return erased


def _find(cursor: Any, user_id: str) -> Erased | None:
    """Return what is known under `user_id`, holding the shopper's row against a second erasure."""
    cursor.execute("SELECT id FROM interactions_shopper WHERE user_id = %s FOR UPDATE", [user_id])
    shopper = cursor.fetchone()
    cursor.execute(
        "SELECT session_id FROM interactions_mergedsession WHERE user_id = %s "
        "UNION SELECT session_id FROM user_interactions WHERE user_id = %s",
        [user_id, user_id],
    )
    found = [session for (session,) in cursor.fetchall()]
    if shopper is None and not found:
        return None
    return Erased(user_id, [session for session in found if session is not None], shopper and shopper[0])
