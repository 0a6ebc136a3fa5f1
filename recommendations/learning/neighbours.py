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

from recommendations.learning.sparse import squared_columns
from recommendations.likelihood import companionship

T = TypeVar("T")
Floats = npt.NDArray[np.float64]
CHUNK = 512
SHRINKAGE = 10.0


@dataclass(frozen=True, slots=True)
class Row:
    """The neighbours of one row: parallel arrays, best first."""

    row: int
    columns: npt.NDArray[np.int64]
    scores: Floats
    supports: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Totals:
    """What weighting asks of all rows at once: how many there are, their lengths' sum, who has each column.

    The sum is a whole number of units, `LENGTH_UNIT` each, so that parts may be added in any order.
    """

    rows: int
    length_units: int
    frequency: npt.NDArray[np.int64]

    @property
    def mean_length(self) -> float:
        """Return the mean length of a row; 1 without any."""
        return self.length_units * LENGTH_UNIT / self.rows if self.rows else 1.0

    def __add__(self, other: "Totals") -> "Totals":
        """Return the totals of both parts."""
        units = self.length_units + other.length_units
        return Totals(self.rows + other.rows, units, self.frequency + other.frequency)


LENGTH_UNIT = 2.0**-20


def totals_of(matrix: sp.csr_matrix) -> Totals:
    """Count the rows of a matrix, or of a part of them."""
    units = np.rint(row_lengths(matrix).astype(np.float64) / LENGTH_UNIT).astype(np.int64)
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int64)
    return Totals(matrix.shape[0], int(units.sum()), frequency)


def row_lengths(matrix: sp.csr_matrix) -> npt.NDArray[np.float32]:
    """Return the sum of each row."""
    return np.asarray(matrix.sum(axis=1), np.float32).ravel()


def bm25_weighted(
    matrix: sp.csr_matrix, totals: Totals | None = None, *, k1: float = 1.2, b: float = 0.2
) -> sp.csr_matrix:
    """Return persons × products reweighted by Okapi BM25, persons as documents of the product “query”.

    w = x·(k1 + 1)/(x + k1·(1 − b + b·length/mean length)) × ln(1 + (N − n + ½)/(n + ½)), where a product's frequency is
    over persons and a person's length is over products (Robertson & Zaragoza 2009). Where the matrix has only some of
    the persons, `totals` are those of all.
    """
    totals = totals_of(matrix) if totals is None else totals
    rarity = np.log1p((totals.rows - totals.frequency + 0.5) / (totals.frequency + 0.5))
    norm = k1 * (1 - b + b * row_lengths(matrix) / max(totals.mean_length, 1e-9))
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    weighted = matrix.copy()
    weighted.data = weighted.data * (k1 + 1) / (weighted.data + norm[row]) * rarity[matrix.indices]
    return weighted


def item_neighbours(matrix: sp.csr_matrix, *, most: int, shrinkage: float = SHRINKAGE) -> Iterator[Row]:
    """Yield each product's neighbours: weighted cosine × support / (support + shrinkage), at most `most`.

    Support is the number of persons who dealt with both. Memory: one chunk of products against all.
    """
    weighted = unit_columns(bm25_weighted(matrix))
    present = binary(matrix)
    return top_rows(weighted.T.tocsr(), weighted, present.T.tocsr(), present, most=most, score=shrunk(shrinkage))


def together(orders: sp.csr_matrix, *, most: int) -> Iterator[Row]:
    """Yield each product's companions in orders, by log-likelihood ratio (Dunning 1993); positive ones only."""
    transposed = orders.T.tocsr()
    return top_rows(transposed, orders, transposed, orders, most=most, score=in_company(totals_of(orders)))


Scorer = Callable[[int, npt.NDArray[np.int64], Floats, npt.NDArray[np.int64]], Floats]


def top_rows(
    left: sp.csr_matrix,
    right: sp.csr_matrix,
    left_present: sp.csr_matrix,
    right_present: sp.csr_matrix,
    *,
    most: int,
    score: Scorer,
    first: int = 0,
) -> Iterator[Row]:
    """Yield the best columns of each row of left × right, scored by `score(row, columns, products, supports)`.

    `left_present × right_present` counts the supports. The diagonal is left out; only scores above 0 are kept. Where
    `left` has only some of the rows, they are numbered from `first`.
    """

    def multiplied(start: int) -> tuple[sp.csr_matrix, sp.csr_matrix]:
        products = (left[start : start + CHUNK] @ right).tocsr()
        counts = (left_present[start : start + CHUNK] @ right_present).tocsr()
        align(products, counts)
        return products, counts

    for start, (products, counts) in ahead(multiplied, range(0, left.shape[0], CHUNK)):
        for offset in range(products.shape[0]):
            row = first + start + offset
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
    """Return the best `most` columns of one row, itself left out; of equals, the smaller column is kept."""
    scores = score(row, columns, products, supports)
    kept = np.flatnonzero((columns != row) & (scores > 0))
    if len(kept) > most:
        last = np.partition(scores[kept], len(kept) - most)[len(kept) - most]
        kept = kept[scores[kept] >= last]
    order = kept[np.lexsort((columns[kept], -scores[kept]))][:most]
    return Row(row, columns[order], scores[order], supports[order])


def shrunk(shrinkage: float) -> Scorer:
    """Return what scores by cosine × support / (support + shrinkage)."""

    def score(_: int, __: npt.NDArray[np.int64], cosines: Floats, supports: npt.NDArray[np.int64]) -> Floats:
        return cosines * supports / (supports + shrinkage)

    return score


def in_company(orders: Totals) -> Scorer:
    """Return what scores by the log-likelihood ratio of two products in these orders."""
    counts = orders.frequency.astype(np.float64)

    def score(row: int, columns: npt.NDArray[np.int64], _: Floats, supports: npt.NDArray[np.int64]) -> Floats:
        return companionship(supports, counts[row], counts[columns], orders.rows)

    return score


def unit_columns(matrix: sp.csr_matrix, squares: Floats | None = None) -> sp.csr_matrix:
    """Return the matrix with every column at unit length; `squares` are Σ x² where it has only some of the rows."""
    squares = squared_columns(matrix) if squares is None else squares
    scaled = matrix.copy()
    scaled.data = (scaled.data / np.maximum(np.sqrt(squares), 1e-12)[matrix.indices]).astype(np.float32)
    return scaled


def binary(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return 1 where the matrix has an entry."""
    return sp.csr_matrix((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)
