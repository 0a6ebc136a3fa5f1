"""Merging a session into a user: what it did, and what it will do, is theirs."""

from typing import Any

from django.db import connection, transaction

from interactions.models import MergedSession
from interactions.services.locks import hold_merging
from interactions.services.rewrite import mark_rewritten


class MergedAlreadyError(Exception):
    """The session is another user's."""


@transaction.atomic
def merge_session(*, user_id: str, session_id: str) -> int:
    """Give the session's events to the user, and make the user if they are new; return how many events moved.

    May be repeated. Raises `MergedAlreadyError` where the session was merged into another user.
    """
    with connection.cursor() as cursor:
        hold_merging(cursor)
        cursor.execute(
            "INSERT INTO interactions_mergedsession (session_id, user_id) VALUES (%s, %s) "
            "ON CONFLICT (session_id) DO NOTHING",
            [session_id, user_id],
        )
        is_new = cursor.rowcount == 1
        if not is_new and MergedSession.objects.get(session_id=session_id).user_id != user_id:
            raise MergedAlreadyError
        moved = _move(cursor, user_id, session_id)
        if is_new or moved:
            mark_rewritten(cursor, [f"s:{session_id}", f"u:{user_id}"])
        return moved


def _move(cursor: Any, user_id: str, session_id: str) -> int:
    cursor.execute(
        "INSERT INTO interactions_shopper (user_id, email, name, timezone, locale, marketing_consent, attributes) "
        "VALUES (%s, '', '', '', '', false, '{}') ON CONFLICT (user_id) DO NOTHING",
        [user_id],
    )
    cursor.execute(
        "UPDATE user_interactions SET user_id = %s WHERE session_id = %s AND user_id IS NULL", [user_id, session_id]
    )
    return int(cursor.rowcount)
