"""Reading neighbour lists: each row belongs to one immutable model version, so what was read once may be kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from django.db import connection

from recommendations.contracts import Counts, Ids, Scores

# At 50 neighbours a row takes about 1.5 kB: a full cache holds 30 MB.
MOST_KEPT = 20_000

READ = """
    SELECT product_id, neighbours, scores, supports FROM recommendations_neighbourlist
    WHERE version_id = %s AND kind = %s AND product_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class NeighbourRow:
    """The neighbours of one product, best first: parallel arrays of ids, similarities and support counts."""

    products: Ids
    scores: Scores
    supports: Counts


NOBODY = NeighbourRow(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))

_kept: dict[tuple[int, str, int], NeighbourRow] = {}
_lock = Lock()


def lists_of(version: int | None, kind: str, products: Iterable[int]) -> dict[int, NeighbourRow]:
    """Return the neighbour lists of `products`; those without one get an empty one. At most one query."""
    if version is None:
        return dict.fromkeys(products, NOBODY)
    asked = list(products)
    found = {product: row for product in asked if (row := _kept.get((version, kind, product))) is not None}
    missing = [product for product in asked if product not in found]
    if missing:
        read = _read(version, kind, missing)
        _keep(version, kind, read)
        found |= read
    return found


def forget() -> None:
    """Drop every kept row."""
    with _lock:
        _kept.clear()


def _read(version: int, kind: str, products: list[int]) -> dict[int, NeighbourRow]:
    rows = dict.fromkeys(products, NOBODY)
    with connection.cursor() as cursor:
        cursor.execute(READ, [version, kind, products])
        for product, neighbours, scores, supports in cursor.fetchall():
            rows[product] = NeighbourRow(
                np.array(neighbours, np.int64), np.array(scores, np.float64), np.array(supports, np.int64)
            )
    return rows


def _keep(version: int, kind: str, rows: dict[int, NeighbourRow]) -> None:
    with _lock:
        if len(_kept) + len(rows) > MOST_KEPT:
            _kept.clear()
        _kept.update({(version, kind, product): row for product, row in rows.items()})
