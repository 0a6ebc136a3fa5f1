"""The best of many are those that a sort of all would put first."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations.candidates.collaborative import summed
from recommendations.leading import distinct, leading
from recommendations.neighbours import NeighbourRow

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1), max_size=40)


@PATIENT
@given(SCORES, st.integers(0, 45), st.booleans(), st.randoms(use_true_random=False))
def test_leading_is_the_head_of_a_sort(scores: list[float], most: int, newest_first: bool, random: object) -> None:
    products = np.array(list(range(len(scores))), np.int64)
    random.shuffle(products)  # type: ignore[attr-defined]
    found = leading(products, np.array(scores), most, newest_first=newest_first)
    sign = -1 if newest_first else 1
    assert found.tolist() == sorted(range(len(scores)), key=lambda at: (-scores[at], sign * products[at]))[:most]


@PATIENT
@given(st.lists(st.integers(0, 9)))
def test_distinct_is_what_numpy_says(products: list[int]) -> None:
    assert distinct(np.array(products, np.int64)).tolist() == np.unique(np.array(products, np.int64)).tolist()


ROWS = st.dictionaries(
    st.integers(1, 6),
    st.dictionaries(st.integers(1, 9), st.tuples(st.sampled_from([0.1, 0.5, 0.7]), st.integers(1, 9)), max_size=6),
    max_size=5,
)


@PATIENT
@given(ROWS)
def test_lists_are_added_up_as_by_hand(rows: dict[int, dict[int, tuple[float, int]]]) -> None:
    lists = {
        anchor: NeighbourRow(
            np.array(list(row), np.int64),
            np.array([score for score, _ in row.values()], np.float64),
            np.array([support for _, support in row.values()], np.int64),
        )
        for anchor, row in rows.items()
    }
    weights = {anchor: 1.0 / anchor for anchor in rows}
    found = summed(lists, weights)
    said: dict[int, list[tuple[float, int, int]]] = {}
    for anchor, row in rows.items():
        for product, (score, support) in row.items():
            said.setdefault(product, []).append((score * weights[anchor], anchor, support))
    assert found.products.tolist() == sorted(said)
    for place, product in enumerate(sorted(said)):
        _, anchor, support = max(said[product])
        assert found.totals[place] == sum(part for part, _, _ in said[product])
        assert (found.because[place], found.supports[place]) == (anchor, support)
