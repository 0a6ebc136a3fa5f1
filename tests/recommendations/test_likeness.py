"""How alike products are by what the catalogue says of them, and what that adds to what orders say."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recommendations.learning.ease import ease
from recommendations.learning.likeness import Catalogue, numbers_near, texts_alike, words_alike
from recommendations.learning.material import Material
from recommendations.learning.signal_models import LIST_MODELS
from tests.recommendations.test_signals import DAYS, events


def catalogue(*products: tuple[str, str], vectors: list[list[float]] | None = None) -> Catalogue:
    """Return products of these ids and titles."""
    names, titles = zip(*products, strict=True)
    return Catalogue(np.array(vectors or [[0.0, 0.0]] * len(products), np.float32), titles, names)


def everything(some: Catalogue) -> np.ndarray:
    return np.arange(len(some.names))


def test_texts_are_alike_by_the_square_of_their_cosine() -> None:
    some = catalogue(("1", ""), ("2", ""), ("3", ""), vectors=[[1, 0], [0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(texts_alike(some, everything(some)), [[1, 0.36, 0], [0.36, 1, 0], [0, 0, 0]], atol=1e-6)
    assert texts_alike(some, np.array([1])).tolist() == [[pytest.approx(1)]]


def test_a_rare_word_in_common_says_more_than_one_that_many_titles_hold() -> None:
    some = catalogue(("1", "Red Retrospot Mug"), ("2", "red retrospot BAG"), ("3", "Red Mug"), ("4", "Red"), ("5", "!"))
    found = words_alike(some, everything(some))
    red, twice, once = math.log(5 / 4) + 1, math.log(5 / 2) + 1, math.log(5) + 1
    lengths = [math.hypot(red, twice, twice), math.hypot(red, twice, once), math.hypot(red, twice)]
    assert found[0, 1] == pytest.approx((red**2 + twice**2) / lengths[0] / lengths[1], abs=1e-6)
    assert found[0, 1] > found[1, 2] == pytest.approx(red**2 / lengths[1] / lengths[2], abs=1e-6)
    assert found.diagonal().tolist() == [pytest.approx(1)] * 4 + [0]


def test_ids_are_near_by_their_numbers_where_they_share_a_stem() -> None:
    names = ["85123A", "85123B", "85126", "X85123", "X-85124", "x", "3f2a-11", "500 g of flour", ""]
    some = catalogue(*((name, "") for name in names))
    found = numbers_near(some, everything(some))
    assert found[0, 1] == 1
    assert found[0, 2] == pytest.approx(math.exp(-0.3))
    assert found[0, 3:].tolist() == [0] * 6
    assert found[3, 4] == 0
    assert found[5:].tolist() == [[0] * 9] * 4


@given(
    st.lists(
        st.tuples(st.text("AB12-", max_size=5), st.text("ab c", max_size=6), st.floats(0, 6)), min_size=1, max_size=8
    )
)
def test_every_likeness_may_be_added_to_counts(products: list[tuple[str, str, float]]) -> None:
    """It is symmetric and has no negative eigenvalue, so what is added up can be inverted."""
    turned = [[math.cos(angle), math.sin(angle)] for _, _, angle in products]
    some = catalogue(*((name, title) for name, title, _ in products), vectors=turned)
    for alike in (texts_alike, words_alike, numbers_near):
        found = alike(some, everything(some))
        np.testing.assert_allclose(found, found.T, atol=1e-5)
        assert np.linalg.eigvalsh(found).min() > -1e-4


def test_a_prior_counts_as_so_many_more_rows_that_hold_both() -> None:
    rows = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1.0]])
    more = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 0, 0.0]])
    found = ease(sp.csr_matrix(rows), ridge=2.0, most=9, prior=lambda live: (more.T @ more)[np.ix_(live, live)])
    expected = ease(sp.csr_matrix(np.vstack([rows, more])), ridge=2.0, most=9)
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(found.scores.toarray(), expected.scores.toarray(), atol=1e-12)


@pytest.mark.parametrize(("code", "named"), [("order_ease_alike", False), ("order_ease_named", True)])
def test_what_is_alike_speaks_for_each_other_before_anybody_bought_both(code: str, named: bool) -> None:
    """Product 3 was bought alone so far: its text is like that of 0, its title and number are like those of 1."""
    lines = [(person, product, 1.0, person) for person in range(3) for product in (0, 1)]
    some = events(*lines, (3, 2, 1.0, 3), (3, 3, 2.0, 4), persons=4, products=4)
    known = catalogue(
        ("70", "Blue Cup"), ("20A", "Green Bowl"), ("90", "Fork"), ("20B", "Green Plate"),
        vectors=[[1, 0], [0, 1], [0, -1], [1, 0]],
    )  # fmt: skip
    found = LIST_MODELS[code](Material(some, until=3 * DAYS, catalogue=known))
    assert found is not None
    weights = found.scores.toarray()
    assert weights[0, 3] > 0.05
    assert bool(weights[1, 3] > 0.05) is named
    assert LIST_MODELS[code](Material(some, until=3 * DAYS)) is None
