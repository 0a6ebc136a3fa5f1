"""How good lists are, case by case: hits, recall, NDCG, reciprocal rank, novelty. No Django here.

Gains are binary; the ideal list of a case holds its targets first, so its gain counts min(k, targets) places.
"""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from recommendations.contracts import Ids

Values = npt.NDArray[np.float64]

# The columns of `measured`, in order.
METRICS = ("hr", "recall", "ndcg", "mrr", "novelty")
# Stands for "no product here" in a short list.
EMPTY = -1


def padded(lists: Sequence[Sequence[int]], k: int) -> Ids:
    """Return lists of our ids as n × k, cut at k; places that a short list leaves are `EMPTY`."""
    table = np.full((len(lists), k), EMPTY, np.int64)
    for row, products in enumerate(lists):
        kept = list(products)[:k]
        table[row, : len(kept)] = kept
    return table


def measured(lists: Ids, targets: Sequence[Collection[int]], surprise: "Surprise") -> Values:
    """Return n × 5 values, the columns as in `METRICS`, of n lists of k products against the wanted products of each.

    Every case counts: one whose list is empty scores 0 throughout. Each case wants at least one product.
    """
    n, k = lists.shape
    if n == 0:
        return np.zeros((0, len(METRICS)))
    hits = np.array(
        [[product in wanted for product in row] for row, wanted in zip(lists.tolist(), targets, strict=True)]
    )
    wanted = np.array([len(one) for one in targets])
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(wanted, k) - 1]
    found = hits.any(axis=1)
    reciprocal = np.where(found, 1 / (hits.argmax(axis=1) + 1), 0.0)
    columns = [found, hits.sum(axis=1) / wanted, hits @ discounts / ideal, reciprocal, surprise.of(lists)]
    return np.column_stack(columns).astype(np.float64)


def shown(lists: Ids) -> int:
    """Return how many different products the lists hold."""
    return len(np.unique(lists[lists != EMPTY]))


class Surprise:
    """How unexpected each product is: −log2 of its share of all deeds, in bits.

    Every product counts as if it had been chosen once more than it was, so that one nobody ever chose has a share.
    """

    def __init__(self, products: Ids, counts: npt.NDArray[np.int64]) -> None:
        """Take the catalogue's products, ascending, and how often each was chosen."""
        self._products = products
        total = counts.sum() + len(products)
        self._bits = -np.log2((counts + 1) / total) if len(products) else np.zeros(0)

    def of(self, lists: Ids) -> Values:
        """Return the mean surprise of each list's products, in bits; 0 for an empty list."""
        if len(self._products) == 0:
            return np.zeros(len(lists))
        places = np.minimum(np.searchsorted(self._products, lists), len(self._products) - 1)
        known = self._products[places] == lists
        bits = np.where(known, self._bits[places], 0.0)
        return np.asarray(bits.sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.float64)
