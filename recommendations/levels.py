"""Reading product levels: they belong to one immutable model version, so a process reads each version's once."""

from threading import Lock

import numpy as np
from django.db import connection

from recommendations.contracts import Ids, Scores

MOST_VERSIONS = 3
MOST_PROPOSED = 1000
READ = 'SELECT code, products, "values" FROM recommendations_productlevels WHERE version_id = %s'

# The level of usual days between two purchases; 0 for what is not bought again.
RESTOCK_DAYS = "restock"

Levels = dict[str, tuple[Ids, Scores]]
_kept: dict[int, Levels] = {}
_lock = Lock()


def values_of(version: int | None, code: str, products: Ids, *, otherwise: float = 0.0) -> Scores:
    """Return one level of `products`; those without one get `otherwise`. One query a version and process."""
    ids, values = _of(version).get(code, (np.zeros(0, np.int64), np.zeros(0)))
    if len(ids) == 0 or len(products) == 0:
        return np.full(len(products), otherwise)
    places = np.minimum(np.searchsorted(ids, products), len(ids) - 1)
    return np.where(ids[places] == products, values[places], otherwise)


def has(version: int | None, code: str) -> bool:
    """Tell whether a version keeps this level. One query a version and process."""
    return code in _of(version)


def best_of(version: int | None, code: str) -> Ids:
    """Return the products where a level is highest, best first (ties by id), at most 1,000. One query a version."""
    ids, values = _of(version).get(code, (np.zeros(0, np.int64), np.zeros(0)))
    few = min(MOST_PROPOSED, len(ids))
    chosen = np.argpartition(-values, few - 1)[:few] if few else np.zeros(0, np.int64)
    return ids[chosen[np.lexsort((ids[chosen], -values[chosen]))]]


def forget() -> None:
    """Drop everything that was read."""
    with _lock:
        _kept.clear()


def _of(version: int | None) -> Levels:
    if version is None:
        return {}
    found = _kept.get(version)
    return _read(version) if found is None else found


def _read(version: int) -> Levels:
    with connection.cursor() as cursor:
        cursor.execute(READ, [version])
        read = {
            code: (np.array(products, np.int64), np.array(values, np.float64))
            for code, products, values in cursor.fetchall()
        }
    with _lock:
        if len(_kept) >= MOST_VERSIONS:
            _kept.clear()
        _kept[version] = read
    return read
