"""Popularity as forward-decayed sums: counted anew from the raw events, each time in one statement."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.db import connection, transaction

from recommendations.contracts import Scores
from recommendations.decay import DECAY_DAYS, SECONDS_PER_DAY

# Sums are forward-decayed from here; see ProductPopularity.
LANDMARK = datetime(2020, 1, 1, tzinfo=UTC)
# Folding and recounting exclude each other: an event is in the recount or folded after it, never both.
LOCK = 0x5EE31001

# An event that still waits to be folded is not counted here: folding adds it.
COUNTED = """
        SELECT p.id, sum(w.weight * exp(extract(epoch FROM i.occurred_at - %(landmark)s) / %(span)s)) AS score,
            count(*) AS events
        FROM user_interactions i
        JOIN unnest(%(kinds)s::text[], %(weights)s::float8[]) AS w(kind, weight) ON w.kind = i.interaction_type
        JOIN catalog_product p ON p.product_id = i.product_id
        LEFT JOIN fresh_interactions f ON f.interaction_id = i.id
        WHERE f.interaction_id IS NULL
        GROUP BY p.id
"""
RECOUNT = f"""
    WITH counted AS ({COUNTED})
    INSERT INTO recommendations_productpopularity (product_id, score, shoppers)
    SELECT id, score, events FROM counted
    ON CONFLICT (product_id) DO UPDATE SET score = EXCLUDED.score, shoppers = EXCLUDED.shoppers
"""  # noqa: S608  constants of this module
BESIDE = f"""
    WITH counted AS ({COUNTED})
    SELECT COALESCE(s.score, 0), COALESCE(c.score, 0)
    FROM counted c FULL JOIN recommendations_productpopularity s ON s.product_id = c.id
"""  # noqa: S608  constants of this module
FORGET = "DELETE FROM recommendations_productpopularity"
AS_OF = """
    SELECT p.id, sum(w.weight * exp(extract(epoch FROM i.occurred_at - %(until)s) / %(span)s))
    FROM user_interactions i
    JOIN unnest(%(kinds)s::text[], %(weights)s::float8[]) AS w(kind, weight) ON w.kind = i.interaction_type
    JOIN catalog_product p ON p.product_id = i.product_id
    WHERE i.occurred_at < %(until)s
    GROUP BY p.id ORDER BY p.id
"""


def keep_from_folding() -> None:
    """Wait until nobody folds, and keep everybody from it until the transaction ends; readers do not notice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def recount_popularity(event_weights: Mapping[str, float]) -> int:
    """Count every product's popularity anew; return how many have any."""
    with transaction.atomic(), connection.cursor() as cursor:
        keep_from_folding()
        cursor.execute(FORGET)
        cursor.execute(RECOUNT, _parameters(event_weights) | {"landmark": LANDMARK})
        return int(cursor.rowcount)


def stored_and_recounted(event_weights: Mapping[str, float]) -> tuple[Scores, Scores]:
    """Return every product's popularity as it is kept and as counted anew, side by side. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(BESIDE, _parameters(event_weights) | {"landmark": LANDMARK})
        rows = np.array(cursor.fetchall(), np.float64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def popularity_as_of(until: datetime, event_weights: Mapping[str, float]) -> list[tuple[int, float]]:
    """Return our id and decayed count of every product with an event before `until`, by id."""
    with connection.cursor() as cursor:
        cursor.execute(AS_OF, _parameters(event_weights) | {"until": until})
        return [(product, max(score, 0.0)) for product, score in cursor.fetchall()]


def _parameters(event_weights: Mapping[str, float]) -> dict[str, Any]:
    return {
        "kinds": list(event_weights),
        "weights": list(event_weights.values()),
        "span": DECAY_DAYS * SECONDS_PER_DAY,
    }
