"""Recounting tastes from the raw events: for everybody, or for those whose past was rewritten."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any

from django.db import connection, transaction

from recommendations.forward_decay import LOCK
from recommendations.history import Event
from recommendations.learning.folding import SUBJECT_LOCK, write_tastes
from recommendations.selectors import settled_event_weights
from recommendations.shelf import shelf
from recommendations.sums import Sums, combined
from recommendations.taste import sums_of

BATCH = 200

EVERYBODY = """
    SELECT DISTINCT CASE WHEN user_id IS NOT NULL THEN 'u:' || user_id ELSE 's:' || session_id END AS subject
    FROM user_interactions WHERE product_id IS NOT NULL
    UNION SELECT subject FROM tastes
"""
# All events of these subjects that are not waiting to be folded: those are added when they are.
RAW = """
    WITH asked AS (
        SELECT one AS subject, left(one, 1) = 'u' AS is_user, substr(one, 3) AS id FROM unnest(%s::text[]) AS one
    ), mine AS (
        SELECT asked.subject, i.id, i.product_id, i.interaction_type, i.occurred_at
        FROM asked JOIN user_interactions i ON asked.is_user AND i.user_id = asked.id
        UNION ALL
        SELECT asked.subject, i.id, i.product_id, i.interaction_type, i.occurred_at
        FROM asked JOIN user_interactions i ON NOT asked.is_user AND i.session_id = asked.id AND i.user_id IS NULL
    )
    SELECT mine.subject, p.id, mine.interaction_type, mine.occurred_at
    FROM mine JOIN catalog_product p ON p.product_id = mine.product_id
    LEFT JOIN fresh_interactions f ON f.interaction_id = mine.id
    WHERE f.interaction_id IS NULL
    ORDER BY mine.subject, mine.occurred_at, mine.id
"""


def recount_everybody(*, progress: Any = None) -> int:
    """Recount every taste, a batch of people at a time; return how many people there were."""
    return sum(_recounted(batch, progress) for batch in _batches(_subjects(EVERYBODY)))


def recount_rewritten(*, most: int = 5000) -> int:
    """Recount the people whose past was rewritten; return how many."""
    statement = f"SELECT subject FROM rewritten_histories ORDER BY rewritten_at LIMIT {int(most)}"  # noqa: S608
    return sum(_recounted(batch, None) for batch in _batches(_subjects(statement)))


def recount(subjects: Sequence[str]) -> None:
    """Recount these people in one transaction. Folding waits for it, so that no event is missed or counted twice."""
    shelf.refresh()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
        weights = settled_event_weights()
        cursor.execute(SUBJECT_LOCK, [sorted(subjects)])
        cursor.execute("DELETE FROM rewritten_histories WHERE subject = ANY(%s)", [list(subjects)])
        cursor.execute("DELETE FROM tastes WHERE subject = ANY(%s)", [list(subjects)])
        write_tastes(cursor, recounted(cursor, subjects, weights))


def recounted(cursor: Any, subjects: Sequence[str], weights: Mapping[str, float]) -> dict[str, Sums]:
    """Return the sums of these people's events, without those that wait to be folded; writes nothing."""
    cursor.execute(RAW, [list(subjects)])
    return _counted(cursor.fetchall(), weights)


def _counted(rows: Sequence[Any], weights: Mapping[str, float]) -> dict[str, Sums]:
    tastes = {}
    for subject, group in groupby(rows, key=lambda row: row[0]):
        events = [Event(product, kind, occurred_at, False, True) for _, product, kind, occurred_at in group]
        sums = combined([sums_of(events, weights)])
        if sums is not None:
            tastes[subject] = sums
    return tastes


def _recounted(batch: Sequence[str], progress: Any) -> int:
    recount(batch)
    if progress is not None:
        progress(len(batch))
    return len(batch)


def _subjects(statement: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        yield from [row[0] for row in cursor.fetchall()]


def _batches(subjects: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(subjects)
    while batch := list(islice(remaining, BATCH)):
        yield batch
