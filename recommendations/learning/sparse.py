"""Operations on sparse matrices that scipy lacks: best of rows, scaled rows, many entries at once. No Django."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CELLS = 4_000_000


def scale_rows(matrix: sp.csr_matrix, factor: Floats) -> sp.csr_matrix:
    """Return the matrix with each row times its factor."""
    out = matrix.copy()
    out.data = out.data * np.repeat(factor, np.diff(out.indptr))
    return out


def scale_columns(matrix: sp.csr_matrix, factor: Floats) -> sp.csr_matrix:
    """Return the matrix with each column times its factor."""
    out = matrix.copy()
    out.data = out.data * factor[out.indices]
    return out


def squared_columns(matrix: sp.csr_matrix) -> Floats:
    """Return Σ x² of each column."""
    sums = np.bincount(matrix.indices, weights=matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[1])
    return sums.astype(np.float64)


def squared_rows(matrix: sp.csr_matrix) -> Floats:
    """Return Σ x² of each row."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    sums = np.bincount(row, weights=matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0])
    return sums.astype(np.float64)


def top_of_rows(matrix: sp.csr_matrix, most: int) -> sp.csr_matrix:
    """Return the `most` largest positive entries of each row; of equals, the smaller column is kept."""
    matrix = sp.csr_matrix(matrix)
    crowded = matrix.nnz > 4 * most * max(matrix.shape[0], 1)
    if crowded and matrix.nnz * 20 > matrix.shape[0] * matrix.shape[1]:
        matrix = _not_below_the_last(matrix, most)
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, row))
    rank = np.arange(len(row)) - matrix.indptr[row]
    kept = order[(rank < most) & (matrix.data[order] > 0)]
    return sp.csr_matrix((matrix.data[kept], (row[kept], matrix.indices[kept])), shape=matrix.shape)


def _not_below_the_last(matrix: sp.csr_matrix, most: int) -> sp.csr_matrix:
    """Return every positive entry that is not below its row's `most`-th: more of them where there are ties."""
    step, parts = max(1, CELLS // matrix.shape[1]), []
    for start in range(0, matrix.shape[0], step):
        dense = matrix[start : start + step].toarray()
        if most < dense.shape[1]:
            last = -np.partition(-dense, most - 1, axis=1)[:, most - 1]
            dense[dense < last[:, None]] = 0
        parts.append(sp.csr_matrix(np.maximum(dense, 0)))
    return sp.vstack(parts, format="csr")


def heaviest_rows(matrix: sp.csr_matrix, most: int) -> sp.csr_matrix:
    """Return the matrix with only its `most` rows of the largest sum, the others empty; ties go to the earlier row."""
    if matrix.shape[0] <= most:
        return matrix
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    kept = np.zeros(matrix.shape[0])
    kept[np.lexsort((np.arange(len(sums)), -sums))[:most]] = 1.0
    out = scale_rows(matrix, kept)
    out.eliminate_zeros()
    return out


def keys_of(matrix: sp.csr_matrix) -> Ints:
    """Return row × columns + column of every stored entry, ascending."""
    matrix.sort_indices()
    row = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return np.asarray(row * matrix.shape[1] + matrix.indices, np.int64)


def entries(matrix: sp.csr_matrix, row: Ints, column: Ints) -> Floats:
    """Return `matrix[row, column]` of many pairs, by binary search."""
    if matrix.nnz == 0:
        return np.zeros(len(row))
    keys = keys_of(matrix)
    wanted = np.asarray(row, np.int64) * matrix.shape[1] + column
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, matrix.data[at].astype(np.float64), 0.0)


def without(matrix: sp.csr_matrix, banned: Ints) -> sp.csr_matrix:
    """Return the matrix with 0 at the `banned` keys, which are ascending."""
    out = matrix.copy()
    if len(banned) == 0 or out.nnz == 0:
        return out
    keys = keys_of(out)
    at = np.minimum(np.searchsorted(banned, keys), len(banned) - 1)
    out.data[banned[at] == keys] = 0.0
    return out


def rows_of(lists: Sequence[npt.NDArray[np.integer]], columns: int) -> sp.csr_matrix:
    """Return a matrix of ones, a row for each list of columns."""
    ends = np.cumsum([0] + [len(one) for one in lists])
    joined = np.concatenate([np.zeros(0, np.int64), *lists]).astype(np.int64)
    return sp.csr_matrix((np.ones(int(ends[-1])), joined, ends), shape=(len(lists), columns))
