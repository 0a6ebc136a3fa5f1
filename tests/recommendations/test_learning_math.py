"""What training computes, against slow and obvious computations of the same."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.learning.content import content_neighbours
from recommendations.learning.neighbours import (
    bm25_weighted,
    item_neighbours,
    together,
)
from recommendations.learning.shoppers import neighbourhoods
from recommendations.likelihood import IMAGINARY_ORDERS, log_likelihood_ratio

MATRICES = st.lists(
    st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.5, 5.0]), min_size=6, max_size=6), min_size=2, max_size=12
).map(lambda rows: sp.csr_matrix(np.array(rows, np.float32)))


def test_dunnings_example_of_the_log_likelihood_ratio() -> None:
    """k11=110, k12=2442, k21=111, k22=29114 gives 270.72 (Dunning 1993, “the swiss”)."""
    ratio = log_likelihood_ratio(np.array([110.0]), 110 + 2442, np.array([110.0 + 111]), 110 + 2442 + 111 + 29114)
    assert ratio[0] == pytest.approx(270.72, abs=0.01)


def test_independent_products_have_no_ratio() -> None:
    assert log_likelihood_ratio(np.array([10.0]), 100, np.array([100.0]), 1000)[0] == pytest.approx(0, abs=1e-9)


@given(MATRICES)
@settings(max_examples=50, deadline=None)
def test_item_neighbours_are_shrunk_cosines_of_bm25_columns(matrix: sp.csr_matrix) -> None:
    weighted = bm25_weighted(matrix).toarray().astype(np.float64)
    present = matrix.toarray() > 0
    for row in item_neighbours(matrix, most=3, shrinkage=10.0):
        expected = {}
        for other in range(matrix.shape[1]):
            support = int((present[:, row.row] & present[:, other]).sum())
            if other == row.row or support == 0:
                continue
            left, right = weighted[:, row.row], weighted[:, other]
            cosine = left @ right / math.sqrt((left @ left) * (right @ right))
            expected[other] = (cosine * support / (support + 10.0), support)
        best = sorted(expected.values(), key=lambda pair: -pair[0])[:3]
        np.testing.assert_allclose(row.scores, [score for score, _ in best], atol=1e-5)
        for column, support in zip(row.columns.tolist(), row.supports.tolist(), strict=True):
            assert expected[column][1] == support


def test_together_needs_two_orders_and_more_than_chance() -> None:
    orders = sp.csr_matrix(np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]], np.float32))
    rows = {row.row: row for row in together(orders, most=5)}
    assert rows[0].columns.tolist() == [1]
    assert rows[0].supports.tolist() == [2]
    expected = log_likelihood_ratio(np.array([2.0]), 3, np.array([2.0]), 5 + IMAGINARY_ORDERS)[0]
    assert rows[0].scores.tolist() == pytest.approx([expected])
    assert rows[2].columns.tolist() == [3]
    assert rows[0].columns.tolist() == [1], "product 2 was together with 0 once only"


def test_similar_shoppers_propose_what_the_shopper_has_not_done() -> None:
    matrix = sp.csr_matrix(np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 1]], np.float32))
    (row,) = neighbourhoods(matrix, np.array([0]), most=5)
    assert row.columns.tolist() == [2]
    assert row.supports.tolist() == [1]


def test_content_neighbours_are_the_nearest_by_cosine() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [0.96, 0.28]], np.float32)
    rows = {row.row: row for row in content_neighbours(vectors, most=2)}
    assert rows[0].columns.tolist() == [3, 1]
    assert rows[0].scores.tolist() == pytest.approx([0.96, 0.6])
    assert rows[2].columns.tolist() == [1, 3]
