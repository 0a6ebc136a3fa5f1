"""Dense models of products by products, in closed form: EASE, and a forecast of what comes next. No Django here."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse as sp

from recommendations.learning.companions import Lists, supported
from recommendations.learning.sparse import Floats, Ints, squared_columns

# Memory is about 24 bytes × products², time products³: 5,000 products take 0.7 GB and some seconds.
MOST_PRODUCTS = 5_000


# Given which products take part, k of them: how alike they are beforehand, k × k, positive semidefinite.
Prior = Callable[[Ints], npt.NDArray[np.floating]]


def ease(
    matrix: sp.csr_matrix,
    *,
    ridge: float,
    most: int,
    support_from: sp.csr_matrix | None = None,
    prior: Prior | None = None,
) -> Lists | None:
    """Return the strongest entries of B = −P / diag(P), P = (XᵀX + ridge·I)⁻¹, diagonal 0 (Steck 2019).

    A `prior` is added to XᵀX: two products count as if so much more had been seen of them together, which is the same
    as further rows of X that hold attributes instead of products (the collective EASE of Jeunen et al. 2020).

    Of each row, the best `most` are kept, and half as many of the most negative: in a large cart, what speaks against
    a product matters as much as what speaks for it. The 5,000 products with most weight take part; None without two.
    """
    mass = squared_columns(matrix)
    live = heaviest(mass)
    if len(live) < 2:
        return None
    part = matrix[:, live].astype(np.float64)
    gram = (part.T @ part).toarray()
    if prior is not None:
        gram += prior(live)
    gram[np.diag_indices_from(gram)] += ridge
    factor = scipy.linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    inverse = np.tril(scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    diagonal = np.diag(inverse).copy()
    weights = inverse + np.tril(inverse, -1).T
    weights /= -diagonal
    np.fill_diagonal(weights, 0.0)
    source = matrix if support_from is None else support_from
    return supported(strongest(weights, live, matrix.shape[1], most=most), source, source)


def forecast(
    before: sp.csr_matrix,
    after: sp.csr_matrix,
    weight: Floats,
    *,
    ridge: float,
    most: int,
    support_from: sp.csr_matrix,
) -> Lists | None:
    """Return the strongest entries of B = (XᵀWX + ridge·I)⁻¹ XᵀWY: what a profile says of the weeks after it.

    Row n of `before` is a profile at some moment, row n of `after` what the same person took in the weeks after, with
    weight n. Unlike EASE's, the diagonal is learned: how much having something speaks for taking it again.
    """
    live = heaviest(squared_columns(before) + squared_columns(after))
    if len(live) < 2:
        return None
    left, right = before[:, live].astype(np.float64), after[:, live].astype(np.float64)
    weighted = sp.diags(weight) @ left
    gram = (left.T @ weighted).toarray()
    gram[np.diag_indices_from(gram)] += ridge
    factor = scipy.linalg.cho_factor(gram, overwrite_a=True, check_finite=False)
    weights = scipy.linalg.cho_solve(factor, (weighted.T @ right).toarray(), overwrite_b=True, check_finite=False)
    return supported(strongest(weights, live, before.shape[1], most=most), support_from, support_from)


def heaviest(mass: Floats) -> Ints:
    """Return the products that take part, ascending: those with any mass, the heaviest where there are too many."""
    order = np.lexsort((np.arange(len(mass)), -mass))[:MOST_PRODUCTS]
    return np.sort(order[mass[order] > 0]).astype(np.int64)


def strongest(weights: npt.NDArray[np.float64], live: Ints, products: int, *, most: int) -> sp.csr_matrix:
    """Return, of each row, the `most` largest entries above 0 and half as many of the smallest below 0."""
    rows, columns, values = [], [], []
    for sign, count in ((1.0, most), (-1.0, most // 2)):
        few = min(count, len(live))
        found = np.argpartition(-sign * weights, few - 1, axis=1)[:, :few]
        kept = np.take_along_axis(weights, found, 1)
        row, place = np.nonzero(sign * kept > 0)
        rows.append(live[row])
        columns.append(live[found[row, place]])
        values.append(kept[row, place])
    shape = (products, products)
    return sp.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
