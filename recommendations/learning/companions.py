"""Products that go with each other: in one order, among one audience, from one order to the next. No Django here."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recommendations.learning.neighbours import Row, binary
from recommendations.learning.sparse import (
    Floats,
    entries,
    scale_columns,
    scale_rows,
    squared_columns,
    squared_rows,
    top_of_rows,
)

CHUNK = 512


@dataclass(frozen=True, slots=True)
class Lists:
    """The neighbours of every product: products × products of scores, and of the counts that stand behind them."""

    scores: sp.csr_matrix
    supports: npt.NDArray[np.int64]

    def rows(self) -> "list[Row]":
        """Return one row for each product that has neighbours, best first."""
        scores, found = self.scores, []
        for row in np.flatnonzero(np.diff(scores.indptr)).tolist():
            span = slice(scores.indptr[row], scores.indptr[row + 1])
            columns, values = scores.indices[span].astype(np.int64), scores.data[span]
            order = np.lexsort((columns, -values))
            found.append(Row(row, columns[order], values[order], self.supports[span][order]))
        return found


def counted(scores: sp.csr_matrix, left: sp.csr_matrix, right: sp.csr_matrix, *, most: int) -> Lists:
    """Return the best `most` of each row, with how many rows of `left` and `right` hold both products."""
    return supported(top_of_rows(scores, most), left, right)


def supported(kept: sp.csr_matrix, left: sp.csr_matrix, right: sp.csr_matrix) -> Lists:
    """Return these entries, with how many rows of `left` hold the one product and of `right` the other."""
    kept.sort_indices()
    transposed, other = binary(left).T.tocsr(), binary(right)
    parts = [np.zeros(0)]
    for start in range(0, kept.shape[0], CHUNK):
        rows = kept[start : start + CHUNK]
        both = (transposed[start : start + CHUNK] @ other).tocsr()
        parts.append(entries(both, np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices))
    return Lists(kept, np.concatenate(parts).astype(np.int64))


def cooccurrence(
    left: sp.csr_matrix, right: sp.csr_matrix, *, a: float, b: float, damping: float, most: int
) -> sp.csr_matrix:
    """Return the best of C(i, j) / ((L(i) + damping)^a (R(j) + damping)^b), with C = leftᵀ·right and L, R = Σ x².

    a = b = ½ is a damped cosine; a = 1, b = 0 confidence; b near 0.2 confidence with less weight on what is popular
    anyway. Memory: one chunk of C.
    """
    mass_left = squared_columns(left)
    transposed = left.T.tocsr()
    right = scale_columns(right, (squared_columns(right) + damping) ** -b)
    chunks = []
    for start in range(0, transposed.shape[0], CHUNK):
        product = (transposed[start : start + CHUNK] @ right).tocsr()
        product = scale_rows(product, (mass_left[start : start + CHUNK] + damping) ** -a)
        rows = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr))
        product.data[rows + start == product.indices] = 0.0
        chunks.append(top_of_rows(product, most))
    return sp.vstack(chunks, format="csr") if chunks else sp.csr_matrix((0, right.shape[1]))


def audience(profile: sp.csr_matrix, recent: sp.csr_matrix, *, b: float, damping: float, most: int) -> Lists:
    """Return who has this also has that *lately*: `profile` on the left, only what is recent on the right.

    Each person weighs 1 / length of their profile, so that heavy buyers do not speak for everybody.
    """
    length: Floats = 1 / np.sqrt(np.maximum(squared_rows(profile), 1e-9))
    left, right = scale_rows(profile, np.sqrt(length)), scale_rows(recent, np.sqrt(length))
    return counted(cooccurrence(left, right, a=0.5, b=b, damping=damping, most=most), profile, recent, most=most)


def successors(first: sp.csr_matrix, second: sp.csr_matrix, weight: Floats, *, damping: float, most: int) -> Lists:
    """Return what comes in the order after: row n of `second` is the order that followed row n of `first`."""
    weight = np.sqrt(weight / np.sqrt(np.maximum(np.diff(first.indptr), 1)))
    left, right = scale_rows(first, weight), scale_rows(second, weight)
    return counted(cooccurrence(left, right, a=1.0, b=0.1, damping=damping, most=most), first, second, most=most)
