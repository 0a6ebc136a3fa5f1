"""Storing a batch of imported events, each once.

A batch goes straight into the table by COPY; where some of it is there already, the rest of it does. Where that will
not do (somebody stores the same events at this moment, or a session among them is a user's by now), it goes by a
temporary table.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, OperationalError, connection, transaction

from interactions.services.locks import share_merging
from interactions.services.rewrite import mark_rewritten

_ATTEMPTS = 5
COLUMNS = (
    "event_id", "interaction_type", "user_id", "session_id", "product_id", "occurred_at", "quantity", "unit_price",
    "currency", "order_id", "recommendation_context", "recommendation_position", "recommendation_request_id",
    "search_query", "extra_data",
)  # fmt: skip
_CREATE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS imported_interactions ON COMMIT DROP AS
SELECT {", ".join(COLUMNS)} FROM user_interactions WITH NO DATA
"""  # noqa: S608  our own names
_COPY = f"COPY imported_interactions ({', '.join(COLUMNS)}) FROM STDIN"
# The engine recounts whoever's past this changes: millions of old events are not queued one by one.
_STORE = f"""
WITH stored AS (
    INSERT INTO user_interactions ({", ".join(COLUMNS)})
    SELECT event_id, interaction_type, coalesce(imported.user_id, merged.user_id),
        {", ".join(f"imported.{name}" for name in COLUMNS[3:])}
    FROM imported_interactions AS imported LEFT JOIN interactions_mergedsession AS merged
        ON imported.user_id IS NULL AND merged.session_id = imported.session_id
    ORDER BY event_id COLLATE "C"
    ON CONFLICT (event_id) DO NOTHING
    RETURNING user_id, session_id
), rewritten AS (
    INSERT INTO rewritten_histories (subject, rewritten_at)
    SELECT subject, clock_timestamp()
    FROM (SELECT DISTINCT coalesce('u:' || user_id, 's:' || session_id) COLLATE "C" AS subject FROM stored) AS person
    ORDER BY subject
    ON CONFLICT (subject) DO UPDATE SET rewritten_at = excluded.rewritten_at
)
SELECT count(*) FROM stored
"""  # noqa: S608  our own names


_COPY_STRAIGHT = f"COPY user_interactions ({', '.join(COLUMNS)}) FROM STDIN"


class Line(NamedTuple):
    """One event on its way into the table; `text` is its line in COPY's text format (`COLUMNS`)."""

    event_id: str
    text: str
    user_id: str | None
    session_id: str | None

    @property
    def subject(self) -> str:
        """Return whose past the event changes, as `RewrittenHistory` names them."""
        return f"s:{self.session_id}" if self.user_id is None else f"u:{self.user_id}"


def store(lines: Sequence[Line]) -> int:
    """Store the events of `lines` in one transaction; return how many were new.

    May be repeated: what is stored already stays as it is. A deadlock with another writer is tried again.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _store(lines)
        except OperationalError as error:
            deadlock = getattr(error.__cause__, "sqlstate", None) == "40P01"
            if not deadlock or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _store(lines: Sequence[Line]) -> int:
    distinct: dict[str, Line] = {}
    for line in lines:
        distinct.setdefault(line.event_id, line)
    # In the order of the index that they will grow.
    ordered = [distinct[event_id] for event_id in sorted(distinct)]
    with transaction.atomic(), connection.cursor() as cursor:
        share_merging(cursor)
        if _has_merged(cursor, ordered):
            return _store_by_way(cursor, _unknown(cursor, ordered))
        stored = _tried_straight(cursor, ordered)
        if stored is None and (new := _unknown(cursor, ordered)):
            stored = _tried_straight(cursor, new)
            # Another import or a shopper is quicker with one of these events at this moment.
            return _store_by_way(cursor, new) if stored is None else stored
        return stored or 0


def _tried_straight(cursor: Any, lines: Sequence[Line]) -> int | None:
    """Store all of `lines`, or none of them where one is there already; then return None. That is seen at the first."""
    try:
        with transaction.atomic():
            return _store_straight(cursor, lines)
    except IntegrityError:
        return None


def _unknown(cursor: Any, lines: Sequence[Line]) -> list[Line]:
    """Keep, in order, what is not stored yet."""
    cursor.execute("SELECT event_id FROM user_interactions WHERE event_id = ANY(%s)", [[one.event_id for one in lines]])
    known = {event_id for (event_id,) in cursor.fetchall()}
    return [line for line in lines if line.event_id not in known]


def _has_merged(cursor: Any, lines: Sequence[Line]) -> bool:
    sessions = {line.session_id for line in lines if line.user_id is None}
    if not sessions:
        return False
    cursor.execute(
        "SELECT EXISTS (SELECT FROM interactions_mergedsession WHERE session_id = ANY(%s))", [list(sessions)]
    )
    return bool(cursor.fetchone()[0])


def _store_straight(cursor: Any, lines: Sequence[Line]) -> int:
    with connection.wrap_database_errors, cursor.copy(_COPY_STRAIGHT) as copy:
        copy.write("".join(line.text for line in lines))
    mark_rewritten(cursor, (line.subject for line in lines))
    return len(lines)


def _store_by_way(cursor: Any, lines: Sequence[Line]) -> int:
    cursor.execute(_CREATE)
    with connection.wrap_database_errors, cursor.copy(_COPY) as copy:
        copy.write("".join(line.text for line in lines))
    cursor.execute(_STORE)
    return int(cursor.fetchone()[0])
