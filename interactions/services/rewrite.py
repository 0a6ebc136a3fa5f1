"""Telling the engine whose past was rewritten, in the transaction that rewrites it."""

from collections.abc import Iterable
from typing import Any


def mark_rewritten(cursor: Any, subjects: Iterable[str]) -> None:
    """Ask for a recount of these subjects (`u:` + user id, `s:` + session id), in a fixed order: no deadlock."""
    cursor.execute(
        """
        INSERT INTO rewritten_histories (subject, rewritten_at)
        SELECT subject, clock_timestamp() FROM unnest(%s::text[]) AS subject
        ON CONFLICT (subject) DO UPDATE SET rewritten_at = excluded.rewritten_at
        """,
        [sorted(set(subjects))],
    )
