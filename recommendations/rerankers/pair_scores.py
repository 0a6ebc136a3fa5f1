"""Pair scores computed beforehand: the best candidates of each product, in chunks, the most popular products first.

It may be ended at any moment and goes on where it stopped: whatever is stored is whole, and what is due is asked of the
database. A row is due where there is none, where the product's text or a candidate's is newer, or where a later model
version may propose others; pairs that are scored already are not scored again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from recommendations.contracts import Placement, Query
from recommendations.models import Reranker
from recommendations.pipeline import consider
from recommendations.rerankers.judging import Scores, scored_pairs
from recommendations.reranking import HEAD, Mode, Stage, stored
from recommendations.reranking.texts import RELATIONS, Pair, Relation
from recommendations.shelf import shelf

# Some more than are reranked: filters and exclusions move others up.
STORED = 60
CHUNK = 40
PLACEMENTS = {
    Relation.NEXT: (Placement.PRODUCT,),
    Relation.TOGETHER: (Placement.CART, Placement.BOUGHT_TOGETHER),
}
DUE = """
    SELECT p.id FROM catalog_product p
    LEFT JOIN recommendations_pairscores s
        ON s.reranker_id = %(reranker)s AND s.relation = %(relation)s AND s.product_id = p.id
    LEFT JOIN recommendations_productpopularity f ON f.product_id = p.id
    WHERE p.is_active AND (
        s.id IS NULL
        OR s.scored_at < %(began)s AND (
            s.scored_at < (SELECT activated_at FROM recommendations_modelversion WHERE state = 'active')
            OR EXISTS (
                SELECT FROM catalog_productembedding e
                WHERE (e.product_id = p.id OR e.product_id = ANY(s.candidates)) AND e.updated_at > s.scored_at
            )
        )
    )
    ORDER BY COALESCE(f.score, 0) DESC, p.id LIMIT %(most)s
"""
STILL_TRUE = """
    SELECT s.product_id, c.candidate, c.score
    FROM recommendations_pairscores s
    JOIN catalog_productembedding own ON own.product_id = s.product_id AND own.updated_at <= s.scored_at
    CROSS JOIN unnest(s.candidates, s.scores) AS c(candidate, score)
    JOIN catalog_productembedding e ON e.product_id = c.candidate AND e.updated_at <= s.scored_at
    WHERE s.reranker_id = %s AND s.relation = %s AND s.product_id = ANY(%s)
"""
STORE = """
    INSERT INTO recommendations_pairscores (reranker_id, relation, product_id, candidates, scores, scored_at)
    SELECT %s, %s, %s, %s, %s, now() FROM recommendations_reranker WHERE id = %s
    ON CONFLICT (reranker_id, relation, product_id)
        DO UPDATE SET candidates = EXCLUDED.candidates, scores = EXCLUDED.scores, scored_at = EXCLUDED.scored_at
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a run did: products whose row was written, pairs that the model scored, and whether any are still due."""

    products: int
    pairs: int
    finished: bool


def relations_of(row: Reranker) -> list[Relation]:
    """Return what is worth scoring beforehand: product pages always, else where the reranker helps."""
    helped = {RELATIONS[Placement(name)] for name, chosen in row.placements.items() if chosen["helps"]}
    shown = {Relation.NEXT} if Placement.PRODUCT.value in row.placements else set()
    return sorted(helped | shown)


def score_pairs(row: Reranker, scores: Scores, *, late: Callable[[], bool], tick: Callable[[], None]) -> Scored:
    """Score what is due until nothing is, or `late` says that time is over; `tick` is called after each product."""
    shelf.refresh()
    began = _now()
    products = pairs = 0
    for relation in relations_of(row):
        while due := _due(row, relation, began):
            if late():
                return Scored(products, pairs, finished=False)
            pairs += _chunk(row, relation, due, scores)
            products += len(due)
            for _ in due:
                tick()
    return Scored(products, pairs, finished=True)


def _now() -> datetime:
    """Return the database's time, by which rows are dated: what was written since is not due again in this run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _due(row: Reranker, relation: Relation, began: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"reranker": row.pk, "relation": relation, "began": began, "most": CHUNK})
        return [product for (product,) in cursor.fetchall()]


def _chunk(row: Reranker, relation: Relation, products: Sequence[int], scores: Scores) -> int:
    """Bring the rows of these products up to date; return how many pairs had to be scored."""
    wanted = {product: proposed(product, PLACEMENTS[relation]) for product in products}
    known = _still_true(row, relation, products)
    missing = [
        pair for product in products for one in wanted[product] if (pair := Pair(product, one)) not in known
    ]  # fmt: skip
    known |= scored_pairs(missing, relation, scores)
    with connection.cursor() as cursor:
        for product in products:
            values = [round(known[Pair(product, one)], 6) for one in wanted[product]]
            cursor.execute(STORE, [row.pk, relation, product, wanted[product], values, row.pk])
    stored.forget()
    return len(missing)


def proposed(product: int, placements: Collection[Placement]) -> list[int]:
    """Return what stage 2 proposes for a product on these placements, best first, each once."""
    name = shelf.facts(product).product_id
    found: dict[int, None] = {}
    for placement in placements:
        query = Query(placement, limit=HEAD, anchors=(name,))
        scored = consider(query, stage=Stage(Mode.OFF, "scoring pairs")).scored
        found |= dict.fromkeys(one.product for one in scored[:STORED])
    return list(found)


def _still_true(row: Reranker, relation: Relation, products: Sequence[int]) -> dict[Pair, float]:
    with connection.cursor() as cursor:
        cursor.execute(STILL_TRUE, [row.pk, relation, list(products)])
        return {Pair(product, candidate): score for product, candidate, score in cursor.fetchall()}


def coverage(row: Reranker) -> Mapping[str, int]:
    """Return how many products have stored scores, by relation."""
    counts: dict[str, int] = {}
    for relation in row.pair_scores.values_list("relation", flat=True):
        counts[relation] = counts.get(relation, 0) + 1
    return counts
