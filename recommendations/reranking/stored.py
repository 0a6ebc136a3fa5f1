"""Pair scores that were computed beforehand, as PostgreSQL keeps them: no model is needed to use them."""

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection

from recommendations.reranking.texts import Pair, Relation

# Rows may be scored anew at any time, so a process reads them again after this long.
KEEP_SECONDS = 60.0
MOST_KEPT = 20_000
READ = """
    SELECT product_id, candidates, scores FROM recommendations_pairscores
    WHERE reranker_id = %s AND relation = %s AND product_id = ANY(%s)
"""
Key = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class _Row:
    scores: Mapping[int, float]
    read_at: float


_kept: dict[Key, _Row] = {}
_lock = threading.Lock()


def scores_of(reranker: int, relation: Relation, contexts: Collection[int]) -> dict[Pair, float]:
    """Return the stored scores of all pairs of these context products. At most one query."""
    now = time.monotonic()
    rows = {product: _kept.get((reranker, relation, product)) for product in contexts}
    missing = [product for product, row in rows.items() if row is None or now - row.read_at > KEEP_SECONDS]
    if missing:
        rows |= _read(reranker, relation, missing, now)
    return {
        Pair(product, candidate): score
        for product, row in rows.items()
        if row is not None
        for candidate, score in row.scores.items()
    }


def forget() -> None:
    """Drop every kept row."""
    with _lock:
        _kept.clear()


def _read(reranker: int, relation: Relation, products: list[int], now: float) -> dict[int, _Row]:
    rows = dict.fromkeys(products, _Row({}, now))
    with connection.cursor() as cursor:
        cursor.execute(READ, [reranker, relation, products])
        for product, candidates, scores in cursor.fetchall():
            rows[product] = _Row(dict(zip(candidates, scores, strict=True)), now)
    with _lock:
        if len(_kept) + len(rows) > MOST_KEPT:
            _kept.clear()
        _kept.update({(reranker, relation, product): row for product, row in rows.items()})
    return rows
