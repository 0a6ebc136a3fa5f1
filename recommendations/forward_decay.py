"""Popularity as forward-decayed sums: counted anew from the raw events, each time in one statement."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from recommendations.contracts import Scores
from recommendations.decay import DECAY_DAYS, SECONDS_PER_DAY

# Sums are forward-decayed from here; see ProductPopularity.
LANDMARK = datetime(2020, 1, 1, tzinfo=UTC)
# Folding and recounting exclude each other: an event is in the recount or folded after it, never both.
LOCK = 0x5EE31001

# Doubles, said so: of PostgreSQL's `numeric`, which a plain number is, the exponential takes ten times as long as all
# the rest. Terms are added in their own order, so that the sum does not depend on that of the rows.
DECAYED = "w.weight * exp(extract(epoch FROM i.occurred_at - %({since})s)::float8 / %(span)s::float8)"
SINCE_LANDMARK, SINCE_UNTIL = DECAYED.format(since="landmark"), DECAYED.format(since="until")
# An event that still waits to be folded is not counted here: folding adds it.
COUNTED = f"""
        SELECT p.id, sum({SINCE_LANDMARK} ORDER BY {SINCE_LANDMARK}) AS score, count(*) AS events
        FROM user_interactions i
        JOIN unnest(%(kinds)s::text[], %(weights)s::float8[]) AS w(kind, weight) ON w.kind = i.interaction_type
        JOIN catalog_product p ON p.product_id = i.product_id
        LEFT JOIN fresh_interactions f ON f.interaction_id = i.id
        WHERE f.interaction_id IS NULL
        GROUP BY p.id
"""  # noqa: S608  constants of this module
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
STORED = "SELECT product_id, score, shoppers FROM recommendations_productpopularity ORDER BY product_id"
STORE = """
    INSERT INTO recommendations_productpopularity (product_id, score, shoppers)
    SELECT product, score, events FROM unnest(%s::bigint[], %s::float8[], %s::int[]) AS t(product, score, events)
    JOIN catalog_product p ON p.id = product
"""
FORGET = "DELETE FROM recommendations_productpopularity"
AS_OF = f"""
    SELECT p.id, sum({SINCE_UNTIL} ORDER BY {SINCE_UNTIL})
    FROM user_interactions i
    JOIN unnest(%(kinds)s::text[], %(weights)s::float8[]) AS w(kind, weight) ON w.kind = i.interaction_type
    JOIN catalog_product p ON p.product_id = i.product_id
    WHERE i.occurred_at < %(until)s
    GROUP BY p.id ORDER BY p.id
"""  # noqa: S608  constants of this module


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


# Our ids, forward-decayed sums and numbers of events, products ascending.
Counted = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]]


def stored_popularity() -> Counted:
    """Return what is kept, as arrays."""
    with connection.cursor() as cursor:
        cursor.execute(STORED)
        rows = cursor.fetchall()
    products, scores, events = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(products, np.int64), np.array(scores, np.float64), np.array(events, np.int64)


def replace_popularity(then: Counted, counted: Counted) -> int:
    """Put what was counted in the place of what was kept `then`, and keep what was folded since; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        keep_from_folding()
        products, scores, events = corrected(stored_popularity(), then, counted)
        cursor.execute(FORGET)
        cursor.execute(STORE, [products.tolist(), scores.tolist(), events.tolist()])
        return int(cursor.rowcount)


def corrected(now: Counted, then: Counted, counted: Counted) -> Counted:
    """Return `counted`, made when `then` was kept, with what came between then and now."""
    products = np.unique(np.concatenate([now[0], then[0], counted[0]]))

    def spread(one: Counted) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        scores, events = np.zeros(len(products)), np.zeros(len(products), np.int64)
        place = np.searchsorted(products, one[0])
        scores[place], events[place] = one[1], one[2]
        return scores, events

    (kept, kept_events), (old, old_events), (new, new_events) = spread(now), spread(then), spread(counted)
    # Where nothing was folded since, the sum is what was counted to the last bit.
    scores = np.where(kept == old, new, kept + (new - old))
    events = kept_events + new_events - old_events
    return products[events > 0], scores[events > 0], events[events > 0]


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
