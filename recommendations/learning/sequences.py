"""What follows what within a visit, and the visits that are kept to find one's like. No Django here."""

import numpy as np
import scipy.sparse as sp

from recommendations.decay import SECONDS_PER_DAY
from recommendations.learning.companions import Lists
from recommendations.learning.events import Events
from recommendations.learning.sparse import entries, scale_columns, scale_rows, top_of_rows
from recommendations.visit_neighbours import VISIT_HALF_LIFE, Visits

# How many steps ahead a rule looks: the n-th next product counts 1/n.
STEPS = 3
DAMPING = 2.0
# The latest visits are kept, up to this many; longer ones are catalogues of resellers and robots.
MOST_VISITS = 50_000
MOST_OF_A_VISIT = 100


def sequential_rules(events: Events, *, until: float, half_life: float, most: int) -> Lists:
    """Return of each product what is dealt with next: Σ fading / steps, over (sum of the product's rules + 2).

    Only what really comes later counts: the lines of one order have no sequence. Support counts the visits.
    """
    order, later = _in_sequence(events)
    products = len(events.products)
    scores, counts = sp.csr_matrix((products, products)), sp.csr_matrix((products, products))
    for step in range(1, STEPS + 1):
        first, second = order[:-step], order[step:]
        follows = (events.visit[first] == events.visit[second]) & (events.product[first] != events.product[second])
        follows &= later[second] > later[first]
        first, second = first[follows], second[follows]
        fading = np.exp2(-np.maximum(until - events.moment[second], 0) / SECONDS_PER_DAY / half_life) / step
        place = (events.product[first], events.product[second])
        scores = scores + sp.csr_matrix((fading, place), shape=scores.shape)
        counts = counts + sp.csr_matrix((np.ones(len(first)), place), shape=counts.shape)
    out = np.asarray(scores.sum(axis=1)).ravel()
    known = np.asarray(scores.sum(axis=0)).ravel()
    scores = scale_columns(scale_rows(scores.tocsr(), 1 / (out + DAMPING)), (known + DAMPING) ** -0.1)
    kept = top_of_rows(scores, most)
    kept.sort_indices()
    row = np.repeat(np.arange(products), np.diff(kept.indptr))
    return Lists(kept, entries(counts.tocsr(), row, kept.indices).astype(np.int64))


def latest_visits(events: Events, *, until: float) -> Visits:
    """Return the latest visits that held two products or more, of any kind of liking."""
    chosen = np.flatnonzero(events.weight > 0)
    visits, row = np.unique(events.visit[chosen], return_inverse=True)
    matrix = sp.csr_matrix(
        (np.ones(len(row)), (row, events.product[chosen])), shape=(len(visits), len(events.products))
    )
    matrix.sum_duplicates()
    ended = np.full(len(visits), -np.inf)
    np.maximum.at(ended, row, events.moment[chosen])
    size = np.diff(matrix.indptr)
    kept = np.flatnonzero((size >= 2) & (size <= MOST_OF_A_VISIT))
    kept = kept[np.lexsort((kept, ended[kept]))][-MOST_VISITS:]
    fading = np.exp2(-np.maximum(until - ended[kept], 0) / SECONDS_PER_DAY / VISIT_HALF_LIFE)
    part = matrix[kept]
    return Visits(
        events.products, part.indptr.astype(np.int32), part.indices.astype(np.int32), fading.astype(np.float32)
    )  # fmt: skip


def _in_sequence(events: Events) -> tuple[np.ndarray, np.ndarray]:
    """Return the events of liking by visit, moment and product, and all events' moments."""
    liked = np.flatnonzero(events.weight > 0)
    return liked[np.lexsort((events.product[liked], events.moment[liked], events.visit[liked]))], events.moment
