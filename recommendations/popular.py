"""The live popularity of every product: shared among processes through Redis, read anew every few seconds."""

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from django.core.cache import cache
from django.db import connection

from recommendations.contracts import Ids, Scores
from recommendations.forward_decay import popularity_as_of
from recommendations.leading import leading
from recommendations.selectors import event_weights
from recommendations.shelf import shelf

REFRESH_SECONDS = 3.0
# So many of the most popular are kept in order; a list that may hold few of them looks at all products.
BEST = 4_000
READ = "SELECT product_id, score FROM recommendations_productpopularity WHERE score > 0 ORDER BY product_id"

_lock = threading.Lock()


class _Kept:
    """What this process read last: products in ascending order, and their relative counts, as one pair."""

    counts: tuple[Ids, Scores] = (np.zeros(0, np.int64), np.zeros(0))
    read_at = -np.inf
    key = ""
    standing: "Standing | None" = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Every product's relative popularity by slot of the shelf, and the slots of the best, the newest of equals first.

    `counts` are those it was made from.
    """

    counts: tuple[Ids, Scores]
    scores: Scores
    best: npt.NDArray[np.int64]


def standing() -> Standing:
    """Return how the products on the shelf stand now; worked out once for each reading and size of the shelf."""
    _refresh()
    kept, counts, ids = _Kept.standing, _Kept.counts, shelf.ids
    if kept is None or kept.counts is not counts or len(kept.scores) != len(ids):
        scores = _looked_up(counts, ids)
        kept = Standing(counts, scores, leading(ids, scores, BEST, newest_first=True))
        _Kept.standing = kept
    return kept


def scores_of(products: Ids, *, as_of: datetime | None = None) -> Scores:
    """Return each product's popularity relative to the most popular one of all, in [0, 1].

    The decay factor of the present moment is common to all products, so it cancels out. With an *as-of*, only what
    happened before it is counted.
    """
    if as_of is None:
        _refresh()
    return _looked_up(_Kept.counts if as_of is None else _counted_before(as_of), products)


def _looked_up(counts: tuple[Ids, Scores], products: Ids) -> Scores:
    known, scores = counts
    if len(known) == 0:
        return np.zeros(len(products))
    places = np.minimum(np.searchsorted(known, products), len(known) - 1)
    return np.where(known[places] == products, scores[places], 0.0)


def forget() -> None:
    """Read again at the next question; other processes do so within `REFRESH_SECONDS`."""
    _Kept.read_at = -np.inf
    _counted_before.cache_clear()
    if _Kept.key:
        cache.delete(_Kept.key)


def _cache_key() -> str:
    """Return a key that carries a digest of the event weights: counts made with other weights are not found."""
    weights = repr(sorted(event_weights().items()))
    return f"popularity:{hashlib.sha256(weights.encode()).hexdigest()[:12]}"


def _refresh() -> None:
    if time.monotonic() - _Kept.read_at < REFRESH_SECONDS or not _lock.acquire(blocking=_Kept.read_at < 0):
        return
    try:
        if time.monotonic() - _Kept.read_at < REFRESH_SECONDS:
            return
        _Kept.key = _cache_key()
        raw = cache.get(_Kept.key)
        if raw is None:
            raw = _read()
            cache.set(_Kept.key, raw, timeout=REFRESH_SECONDS)
        _Kept.counts = np.frombuffer(raw[0], np.int64), np.frombuffer(raw[1], np.float64)
        _Kept.read_at = time.monotonic()
    finally:
        _lock.release()


def _read() -> tuple[bytes, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(READ)
        products, scores = _relative(cursor.fetchall())
    return products.tobytes(), scores.tobytes()


@lru_cache(maxsize=4)
def _counted_before(as_of: datetime) -> tuple[Ids, Scores]:
    return _relative([row for row in popularity_as_of(as_of, event_weights()) if row[1] > 0])


def _relative(rows: Sequence[tuple[int, float]]) -> tuple[Ids, Scores]:
    """Return products and their counts divided by the largest; `rows` are ordered by product."""
    products = np.array([row[0] for row in rows], np.int64)
    sums = np.array([row[1] for row in rows], np.float64)
    return products, sums / sums.max() if len(sums) else sums
