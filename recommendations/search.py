"""Search: meaning by embeddings and words by full text, blended; exact names and ids first, typos understood."""

import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from catalog import embedding
from recommendations import merchandising, person, popular, relevance, rules, taste
from recommendations.contracts import (
    Item,
    PlacementSettings,
    ProductFacts,
    Query,
    Reason,
    Recommendations,
    Rule,
    Scored,
    Strategy,
    Taste,
)
from recommendations.filtering import conditions
from recommendations.relevance import BELOW_EXACT, Matches
from recommendations.selectors import event_weights
from recommendations.services import Served, remember
from recommendations.shelf import shelf
from recommendations.spelling import MOST_WORDS, Vocabulary, Word, words_of
from recommendations.stopwords import STOPWORDS
from recommendations.taste import format_vector
from recommendations.vectors import vectors

logger = structlog.get_logger(__name__)

DEPTH = 200
# Below this cosine MiniLM finds a likeness in anything.
LEAST_COSINE = 0.25
QUERY_SECONDS = 24 * 3600
# A served list keeps what it was about: of a search, so much of its text.
LONGEST_ANCHOR = 128
OPEN = PlacementSettings({})
# Whoever writes these knows what they want: nothing is corrected then.
OPERATORS = ('"', " -", " or ")

REASONS = {
    "exact": "Exactly what you searched for",
    "words": "Contains your words",
    "most_words": "Contains some of your words",
    "meaning": "Close in meaning",
}

# One round trip: exact names and ids, words, and meaning; then each product once, with all that is asked about it.
FIND = """
    WITH asked AS (SELECT {parse}('english', %(every)s) AS every, {parse}('english', %(most)s) AS most),
    exact AS (
        SELECT p.id FROM catalog_product p
        WHERE {shown} AND (p.product_id = ANY(%(ids)s) OR lower(p.title) = %(title)s) LIMIT {depth}
    ),
    lexical AS (
        SELECT p.id, count(*) OVER () AS total FROM catalog_product p, asked
        WHERE {shown} AND p.search @@ asked.most
        ORDER BY p.search @@ asked.every DESC, ts_rank(p.search, asked.most, 32) DESC, p.id LIMIT {depth}
    ),
    semantic AS ({semantic}),
    found AS (SELECT id FROM exact UNION SELECT id FROM lexical UNION SELECT id FROM semantic)
    SELECT p.id, exact.id IS NOT NULL, p.search @@ asked.every, p.search @@ asked.most,
        COALESCE(1 - (e.vector <=> %(vector)s::vector), 0), COALESCE(1 - (e.vector <=> %(taste)s::vector), 0),
        (SELECT max(total) FROM lexical)
    FROM found CROSS JOIN asked
    JOIN catalog_product p ON p.id = found.id
    LEFT JOIN exact ON exact.id = found.id
    LEFT JOIN catalog_productembedding e ON e.product_id = found.id
"""
SEMANTIC = """
    SELECT e.product_id AS id FROM catalog_productembedding e JOIN catalog_product p ON p.id = e.product_id
    WHERE {shown} ORDER BY e.vector <=> %(vector)s::vector LIMIT {depth}
"""
# Where this process holds all vectors, it has found the nearest already.
FOUND_HERE = "SELECT unnest(%(near)s::bigint[]) AS id"
# Words that stand in descriptions only are no mistakes.
KNOWN = """
    SELECT word FROM unnest(%s::text[]) AS word WHERE numnode(plainto_tsquery('english', word)) = 0
    OR EXISTS (SELECT FROM catalog_product p WHERE p.search @@ plainto_tsquery('english', word))
"""
_vocabulary = Vocabulary()


@dataclass(frozen=True, slots=True)
class Found:
    """Search results, how many products matched in all, and what was searched for where that was not as typed."""

    request_id: uuid.UUID
    total: int
    items: tuple[Item, ...]
    understood: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search as it was understood: the words, and the text whose meaning is looked for."""

    typed: str
    words: tuple[Word, ...]
    operators: bool = False

    @property
    def corrected(self) -> str | None:
        """Return the text with every mistake corrected, or None where there is none."""
        if not any(word.meant for word in self.words):
            return None
        return " ".join(word.likeliest for word in self.words)

    @property
    def telling(self) -> tuple[Word, ...]:
        """Return the words that say what is wanted: without “for” and “a”, unless there are no others."""
        return tuple(word for word in self.words if word.typed not in STOPWORDS) or self.words


def find(words: str, query: Query) -> Found:
    """Return what matches `words` best, under the query's filters, and remember what was served."""
    began = time.perf_counter()
    active, known = person.read(query)
    now = timezone.now()
    live = merchandising.live(merchandising.rules_of(active), merchandising.SEARCH, now)
    liked = taste.of(known, now=now, event_weights=event_weights())
    wanted = understand(words)
    rows = _matches(wanted, query, live, liked)
    items = tuple(_items(rows, wanted, query, live))
    asked = replace(query, anchors=(words[:LONGEST_ANCHOR],))
    answer = Recommendations(asked, Strategy.SEARCH, items, active.id, "off: search is not reranked")
    served = Served(uuid.uuid4(), "", answer)
    remember(served, placement="search", milliseconds=(time.perf_counter() - began) * 1000)
    return Found(served.request_id, _total(rows), items, wanted.corrected)


def understand(typed: str) -> Wanted:
    """Return a search with its mistakes corrected. One query where a word is in no title, brand or category."""
    words = tuple(dict.fromkeys(words_of(typed)))[:MOST_WORDS]
    if any(operator in f" {typed.casefold()}" for operator in OPERATORS):
        return Wanted(typed, tuple(map(Word, words)), operators=True)
    _vocabulary.follow(*shelf.everything())
    unknown = [word for word in words if word not in _vocabulary]
    return Wanted(typed, _vocabulary.understand(words, _known(unknown) if unknown else ()))


def _known(words: Sequence[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [list(words)])
        return {row[0] for row in cursor.fetchall()}


def _matches(wanted: Wanted, query: Query, live: tuple[Rule, ...], liked: Taste) -> list[Any]:
    shown, parameters = conditions(query.filters, live)
    if query.exclude:
        shown += " AND p.product_id <> ALL(%(excluded)s)"
        parameters["excluded"] = list(query.exclude)
    vector = _vector_of(wanted.corrected or wanted.typed) if wanted.words else None
    asked_here = vector is None or vectors.are_held
    semantic = FOUND_HERE if asked_here else SEMANTIC.format(shown=shown, depth=DEPTH)
    parse = "websearch_to_tsquery" if wanted.operators else "to_tsquery"
    statement = FIND.format(shown=shown, depth=DEPTH, semantic=semantic, parse=parse)
    name = " ".join(wanted.typed.split())
    every, most = (wanted.typed, wanted.typed) if wanted.operators else _tsqueries(wanted.telling)
    parameters |= {
        "every": every,
        "most": most,
        "ids": [name, name.lower(), name.upper()],
        "title": name.lower(),
        "near": _near(vector, query, live) if asked_here else [],
        "vector": None if vector is None else format_vector(vector),
        "taste": None if liked.vector is None else format_vector(liked.vector),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        # A product that came in between two queries waits for the next search.
        return [row for row in cursor.fetchall() if (row[1] or row[3] or row[4] >= LEAST_COSINE) and shelf.get(row[0])]


def _near(vector: npt.NDArray[np.float32] | None, query: Query, live: tuple[Rule, ...]) -> list[int]:
    """Return the products nearest in meaning that may be shown, from this process' vectors."""
    if vector is None:
        return []
    allowed = shelf.eligible(query.filters).copy()
    allowed &= ~merchandising.verdicts_of(live, shelf).hidden(len(allowed))
    barred = shelf.slots_of(shelf.ids_of(query.exclude))
    allowed[barred[barred >= 0]] = False
    slots, _ = vectors.nearest(vector, allowed, DEPTH)
    found: list[int] = shelf.ids[slots].tolist()
    return found


def _tsqueries(words: Sequence[Word]) -> tuple[str, str]:
    """Return the query of what has every word, and of what may lack one of three or more, or those no product has."""
    groups = ["(" + " | ".join(map(_quoted, (word.typed, *word.meant))) + ")" for word in words]
    every = " & ".join(groups)
    fewer = [groups[:place] + groups[place + 1 :] for place in range(len(groups))] if len(groups) > 2 else []
    known = [group for group, word in zip(groups, words, strict=True) if word.known]
    if known and len(known) < len(groups):
        fewer.append(known)
    return every, " | ".join("(" + " & ".join(some) + ")" for some in fewer) or every


def _quoted(word: str) -> str:
    parts = ["'" + part.replace("\\", "\\\\").replace("'", "''") + "'" for part in word.split()]
    return f"({' & '.join(parts)})" if len(parts) > 1 else parts[0]


def _total(rows: Sequence[Any]) -> int:
    """Return how many products match: all that have the words, and those near in meaning besides."""
    with_words = max((row[6] for row in rows if row[6] is not None), default=0)
    return with_words + sum(not row[3] for row in rows)


def _items(rows: Sequence[Any], wanted: Wanted, query: Query, live: tuple[Rule, ...]) -> list[Item]:
    """Return the best: exact matches first, whatever anybody likes or a rule boosts."""
    scored = _scored(rows, wanted)
    facts = {one.product: shelf.facts(one.product) for one in scored}
    exact = [one for one in scored if one.loudest == "exact"]
    others = rules.apply(
        scored[len(exact) :],
        facts,
        barred=(),
        settings=OPEN,
        limit=query.limit,
        verdicts=merchandising.verdicts_of(live, shelf).of(list(facts), shelf),
    )
    below = [replace(one, score=min(one.score, BELOW_EXACT)) for one in others]
    return [Item(one, facts[one.product], _reason(one)) for one in [*exact, *below][: query.limit]]


def _scored(rows: Sequence[Any], wanted: Wanted) -> list[Scored]:
    """Return the matches, best first: of equal scores the more popular, then the smaller id."""
    matches = Matches(
        products=np.array([row[0] for row in rows], np.int64),
        exact=np.array([row[1] for row in rows], bool),
        every=np.array([row[2] for row in rows], bool),
        cosine=np.array([row[4] for row in rows], np.float64),
        affinity=np.array([row[5] for row in rows], np.float64),
    )
    facts: list[ProductFacts] = [shelf.facts(product) for product in matches.products.tolist()]
    scores = relevance.scores_of(matches, wanted.telling, facts)
    popularity = popular.scores_of(matches.products)
    order = np.lexsort((matches.products, -popularity, -scores)).tolist()
    return [
        Scored(
            product=rows[place][0],
            score=float(scores[place]),
            content=float(np.clip(matches.cosine[place], 0, 1)),
            collaborative=0.0,
            popularity=float(popularity[place]),
            loudest=_loudest(*rows[place][1:4]),
            support=0,
            because=0,
        )
        for place in order
    ]


def _loudest(exact: bool, every: bool, most: bool) -> str:
    if exact:
        return "exact"
    return "words" if every else "most_words" if most else "meaning"


def _reason(one: Scored) -> Reason:
    return Reason(f"matches_{one.loudest}", REASONS[one.loudest])


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
