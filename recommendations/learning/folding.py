"""Folding: fresh events become part of the stored tastes and of popularity, each exactly once."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.db import connection, transaction

from recommendations import popular
from recommendations.decay import DECAY_DAYS, SECONDS_PER_DAY
from recommendations.forward_decay import LANDMARK, LOCK
from recommendations.history import Event
from recommendations.learning.pairing import count_pairs
from recommendations.selectors import settled_event_weights
from recommendations.shelf import shelf
from recommendations.sums import Sums, combined
from recommendations.taste import format_vector, parse_vector, sums_of

BATCH = 1000

# Deleting is the claim: two folders never see the same event, and a rolled back one leaves it for the next.
# Events of products that the mirror does not know stay fresh until it does; searches teach no taste.
CLAIM = """
    WITH chosen AS (
        SELECT f.interaction_id, p.id AS product
        FROM fresh_interactions f
        JOIN user_interactions i ON i.id = f.interaction_id
        LEFT JOIN catalog_product p ON p.product_id = i.product_id
        WHERE p.id IS NOT NULL OR i.interaction_type = 'search'
        ORDER BY f.interaction_id LIMIT %s FOR UPDATE OF f SKIP LOCKED
    )
    DELETE FROM fresh_interactions f USING chosen, user_interactions i
    WHERE f.interaction_id = chosen.interaction_id AND i.id = chosen.interaction_id
    RETURNING CASE WHEN i.user_id IS NOT NULL THEN 'u:' || i.user_id ELSE 's:' || i.session_id END,
        chosen.product, i.interaction_type, i.occurred_at, i.id
"""
STORED = """
    SELECT subject, as_of, vector::text, weight, categories, events FROM tastes
    WHERE subject = ANY(%s) ORDER BY subject
"""
LOCKED = f"{STORED} FOR UPDATE"
SUBJECT_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(one, 7)) FROM unnest(%s::text[]) AS one"
WRITE = """
    INSERT INTO tastes (subject, as_of, vector, weight, categories, events)
    VALUES (%s, %s, %s::vector, %s, %s::jsonb, %s)
    ON CONFLICT (subject) DO UPDATE SET as_of = EXCLUDED.as_of, vector = EXCLUDED.vector, weight = EXCLUDED.weight,
        categories = EXCLUDED.categories, events = EXCLUDED.events
"""
COUNT = """
    INSERT INTO recommendations_productpopularity (product_id, score, shoppers)
    SELECT product, score, events
    FROM unnest(%s::bigint[], %s::float8[], %s::int[]) AS t(product, score, events) ORDER BY product
    ON CONFLICT (product_id) DO UPDATE SET
        score = recommendations_productpopularity.score + EXCLUDED.score,
        shoppers = recommendations_productpopularity.shoppers + EXCLUDED.shoppers
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event taken out of the queue, its number, and whose it is."""

    subject: str
    event: Event
    number: int


def fold_fresh(*, most: int = BATCH) -> int:
    """Fold up to `most` fresh events in one transaction; return how many. Killed at any line, it did nothing."""
    shelf.refresh()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
        weights = settled_event_weights()
        cursor.execute(CLAIM, [most])
        rows = cursor.fetchall()
        claimed = [
            Claimed(subject, Event(product, kind, occurred_at, True, subject.startswith("u:")), number)
            for subject, product, kind, occurred_at, number in rows
            if product is not None
        ]
        if claimed:
            _fold_tastes(cursor, claimed, weights)
            _fold_pairs(cursor, claimed, weights)
            _fold_popularity(cursor, [one.event for one in claimed], weights)
    if rows:
        popular.forget()
    return len(rows)


def _fold_tastes(cursor: Any, claimed: Sequence[Claimed], weights: Mapping[str, float]) -> None:
    by_subject: dict[str, list[Event]] = defaultdict(list)
    for one in claimed:
        by_subject[one.subject].append(one.event)
    subjects = sorted(by_subject)
    cursor.execute(SUBJECT_LOCK, [subjects])
    stored = read_tastes(cursor, subjects)
    folded = {
        subject: combined([*stored.get(subject, ()), sums_of(events, weights)])
        for subject, events in sorted(by_subject.items())
    }
    write_tastes(cursor, {subject: sums for subject, sums in folded.items() if sums is not None})


def _fold_pairs(cursor: Any, claimed: Sequence[Claimed], weights: Mapping[str, float]) -> None:
    liking = [kind for kind, weight in weights.items() if weight > 0]
    subjects = sorted({one.subject for one in claimed})
    count_pairs(cursor, subjects, {one.number for one in claimed}, liking)


def read_tastes(cursor: Any, subjects: Sequence[str], *, lock: bool = True) -> dict[str, tuple[Sums]]:
    """Return the stored sums of these subjects, locked until the transaction ends unless told otherwise."""
    cursor.execute(LOCKED if lock else STORED, [list(subjects)])
    return {
        subject: (Sums(as_of, parse_vector(vector), weight, json.loads(categories), events),)
        for subject, as_of, vector, weight, categories, events in cursor.fetchall()
    }


def write_tastes(cursor: Any, tastes: Mapping[str, Sums]) -> None:
    """Write the sums of these subjects."""
    cursor.executemany(
        WRITE,
        [
            (
                subject,
                sums.as_of,
                format_vector(sums.vector),
                sums.weight,
                _json(sums.categories),
                sums.events,
            )
            for subject, sums in tastes.items()
        ],
    )


def _fold_popularity(cursor: Any, events: Sequence[Event], weights: Mapping[str, float]) -> None:
    scores: dict[int, float] = defaultdict(float)
    counts: dict[int, int] = defaultdict(int)
    for event in events:
        if event.kind in weights:
            scores[event.product] += weights[event.kind] * forward_factor(event.occurred_at)
            counts[event.product] += 1
    products = sorted(scores)
    cursor.execute(
        COUNT,
        [products, [scores[product] for product in products], [counts[product] for product in products]],
    )


def forward_factor(moment: datetime) -> float:
    """Return exp((t − LANDMARK)/τ), the growing weight of forward decay."""
    days = (moment.astimezone(UTC) - LANDMARK).total_seconds() / SECONDS_PER_DAY
    return float(np.exp(days / DECAY_DAYS))


def _json(categories: Mapping[str, float]) -> str:
    return json.dumps(dict(categories))
