"""The lock between recording and merging.

Whoever records a session's events looks up whose the session is; whoever merges it moves the events that are there.
Without a lock, an event recorded during a merge would be looked up before it and stored after it, and stay behind.
Recorders share the lock, so they never wait for each other; a merge, which is rare and short, holds it alone.
"""

from typing import Any

_MERGING = 7_349_001


def share_merging(cursor: Any) -> None:
    """Keep merges out until the transaction ends; waits for one that is under way."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_MERGING])


def hold_merging(cursor: Any) -> None:
    """Keep recorders of sessions, and other merges, out until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MERGING])
