"""EASE: every product's score as a linear function of all others, in closed form (Steck 2019). No Django here."""

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from recommendations.learning.companions import Lists, counted
from recommendations.learning.sparse import squared_columns

# Memory is 8 bytes × products², time products³: 10,000 products take 2.4 GB for a while.
MOST_PRODUCTS = 10_000


def ease(matrix: sp.csr_matrix, *, ridge: float, most: int, support_from: sp.csr_matrix | None = None) -> Lists | None:
    """Return the best of B = −P / diag(P), P = (XᵀX + ridge·I)⁻¹, diagonal 0; only positive entries.

    Only products with an event take part; None where there are none, or more than 10,000 of them.
    """
    live = np.flatnonzero(squared_columns(matrix) > 0)
    if len(live) < 2 or len(live) > MOST_PRODUCTS:
        return None
    part = matrix[:, live].astype(np.float64)
    gram = (part.T @ part).toarray()
    gram[np.diag_indices_from(gram)] += ridge
    factor = scipy.linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse = np.tril(scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    diagonal = np.diag(inverse).copy()
    weights = inverse + np.tril(inverse, -1).T
    weights /= -diagonal
    np.fill_diagonal(weights, 0.0)
    few = min(most, len(live) - 1)
    columns = np.argpartition(-weights, few - 1, axis=1)[:, :few]
    values = np.maximum(np.take_along_axis(weights, columns, 1), 0).ravel()
    shape = (matrix.shape[1], matrix.shape[1])
    scores = sp.csr_matrix((values, (np.repeat(live, few), live[columns.ravel()])), shape=shape)
    source = matrix if support_from is None else support_from
    return counted(scores, source, source, most=most)
