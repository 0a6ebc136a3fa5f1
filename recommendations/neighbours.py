"""Reading neighbour lists: each row belongs to one immutable model version, so what was read once may be kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from django.db import connection

from recommendations.contracts import Counts, Ids, Scores

# At 50 neighbours a row takes about 1.5 kB: a full cache holds 30 MB.
MOST_KEPT = 20_000

READ = """
    SELECT kind, product_id, neighbours, scores, supports FROM recommendations_neighbourlist
    WHERE version_id = %s AND kind = ANY(%s) AND product_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class NeighbourRow:
    """The neighbours of one product, best first: parallel arrays of ids, similarities and support counts."""

    products: Ids
    scores: Scores
    supports: Counts


NOBODY = NeighbourRow(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))

Key = tuple[int, str, int]
_kept: dict[Key, NeighbourRow] = {}
_lock = Lock()


Lists = dict[int, NeighbourRow]


def lists_of(version: int | None, kind: str, products: Iterable[int]) -> Lists:
    """Return the neighbour lists of `products`; those without one get an empty one. At most one query."""
    return lists_of_kinds(version, [kind], products)[kind]


def lists_of_kinds(version: int | None, kinds: Sequence[str], products: Iterable[int]) -> dict[str, Lists]:
    """Return the lists of `products` of several kinds. At most one query."""
    asked = list(products)
    if version is None:
        return {kind: dict.fromkeys(asked, NOBODY) for kind in kinds}
    missing = sorted({product for kind in kinds for product in asked if (version, kind, product) not in _kept})
    read = _read(version, kinds, missing) if missing else {}
    found = {
        kind: {
            product: read.get((version, kind, product)) or _kept.get((version, kind, product), NOBODY)
            for product in asked
        }
        for kind in kinds
    }
    _keep(read)
    return found


def forget() -> None:
    """Drop every kept row."""
    with _lock:
        _kept.clear()


def _read(version: int, kinds: Sequence[str], products: list[int]) -> dict[Key, NeighbourRow]:
    rows = {(version, kind, product): NOBODY for kind in kinds for product in products}
    with connection.cursor() as cursor:
        cursor.execute(READ, [version, list(kinds), products])
        for kind, product, neighbours, scores, supports in cursor.fetchall():
            rows[version, kind, product] = NeighbourRow(
                np.array(neighbours, np.int64), np.array(scores, np.float64), np.array(supports, np.int64)
            )
    return rows


def _keep(rows: dict[Key, NeighbourRow]) -> None:
    with _lock:
        if len(_kept) + len(rows) > MOST_KEPT:
            _kept.clear()
        _kept.update(rows)
