"""Content: products whose texts are near, by cosine of embeddings."""

from typing import Any

import numpy as np
from django.db import connection

from recommendations.candidates import DEPTH, Context, votes
from recommendations.contracts import Ids, Scores, Source, Votes
from recommendations.filtering import conditions
from recommendations.taste import format_vector
from recommendations.vectors import Vector, vectors

# The filters stand in the same statement as the ordering: with `hnsw.iterative_scan` the index goes on until the
# list is full, however few products pass.
NEAREST = """
    SELECT e.product_id, 1 - (e.vector <=> %(vector)s::vector)
    FROM catalog_productembedding e JOIN catalog_product p ON p.id = e.product_id
    WHERE {condition}
    ORDER BY e.vector <=> %(vector)s::vector LIMIT {limit}
"""


def near_taste(context: Context) -> Votes | None:
    """Return what is near the shopper's taste, or None where they have none."""
    if context.taste.vector is None:
        return None
    return _nearest(context, "taste", context.taste.vector)


def near_anchors(context: Context) -> Votes:
    """Return what is near the product or the cart in question; a product that was embedded just now is known, too."""
    known = list(vectors.of(context.anchors).values())
    mean = np.mean(known, axis=0) if known else np.zeros(0, np.float32)
    if not np.any(mean):
        nothing = np.zeros(0, np.int64)
        return votes(context, Source.CONTENT, "near", nothing, nothing.astype(np.float64))
    return _nearest(context, "near", mean)


def _nearest(context: Context, code: str, target: Vector) -> Votes:
    """Return what may be shown and is nearest: from this process' vectors, or, where it holds none, from pgvector."""
    if vectors.are_held:
        slots, scores = vectors.nearest(target, context.eligible(), DEPTH)
        return votes(context, Source.CONTENT, code, context.shelf.ids[slots], scores)
    products, scores = _asked_of_pgvector(context, target)
    return votes(context, Source.CONTENT, code, products, scores)


def _asked_of_pgvector(context: Context, target: Vector) -> tuple[Ids, Scores]:
    condition, more = conditions(context.filters, context.verdicts.rules)
    # Our own constants are put together here; every value is a parameter.
    statement = NEAREST.format(condition=condition, limit=DEPTH + len(context.barred))
    with connection.cursor() as cursor:
        cursor.execute(statement, {"vector": format_vector(target)} | more)
        rows: list[Any] = [row for row in cursor.fetchall() if row[1] is not None]
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float64)
