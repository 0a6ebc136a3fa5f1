"""Search: meaning by embeddings and words by full text, blended; exact names and ids come first."""

import hashlib
import time
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from catalog import embedding
from recommendations import popular
from recommendations.contracts import Filters, Item, Query, Reason, Recommendations, Scored, Strategy
from recommendations.filtering import conditions
from recommendations.services import Served, remember
from recommendations.shelf import shelf
from recommendations.taste import format_vector

logger = structlog.get_logger(__name__)

DEPTH = 200
# Below this cosine MiniLM finds a likeness in anything.
LEAST_COSINE = 0.25
WORDS, MEANING = 0.5, 0.5
QUERY_SECONDS = 24 * 3600

# One round trip: exact names and ids, words, and meaning, each with its score; then together, once a product.
FIND = """
    WITH asked AS (SELECT websearch_to_tsquery('english', %(words)s) AS words),
    exact AS (
        SELECT p.id, 1.0::float8 AS words FROM catalog_product p
        WHERE {available} AND (p.product_id = %(words)s OR lower(p.title) = lower(%(words)s)) LIMIT {depth}
    ),
    lexical AS (
        SELECT p.id, ts_rank(p.search, asked.words, 32)::float8 AS words, count(*) OVER () AS total
        FROM catalog_product p, asked WHERE {available} AND p.search @@ asked.words
        ORDER BY 2 DESC, p.id LIMIT {depth}
    ),
    semantic AS ({semantic})
    SELECT id, exact.words IS NOT NULL, COALESCE(lexical.words, 0), COALESCE(semantic.cosine, 0), lexical.total
    FROM exact FULL JOIN lexical USING (id) FULL JOIN semantic USING (id)
"""
SEMANTIC = """
    SELECT e.product_id AS id, 1 - (e.vector <=> %(vector)s::vector) AS cosine
    FROM catalog_productembedding e JOIN catalog_product p ON p.id = e.product_id
    WHERE {available} ORDER BY e.vector <=> %(vector)s::vector LIMIT {depth}
"""
NO_SEMANTIC = "SELECT NULL::bigint AS id, NULL::float8 AS cosine WHERE false"


@dataclass(frozen=True, slots=True)
class Found:
    """Search results, and how many products matched in all."""

    request_id: uuid.UUID
    total: int
    items: tuple[Item, ...]


def find(words: str, query: Query) -> Found:
    """Return what matches `words` best, under the query's filters, and remember what was served."""
    began = time.perf_counter()
    version = shelf.refresh()
    rows = [row for row in _matches(words, query.filters) if _shelf_has(row[0], query.exclude)]
    total = len(rows) + max((row[4] - DEPTH for row in rows if row[4] is not None and row[4] > DEPTH), default=0)
    ranked = sorted(_scored(rows), key=lambda one: (-one.score, one.product))[: query.limit]
    items = tuple(Item(one, shelf.facts(one.product), _reason(one)) for one in ranked)
    answer = Recommendations(query, Strategy.SEARCH, items, version.id, "off: search is not reranked")
    served = Served(uuid.uuid4(), "", answer)
    remember(served, placement="search", milliseconds=(time.perf_counter() - began) * 1000)
    return Found(served.request_id, total, items)


def _matches(words: str, filters: Filters) -> list[Any]:
    available, parameters = conditions(filters)
    vector = _vector_of(words)
    semantic = NO_SEMANTIC if vector is None else SEMANTIC.format(available=available, depth=DEPTH)
    statement = FIND.format(available=available, depth=DEPTH, semantic=semantic)
    parameters |= {"words": words} | ({} if vector is None else {"vector": format_vector(vector)})
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row for row in cursor.fetchall() if row[1] or row[2] > 0 or row[3] >= LEAST_COSINE]


def _shelf_has(product: int, excluded: frozenset[str]) -> bool:
    """Keep what the shelf knows: a product that came in between the two queries waits for the next search."""
    facts = shelf.get(product)
    return facts is not None and facts.product_id not in excluded


def _scored(rows: list[Any]) -> list[Scored]:
    """Return the matches with score = ½ words + ½ meaning, each divided by the best; 1 for an exact name or id."""
    if not rows:
        return []
    lexical = np.array([row[2] for row in rows])
    cosine = np.clip(np.array([row[3] for row in rows]), 0.0, 1.0)
    spoken = lexical / lexical.max() if lexical.max() > 0 else lexical
    share = WORDS if lexical.max() > 0 else 0.0
    blended = share * spoken + (1 - share) * cosine
    popularity = popular.scores_of(np.array([row[0] for row in rows], np.int64))
    return [
        Scored(
            product=row[0],
            score=1.0 if row[1] else float(min(blended[place], 0.9999)),
            content=float(cosine[place]),
            collaborative=0.0,
            popularity=float(popularity[place]),
            loudest="exact" if row[1] else "words" if row[2] > 0 else "meaning",
            support=0,
            because=0,
        )
        for place, row in enumerate(rows)
    ]


def _reason(one: Scored) -> Reason:
    texts = {"exact": "Exactly what you searched for", "words": "Contains your words", "meaning": "Close in meaning"}
    return Reason(f"matches_{one.loudest}", texts[one.loudest])


def _vector_of(words: str) -> npt.NDArray[np.float32] | None:
    """Return the embedding of a search, shared through the cache; None where the model cannot be loaded."""
    digest = hashlib.sha256(f"{settings.EMBEDDING_MODEL}\n{words.casefold()}".encode()).hexdigest()
    kept = cache.get(f"query-vector:{digest}")
    if kept is not None:
        return np.frombuffer(kept, np.float32)
    try:
        vector: npt.NDArray[np.float32] = embedding.encode([words])[0]
    except (embedding.ModelError, OSError) as error:
        logger.warning("search_without_meaning", error=type(error).__name__)
        return None
    cache.set(f"query-vector:{digest}", vector.tobytes(), timeout=QUERY_SECONDS)
    return vector
