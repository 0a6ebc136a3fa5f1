"""Similar shoppers: what the nearest other shoppers did that this one did not. No Django here."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recommendations.learning.neighbours import Row, ahead, align, best_of, binary, bm25_weighted
from recommendations.learning.sparse import heaviest_rows, scale_rows

NEIGHBOURS = 50
# Everybody is compared with the shoppers of whom most is known: with all, the time would grow with the square.
MOST_COMPARED = 20_000
CHUNK = 256


def neighbourhoods(matrix: sp.csr_matrix, rows: npt.NDArray[np.int64], *, most: int) -> Iterator[Row]:
    """Yield for each person in `rows` the products of their 50 nearest persons, scored by summed cosine.

    `matrix` is persons × products of decayed interest; nearness is the cosine of BM25-weighted rows. What the person
    dealt with themselves is left out. Support is the number of near persons behind a product. Memory: two chunks of
    persons against all.
    """
    unit = _unit_rows(bm25_weighted(matrix))
    compared = np.diff(heaviest_rows(matrix, MOST_COMPARED).indptr) > 0
    transposed, present = scale_rows(unit, compared.astype(np.float32)).T.tocsr(), binary(matrix)
    transposed.eliminate_zeros()

    def compared_with(start: int) -> sp.csr_matrix:
        return unit[rows[start : start + CHUNK]] @ transposed

    for start, similarities in ahead(compared_with, range(0, len(rows), CHUNK)):
        chunk = rows[start : start + CHUNK]
        nearest = _nearest(similarities, chunk)
        totals = (nearest @ present).tocsr()
        counts = (binary(nearest) @ present).tocsr()
        align(totals, counts)
        for offset, person in enumerate(chunk.tolist()):
            span = slice(totals.indptr[offset], totals.indptr[offset + 1])
            own = present.indices[present.indptr[person] : present.indptr[person + 1]]
            columns = totals.indices[span].astype(np.int64)
            scores = np.where(np.isin(columns, own), 0.0, totals.data[span].astype(np.float64))
            supports = counts.data[counts.indptr[offset] : counts.indptr[offset + 1]].astype(np.int64)
            best = best_of(-1, columns, scores, supports, most=most, score=lambda _, __, values, ___: values)
            yield Row(person, best.columns, best.scores, best.supports)


def _nearest(similarities: sp.csr_matrix, persons: npt.NDArray[np.int64]) -> sp.csr_matrix:
    """Return the similarities with the largest 50 of each row, the person themselves left out."""
    columns: list[npt.NDArray[np.int64]] = []
    values: list[npt.NDArray[np.float64]] = []
    for offset, person in enumerate(persons.tolist()):
        span = slice(similarities.indptr[offset], similarities.indptr[offset + 1])
        others, near = similarities.indices[span], similarities.data[span]
        if len(others) > NEIGHBOURS + 1:
            # One more than are wanted, since the person may be among them; and whatever equals the last of these.
            last = np.partition(near, len(near) - NEIGHBOURS - 1)[len(near) - NEIGHBOURS - 1]
            likely = np.flatnonzero(near >= last)
            others, near = others[likely], near[likely]
        kept = np.flatnonzero(others != person)
        if len(kept) > NEIGHBOURS:
            # Ties are broken by place, so that a training repeated on the same events gives the same lists.
            kept = kept[np.lexsort((others[kept], -near[kept]))[:NEIGHBOURS]]
        columns.append(others[kept].astype(np.int64))
        values.append(near[kept].astype(np.float64))
    pointers = np.concatenate([[0], np.cumsum([len(one) for one in columns])])
    shape = (len(persons), similarities.shape[1])
    return sp.csr_matrix((np.concatenate(values), np.concatenate(columns), pointers), shape=shape)


def _unit_rows(matrix: sp.csr_matrix) -> sp.csr_matrix:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled = matrix.copy()
    scaled.data = (scaled.data / np.repeat(np.maximum(lengths, 1e-12), np.diff(matrix.indptr))).astype(np.float32)
    return scaled
