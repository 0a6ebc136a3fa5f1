"""Content: products whose texts are near, by cosine of embeddings in pgvector."""

from typing import Any

import numpy as np
from django.db import connection

from recommendations.candidates import DEPTH, Context, votes
from recommendations.contracts import RuleAction, Source, Votes
from recommendations.filtering import conditions
from recommendations.models import NeighbourList
from recommendations.neighbours import lists_of
from recommendations.taste import format_vector

# The filters stand in the same statement as the ordering: with `hnsw.iterative_scan` the index goes on until the
# list is full, however few products pass.
NEAREST = """
    SELECT e.product_id, 1 - (e.vector <=> {target})
    FROM catalog_productembedding e JOIN catalog_product p ON p.id = e.product_id
    WHERE {condition}
    ORDER BY e.vector <=> {target} LIMIT {limit}
"""
TO_TASTE = "%(vector)s::vector"
TO_ANCHORS = "(SELECT avg(vector) FROM catalog_productembedding WHERE product_id = ANY(%(anchors)s))"


def near_taste(context: Context) -> Votes | None:
    """Return what is near the shopper's taste, or None where they have none. One query."""
    if context.taste.vector is None:
        return None
    return _nearest(context, "taste", TO_TASTE, {"vector": format_vector(context.taste.vector)})


def near_anchors(context: Context) -> Votes:
    """Return what is near the product or the cart in question. One query.

    A single product without filters is answered from its stored neighbours, where the version has them.
    """
    if len(context.anchors) == 1 and not context.filters:
        row = lists_of(context.version, NeighbourList.Kind.CONTENT, context.anchors)[context.anchors[0]]
        found = votes(context, Source.CONTENT, "near", row.products, row.scores)
        # What a rule hides may be all that is near: the index knows more than the stored neighbours do.
        if len(found) >= context.query.limit or (len(row.products) > 0 and not context.verdicts.says(RuleAction.HIDE)):
            return found
    return _nearest(context, "near", TO_ANCHORS, {"anchors": list(context.anchors)})


def _nearest(context: Context, code: str, target: str, parameters: dict[str, Any]) -> Votes:
    condition, more = conditions(context.filters, context.verdicts.rules)
    limit = DEPTH + len(context.barred)
    # Our own constants are put together here; every value is a parameter.
    statement = NEAREST.format(target=target, condition=condition, limit=limit)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters | more)
        rows = [row for row in cursor.fetchall() if row[1] is not None]
    products = np.array([row[0] for row in rows], np.int64)
    scores = np.array([row[1] for row in rows], np.float64)
    return votes(context, Source.CONTENT, code, products, scores)
