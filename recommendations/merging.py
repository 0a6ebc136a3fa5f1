"""Neighbours as a version learned them, brought up to the present event by what was counted since. No Django here.

Counts are what the version counted plus what came since. Scores follow from them: those of companions in orders by
their formula, those of item-to-item neighbours by how the plain cosine of the counts has changed.
"""

from dataclasses import dataclass

import numpy as np

from recommendations.contracts import Counts, Ids, NeighbourRow, Scores
from recommendations.likelihood import companionship

SHRINKAGE = 10.0


@dataclass(frozen=True, slots=True)
class Counted:
    """How many had one product (`own`), and had it together with each of n `others`, and had those: parallel arrays.

    `total` counts all orders. "Had" means persons for item-to-item neighbours, orders for companions.
    """

    others: Ids
    both: Counts
    own: float
    had: Scores
    total: float = 0.0


def merged_neighbours(row: NeighbourRow, before: Counted, since: Counted, *, most: int) -> NeighbourRow:
    """Return item-to-item neighbours with the persons that came since.

    score' = score × c'/c with c = s/√(nᵢ·nⱼ) × s/(s + 10), s the common persons, n those of either product. A pair that
    the version did not keep begins at c', times the row's usual score/c.
    """
    if len(since.others) == 0:
        return row
    products, old, new = _joined(row, since)
    stored = np.concatenate([row.scores, np.zeros(new)])
    both_before = np.concatenate([row.supports, np.zeros(new, np.int64)])
    both = both_before + old.both
    plain = _plain(both_before, before.own, _had(before, products))
    fresh = _plain(both, before.own + since.own, _had(before, products) + old.had)
    usual = float(np.median(row.scores / np.maximum(plain[: len(row.scores)], 1e-12))) if len(row.scores) else 1.0
    known = np.arange(len(products)) < len(row.products)
    changed = old.both > 0
    scores = np.where(known, stored, usual * fresh)
    grown = known & changed & (plain > 0)
    scores[grown] = stored[grown] * fresh[grown] / plain[grown]
    return _best(products, scores, both, most)


def merged_companions(row: NeighbourRow, before: Counted, since: Counted, *, most: int) -> NeighbourRow:
    """Return companions in orders with the orders that came since, scored by the version's own formula."""
    if len(since.others) == 0:
        return row
    products, old, new = _joined(row, since)
    both = np.concatenate([row.supports, np.zeros(new, np.int64)]) + old.both
    had = np.maximum(_had(before, products) + old.had, both)
    own = max(before.own + since.own, float(both.max(initial=0)))
    total = max(before.total + since.total, own, float(had.max(initial=0.0)))
    return _best(products, companionship(both, own, had, total), both, most)


def _joined(row: NeighbourRow, since: Counted) -> tuple[Ids, Counted, int]:
    """Return the row's products and then the new ones, what came since for each, and how many are new."""
    unknown = ~np.isin(since.others, row.products)
    products = np.concatenate([row.products, since.others[unknown]])
    order = np.argsort(since.others)
    places = np.minimum(np.searchsorted(since.others[order], products), len(order) - 1)
    found = since.others[order][places] == products
    both = np.where(found, since.both[order][places], 0)
    had = np.where(found, since.had[order][places], 0.0)
    return products, Counted(products, both, since.own, had, since.total), int(unknown.sum())


def _had(counted: Counted, products: Ids) -> Scores:
    """Return `had` of these products; `counted.others` are in ascending order."""
    if len(counted.others) == 0:
        return np.zeros(len(products))
    places = np.minimum(np.searchsorted(counted.others, products), len(counted.others) - 1)
    return np.where(counted.others[places] == products, counted.had[places], 0.0)


def _plain(both: Counts, own: float, had: Scores) -> Scores:
    """Return the cosine of the counts, shrunk by support; 0 without any."""
    cosines = np.minimum(both / np.sqrt(np.maximum(own * had, 1.0)), 1.0)
    return cosines * both / (both + SHRINKAGE)


def _best(products: Ids, scores: Scores, supports: Counts, most: int) -> NeighbourRow:
    kept = np.flatnonzero(scores > 0)
    order = kept[np.lexsort((products[kept], -scores[kept]))][:most]
    return NeighbourRow(products[order], scores[order], supports[order])
