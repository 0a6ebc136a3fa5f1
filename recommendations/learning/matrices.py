"""Sparse matrices out of events: who dealt with what, and which order held what. No Django here."""

import numpy as np
import scipy.sparse as sp

from recommendations.decay import DECAY_DAYS, SECONDS_PER_DAY, decayed
from recommendations.learning.events import Events

# A person with more products than this is a reseller or a robot; their latest ones say enough.
MOST_PRODUCTS_OF_A_PERSON = 500
MOST_PRODUCTS_OF_AN_ORDER = 200


def interest_matrix(events: Events, *, until: float, decay_days: float = DECAY_DAYS) -> sp.csr_matrix:
    """Return persons × products: Σ weight × exp(−days/decay), where that is above 0; `until` in epoch seconds.

    Sums are taken in the order of their terms, so that the order of the events makes no difference to the last bit.
    """
    ages = (until - events.moment) / SECONDS_PER_DAY
    values = (events.weight * decayed(ages, days=decay_days)).astype(np.float32)
    order = np.argsort(values)
    apart = sp.coo_matrix(
        (values[order], (events.person[order], events.product[order])),
        shape=(len(events.persons), len(events.products)),
    )
    # Terms stay apart, in their order, through both changes of format, which sort by counting.
    apart.has_canonical_format = True
    matrix = apart.tocsc().tocsr()
    matrix.sum_duplicates()
    matrix.data[matrix.data < 0] = 0
    matrix.eliminate_zeros()
    return trimmed(matrix, MOST_PRODUCTS_OF_A_PERSON)


def order_matrix(events: Events) -> sp.csr_matrix:
    """Return orders × products, 1 where the order held the product."""
    chosen = events.bought & (events.order != 0)
    orders, row = np.unique(events.order[chosen], return_inverse=True)
    matrix = sp.csr_matrix(
        (np.ones(int(chosen.sum()), np.float32), (row, events.product[chosen])),
        shape=(len(orders), len(events.products)),
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return trimmed(matrix, MOST_PRODUCTS_OF_AN_ORDER)


def trimmed(matrix: sp.csr_matrix, most: int) -> sp.csr_matrix:
    """Return the matrix with only the `most` largest entries of each row that has more."""
    counts = np.diff(matrix.indptr)
    if not (counts > most).any():
        return matrix
    keep = np.ones(matrix.nnz, bool)
    for row in np.flatnonzero(counts > most):
        start, end = matrix.indptr[row], matrix.indptr[row + 1]
        weakest = np.argsort(matrix.data[start:end], kind="stable")[: counts[row] - most]
        keep[start + weakest] = False
    rows = np.repeat(np.arange(matrix.shape[0]), counts)[keep]
    return sp.csr_matrix((matrix.data[keep], (rows, matrix.indices[keep])), shape=matrix.shape)
