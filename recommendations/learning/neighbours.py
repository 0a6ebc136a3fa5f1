"""Neighbours by sparse matrix products, in chunks of bounded memory. No Django here.

A neighbour table holds, for each of n rows, up to K columns with scores and supports, best first, ties by column.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recommendations.likelihood import companionship

T = TypeVar("T")
Floats = npt.NDArray[np.float64]
CHUNK = 512


@dataclass(frozen=True, slots=True)
class Row:
    """The neighbours of one row: parallel arrays, best first."""

    row: int
    columns: npt.NDArray[np.int64]
    scores: Floats
    supports: npt.NDArray[np.int64]


def bm25_weighted(matrix: sp.csr_matrix, *, k1: float = 1.2, b: float = 0.2) -> sp.csr_matrix:
    """Return persons × products reweighted by Okapi BM25, persons as documents of the product “query”.

    w = x·(k1 + 1)/(x + k1·(1 − b + b·length/mean length)) × ln(1 + (N − n + ½)/(n + ½)), where a product's frequency is
    over persons and a person's length is over products (Robertson & Zaragoza 2009).
    """
    persons = matrix.shape[0]
    lengths = np.asarray(matrix.sum(axis=1)).ravel()
    mean = lengths.mean() if persons else 1.0
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1])
    rarity = np.log1p((persons - frequency + 0.5) / (frequency + 0.5))
    norm = k1 * (1 - b + b * lengths / max(mean, 1e-9))
    row = np.repeat(np.arange(persons), np.diff(matrix.indptr))
    weighted = matrix.copy()
    weighted.data = weighted.data * (k1 + 1) / (weighted.data + norm[row]) * rarity[matrix.indices]
    return weighted


def item_neighbours(matrix: sp.csr_matrix, *, most: int, shrinkage: float = 10.0) -> Iterator[Row]:
    """Yield each product's neighbours: weighted cosine × support / (support + shrinkage), at most `most`.

    Support is the number of persons who dealt with both. Memory: one chunk of products against all.
    """
    weighted = unit_columns(bm25_weighted(matrix))
    present = binary(matrix)
    return top_rows(weighted.T.tocsr(), weighted, present.T.tocsr(), present, most=most, score=_shrunk(shrinkage))


def together(orders: sp.csr_matrix, *, most: int) -> Iterator[Row]:
    """Yield each product's companions in orders, by log-likelihood ratio (Dunning 1993); positive ones only."""
    counts = np.bincount(orders.indices, minlength=orders.shape[1]).astype(np.float64)

    def score(row: int, columns: npt.NDArray[np.int64], _: Floats, supports: npt.NDArray[np.int64]) -> Floats:
        return companionship(supports, counts[row], counts[columns], orders.shape[0])

    transposed = orders.T.tocsr()
    return top_rows(transposed, orders, transposed, orders, most=most, score=score)


Scorer = Callable[[int, npt.NDArray[np.int64], Floats, npt.NDArray[np.int64]], Floats]


def top_rows(
    left: sp.csr_matrix,
    right: sp.csr_matrix,
    left_present: sp.csr_matrix,
    right_present: sp.csr_matrix,
    *,
    most: int,
    score: Scorer,
) -> Iterator[Row]:
    """Yield the best columns of each row of left × right, scored by `score(row, columns, products, supports)`.

    `left_present × right_present` counts the supports. The diagonal is left out; only scores above 0 are kept.
    """

    def multiplied(start: int) -> tuple[sp.csr_matrix, sp.csr_matrix]:
        products = (left[start : start + CHUNK] @ right).tocsr()
        counts = (left_present[start : start + CHUNK] @ right_present).tocsr()
        align(products, counts)
        return products, counts

    for start, (products, counts) in ahead(multiplied, range(0, left.shape[0], CHUNK)):
        for offset in range(products.shape[0]):
            row = start + offset
            span = slice(products.indptr[offset], products.indptr[offset + 1])
            columns = products.indices[span].astype(np.int64)
            supports = counts.data[counts.indptr[offset] : counts.indptr[offset + 1]].astype(np.int64)
            yield best_of(row, columns, products.data[span].astype(np.float64), supports, most=most, score=score)


def ahead(work: Callable[[int], T], starts: Sequence[int]) -> Iterator[tuple[int, T]]:
    """Yield each start with what `work` makes of it, in order, while another thread makes the next one.

    scipy multiplies without holding Python's lock. Memory: two chunks.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = [pool.submit(work, start) for start in starts[:1]]
        for place, start in enumerate(starts):
            found = coming.pop().result()
            coming += [pool.submit(work, following) for following in starts[place + 1 : place + 2]]
            yield start, found


def align(left: sp.csr_matrix, right: sp.csr_matrix) -> None:
    """Bring two matrices with entries at the same places into the same order.

    Products of operands with the same structure are in the same order already, and sorting them takes longer than
    making them.
    """
    if not np.array_equal(left.indices, right.indices):
        left.sort_indices()
        right.sort_indices()


def best_of(
    row: int,
    columns: npt.NDArray[np.int64],
    products: Floats,
    supports: npt.NDArray[np.int64],
    *,
    most: int,
    score: Scorer,
) -> Row:
    """Return the best `most` columns of one row, itself left out."""
    scores = score(row, columns, products, supports)
    kept = np.flatnonzero((columns != row) & (scores > 0))
    if len(kept) > most:
        kept = kept[np.argpartition(-scores[kept], most - 1)[:most]]
    order = kept[np.lexsort((columns[kept], -scores[kept]))]
    return Row(row, columns[order], scores[order], supports[order])


def _shrunk(shrinkage: float) -> Scorer:
    def score(_: int, __: npt.NDArray[np.int64], cosines: Floats, supports: npt.NDArray[np.int64]) -> Floats:
        return cosines * supports / (supports + shrinkage)

    return score


def unit_columns(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return the matrix with every column at unit length."""
    lengths = np.sqrt(
        np.bincount(matrix.indices, weights=matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[1])
    )
    scaled = matrix.copy()
    scaled.data = (scaled.data / np.maximum(lengths, 1e-12)[matrix.indices]).astype(np.float32)
    return scaled


def binary(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return 1 where the matrix has an entry."""
    return sp.csr_matrix((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
