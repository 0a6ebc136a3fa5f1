"""Reading neighbour lists: rows of an immutable model version, brought up to the present by pairs folded since.

A merged row may be kept until a folding changes one of its pairs; each request brings the number of the last folding.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
from django.db import connection

from recommendations import levels
from recommendations.contracts import Counts, Ids, NeighbourRow
from recommendations.merging import Counted, merged_companions, merged_neighbours
from recommendations.models import NeighbourList

# A neighbour takes 24 bytes: at 100 neighbours a row, a full cache holds about 50 MB; the EASE of carts has up to 600.
MOST_KEPT = 20_000
LIST_LENGTH = 50
# The kinds that follow the present, and the level that says how many had each product when the version was trained.
FOLLOWING: Mapping[str, str] = {NeighbourList.Kind.ITEM_TO_ITEM: "persons", NeighbourList.Kind.TOGETHER: "orders"}
# Under this number instead of a product's stands the count of all orders.
ALL = 0

READ = """
    SELECT kind, product_id, neighbours, scores, supports FROM recommendations_neighbourlist
    WHERE version_id = %s AND kind = ANY(%s) AND product_id = ANY(%s)
"""
# And the pairs of each product that came since the version; and how many came to have each product of those pairs.
READ_FOLLOWING = f"""
    {READ}
    UNION ALL
    SELECT 'persons and orders', product, array_agg(other), array_agg(persons::float8), array_agg(orders)
    FROM (
        SELECT product, other, sum(persons) AS persons, sum(orders)::int AS orders FROM recommendations_freshpair
        WHERE product = ANY(%s) AND epoch >= %s GROUP BY product, other
    ) AS pairs GROUP BY product
    UNION ALL
    SELECT 'had', 0, array_agg(product), array_agg(persons::float8), array_agg(orders)
    FROM (
        SELECT product, sum(persons) AS persons, sum(orders)::int AS orders FROM recommendations_freshpair
        WHERE product = other AND epoch >= %s AND product IN (
            SELECT other FROM recommendations_freshpair WHERE product = ANY(%s) AND epoch >= %s UNION ALL SELECT 0
        ) GROUP BY product
    ) AS singles
"""  # noqa: S608  constants of this module
CHANGED = "SELECT DISTINCT product FROM recommendations_freshpair WHERE changed > %s"

NOBODY = NeighbourRow(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))

# Version, kind, product, and whether the row follows the present.
Key = tuple[int, str, int, bool]
_kept: dict[Key, NeighbourRow] = {}
_lock = Lock()


class _Followed:
    """Up to which folding the kept rows are known to be right."""

    number = 0


Lists = dict[int, NeighbourRow]


def lists_of(version: int | None, kind: str, products: Iterable[int], *, present: bool) -> Lists:
    """Return the neighbour lists of `products`; those without one get an empty one. At most one query."""
    return lists_of_kinds(version, [kind], products, present=present)[kind]


def lists_of_kinds(
    version: int | None, kinds: Sequence[str], products: Iterable[int], *, present: bool
) -> dict[str, Lists]:
    """Return the lists of `products` of several kinds. At most one query, and one a version.

    In the `present`, what was folded since the version counts; a list as of another moment must not know of it.
    """
    asked = list(products)
    if version is None and not present:
        return {kind: dict.fromkeys(asked, NOBODY) for kind in kinds}
    number, followed = version or 0, _Followed.number
    keys = {
        kind: {product: (number, kind, product, present and kind in FOLLOWING) for product in asked} for kind in kinds
    }
    missing = sorted({key[2] for of in keys.values() for key in of.values() if key not in _kept})
    read = _read(number, kinds, missing, present=present) if missing else {}
    found = {
        kind: {product: read.get(key) or _kept.get(key, NOBODY) for product, key in of.items()}
        for kind, of in keys.items()
    }
    _keep(read, followed)
    return found


def follow(number: int) -> None:
    """Drop the kept rows that foldings up to this number have changed. A query where there was one."""
    seen = _Followed.number
    if number == seen:
        return
    changed: set[int] = set()
    if 0 < seen < number:
        with connection.cursor() as cursor:
            cursor.execute(CHANGED, [seen])
            changed = {row[0] for row in cursor.fetchall()}
    with _lock:
        if changed:
            for key in [key for key in _kept if key[3] and key[2] in changed]:
                del _kept[key]
        elif not 0 < seen < number:
            _kept.clear()
        _Followed.number = number


def forget() -> None:
    """Drop every kept row."""
    with _lock:
        _kept.clear()
        _Followed.number = 0


def _read(version: int, kinds: Sequence[str], products: list[int], *, present: bool) -> dict[Key, NeighbourRow]:
    following = [kind for kind in kinds if present and kind in FOLLOWING]
    stored: list[Any] = [version, list(kinds), products]
    parameters = [*stored, products, version, version, products, version] if following else stored
    rows = {(version, kind, product, kind in following): NOBODY for kind in kinds for product in products}
    pairs: dict[int, tuple[Ids, Any, Counts]] = {}
    with connection.cursor() as cursor:
        cursor.execute(READ_FOLLOWING if following else READ, parameters)
        for kind, product, others, scores, supports in cursor.fetchall():
            if others is None:
                continue
            arrays = np.array(others, np.int64), np.array(scores, np.float64), np.array(supports, np.int64)
            if kind in ("persons and orders", "had"):
                pairs[product if kind != "had" else ALL] = arrays
            else:
                rows[version, kind, product, kind in following] = NeighbourRow(*arrays)
    if len(pairs) > 1:
        _merge(rows, pairs, version, following)
    return rows


def _merge(
    rows: dict[Key, NeighbourRow], pairs: Mapping[int, tuple[Ids, Any, Counts]], version: int, kinds: Sequence[str]
) -> None:
    """Bring rows up to the present, in place. `pairs` holds, under `ALL`, how many came to have each product."""
    singles: dict[str, dict[int, float]] = defaultdict(dict)
    for product, persons, orders in zip(*(column.tolist() for column in pairs[ALL]), strict=True):
        singles["persons"][product], singles["orders"][product] = persons, float(orders)
    for product, (others, persons, orders) in pairs.items():
        for kind in kinds if product != ALL else ():
            level, key = FOLLOWING[kind], (version, kind, product, True)
            both = (persons if level == "persons" else orders).astype(np.int64)
            since = _since(product, others, both, singles[level])
            before = _before(version, level, np.union1d(rows[key].products, since.others), product)
            if before is None:
                continue
            merged = merged_neighbours if level == "persons" else merged_companions
            rows[key] = merged(rows[key], before, since, most=LIST_LENGTH)


def _since(product: int, others: Ids, both: Counts, singles: Mapping[int, float]) -> Counted:
    chosen = (others != product) & (both > 0)
    had = np.array([singles.get(other, 0.0) for other in others[chosen].tolist()], np.float64)
    return Counted(others[chosen], both[chosen], singles.get(product, 0.0), had, singles.get(ALL, 0.0))


def _before(version: int, level: str, products: Ids, product: int) -> Counted | None:
    """Return how many had these products when the version was trained; None where it did not note that."""
    if version and not levels.has(version, level):
        return None
    named = np.array([ALL, product], np.int64)
    total, own = levels.values_of(version or None, level, named).tolist()
    return Counted(
        products, np.zeros(len(products), np.int64), own, levels.values_of(version or None, level, products), total
    )


def _keep(rows: dict[Key, NeighbourRow], followed: int) -> None:
    """Keep rows, unless another thread has followed a folding since: they may have been read before it."""
    with _lock:
        if _Followed.number != followed:
            return
        if len(_kept) + len(rows) > MOST_KEPT:
            _kept.clear()
        _kept.update(rows)
